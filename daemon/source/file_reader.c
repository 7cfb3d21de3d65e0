/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opening is the dangerous part: a FIFO would block, and opening a device may have side effects. So
 * the inode is opened with O_PATH first, examined, and only a regular file is opened, through /proc
 * so that it is the very inode that was examined.
 */
#include "file_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/yaml/input.h"

struct file_reader {
    int fd;
    struct fingerprint before;
    struct manifest_reader *reader;
    bool (*goes_on)(void *userdata);
    void *userdata;
};

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static ssize_t input(void *userdata, void *buffer, size_t size)
{
    struct file_reader *reading = userdata;

    if (!reading->goes_on(reading->userdata))
        return -ECANCELED;
    return input_read_fd(&reading->fd, buffer, size);
}

/* 0, FILE_READER_SPECIAL or negative errno. */
static int open_regular(const char *path, int *fdp)
{
    __attribute__((cleanup(close_fd))) int held = open(path, O_PATH | O_CLOEXEC);
    char way[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
    struct stat st;

    if (held < 0 || fstat(held, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return FILE_READER_SPECIAL;
    (void)snprintf(way, sizeof(way), "/proc/self/fd/%d", held);
    *fdp = open(way, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (*fdp < 0 && errno == ENOENT) /* without /proc there is nothing better */
        *fdp = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return *fdp < 0 ? -errno : 0;
}

int file_reader_new(struct file_reader **readingp, const char *path, struct source *source,
                    const struct manifest_options *options, bool (*goes_on)(void *userdata),
                    void *userdata)
{
    struct stat st;
    int fd = -1;

    int r = open_regular(path, &fd);
    if (r != 0)
        return r;
    r = fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : FILE_READER_SPECIAL;
    if (r != 0) {
        close(fd);
        return r;
    }
    struct file_reader *reading = g_new0(struct file_reader, 1);
    reading->fd = fd;
    reading->before = fingerprint_of(&st);
    reading->goes_on = goes_on;
    reading->userdata = userdata;
    reading->reader = manifest_reader_new(source, options, input, reading);
    *readingp = reading;
    return 0;
}

struct file_reader *file_reader_free(struct file_reader *reading)
{
    if (!reading)
        return NULL;
    manifest_reader_free(reading->reader);
    close(reading->fd);
    g_free(reading);
    return NULL;
}

static bool has_changed(const struct file_reader *reading)
{
    struct stat st;

    if (fstat(reading->fd, &st) < 0)
        return true;
    struct fingerprint now = fingerprint_of(&st);
    return !fingerprint_equal(&now, &reading->before);
}

int file_reader_run(struct file_reader *reading)
{
    int r = manifest_reader_run(reading->reader);

    return r >= 0 && has_changed(reading) ? FILE_READER_CHANGED : r;
}

GPtrArray *file_reader_take_objects(struct file_reader *reading)
{
    return manifest_reader_take_objects(reading->reader);
}

GPtrArray *file_reader_take_diagnostics(struct file_reader *reading)
{
    return manifest_reader_take_diagnostics(reading->reader);
}

enum writer file_reader_writer(const struct file_reader *reading)
{
    return writer_of(reading->fd);
}

const struct fingerprint *file_reader_fingerprint(const struct file_reader *reading)
{
    return &reading->before;
}
