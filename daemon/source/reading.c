/*
 * Opening is the dangerous part: a FIFO would block, and opening a device may do something. So the
 * inode is held first (O_PATH), looked at, and only a regular file is opened, through /proc so that
 * it is the very inode that was looked at.
 */
#include "reading.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct reading {
    int fd;
    struct fingerprint before;
    struct manifest_reader *reader;
    struct fiber *fiber;
    bool canceled;
    int result;
};

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static ssize_t input(void *userdata, void *buffer, size_t size)
{
    const struct reading *reading = userdata;
    ssize_t n;

    do
        n = read(reading->fd, buffer, size);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* 0, READING_SPECIAL or negative errno. */
static int open_regular(const char *path, int *fdp)
{
    __attribute__((cleanup(close_fd))) int held = open(path, O_PATH | O_CLOEXEC);
    char way[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
    struct stat st;

    if (held < 0 || fstat(held, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return READING_SPECIAL;
    (void)snprintf(way, sizeof(way), "/proc/self/fd/%d", held);
    *fdp = open(way, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (*fdp < 0 && errno == ENOENT) /* there is no /proc; nothing better can be had then */
        *fdp = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return *fdp < 0 ? -errno : 0;
}

int reading_new(struct reading **readingp, const char *path, struct source *source,
                const struct manifest_options *options)
{
    struct stat st;
    int fd = -1;

    int r = open_regular(path, &fd);
    if (r != 0)
        return r;
    r = fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : READING_SPECIAL;
    if (r != 0) {
        close(fd);
        return r;
    }
    struct reading *reading = g_new0(struct reading, 1);
    reading->fd = fd;
    reading->before = fingerprint_of(&st);
    reading->fiber = options->fiber;
    reading->reader = manifest_reader_new(source, options, input, reading);
    *readingp = reading;
    return 0;
}

struct reading *reading_free(struct reading *reading)
{
    if (!reading)
        return NULL;
    reading_cancel(reading);
    while (fiber_is_amid(reading->fiber) && reading_step(reading, INT64_MAX) == READING_MORE)
        ;
    manifest_reader_free(reading->reader);
    close(reading->fd);
    g_free(reading);
    return NULL;
}

static bool has_changed(const struct reading *reading)
{
    struct stat st;

    if (fstat(reading->fd, &st) < 0)
        return true;
    struct fingerprint now = fingerprint_of(&st);
    return !fingerprint_equal(&now, &reading->before);
}

static void run(void *userdata)
{
    struct reading *reading = userdata;

    reading->result = manifest_reader_run(reading->reader);
    if (reading->result >= 0 && has_changed(reading))
        reading->result = READING_CHANGED;
    if (reading->result == READING_CHANGED || reading->canceled)
        manifest_reader_discard(reading->reader);
    if (reading->canceled)
        reading->result = -ECANCELED;
}

int reading_step(struct reading *reading, int64_t deadline)
{
    return fiber_run(reading->fiber, run, reading, deadline) ? reading->result : READING_MORE;
}

void reading_cancel(struct reading *reading)
{
    reading->canceled = true;
    manifest_reader_cancel(reading->reader);
}

GPtrArray *reading_take_objects(struct reading *reading)
{
    return manifest_reader_take_objects(reading->reader);
}

GPtrArray *reading_take_diagnostics(struct reading *reading)
{
    return manifest_reader_take_diagnostics(reading->reader);
}

enum writer reading_writer(const struct reading *reading)
{
    return writer_of(reading->fd);
}

const struct fingerprint *reading_fingerprint(const struct reading *reading)
{
    return &reading->before;
}
