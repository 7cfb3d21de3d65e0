/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opening is the dangerous part: a FIFO would block, and opening a device may have side effects. So
 * the inode is opened with O_PATH first, examined, and only a regular file is opened, through /proc
 * so that it is the very inode that was examined.
 *
 * Then it is a question of writers: inotify reports those that were there before, but one may have
 * opened the file a moment ago, or may write while it is read.
 */
#include "file_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/manifest/manifest.h"
#include "lib/util/descriptor.h"
#include "lib/yaml/input.h"
#include "writer.h"

/* Microseconds. */
#define RETRY_DELAY 10000   /* doubled with each attempt */
#define CLOCK_TICK 20000    /* file systems' clocks are no finer than this, */
#define CLOCK_SKEW 60000000 /* and a server's is not further from ours */

#define ATTEMPTS_MAX 5

struct file_reader {
    struct queue *queue;
    struct entry *entry;
    const struct loader_callbacks *callbacks;
    int fd;
    struct fingerprint content; /* when it was opened */
    bool forced;                /* inotify reports writes: the clock does not matter */
    bool unsure;                /* whether a process has it open for writing */
};

/* Results besides those of manifest_read. */
enum {
    READ_SPECIAL = MANIFEST_BAD + 1, /* not a regular file: it was not opened */
    READ_CHANGED,                    /* it was written to during the reading */
};

/* 0, READ_SPECIAL or negative errno. */
static int open_regular(const char *path, int *fdp)
{
    __attribute__((cleanup(descriptor_close))) int held = open(path, O_PATH | O_CLOEXEC);
    char way[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
    struct stat st;

    if (held < 0 || fstat(held, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return READ_SPECIAL;
    (void)snprintf(way, sizeof(way), "/proc/self/fd/%d", held);
    *fdp = open(way, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (*fdp < 0 && errno == ENOENT) /* without /proc there is nothing better */
        *fdp = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return *fdp < 0 ? -errno : 0;
}

/* 0, READ_SPECIAL or negative errno. */
static int open_file(struct file_reader *reader)
{
    g_autofree char *path = entry_path(reader->entry);
    struct stat st;

    int r = open_regular(path, &reader->fd);
    if (r != 0)
        return r;
    if (fstat(reader->fd, &st) < 0)
        return -errno;
    reader->content = fingerprint_of(&st);
    return S_ISREG(st.st_mode) ? 0 : READ_SPECIAL;
}

static bool has_changed(const struct file_reader *reader)
{
    struct stat st;

    if (fstat(reader->fd, &st) < 0)
        return true;
    struct fingerprint now = fingerprint_of(&st);
    return !fingerprint_equal(&now, &reader->content);
}

/* It kept changing, or some resource was short: try again later. */
static void retry(const struct file_reader *reader, const char *rule, const char *reason)
{
    struct entry *entry = reader->entry;
    struct file *file = entry->file;

    file->has_seen = false;
    if (file->attempts < ATTEMPTS_MAX) {
        entry->forced = true;
        queue_wait(reader->queue, entry, (uint64_t)RETRY_DELAY << file->attempts++);
        return;
    }
    file->attempts = 0;
    file_complain(file, rule, "cannot be read: %s", reason);
}

static void fail(const struct file_reader *reader, int error)
{
    struct file *file = reader->entry->file;

    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        queue_wait_for_means(reader->queue, reader->entry, error); /* if not sooner */
        retry(reader, "unreadable", strerrordesc_np(error));
        return;
    default:
        file->has_seen = false;
        file_complain(file, "unreadable", "cannot be read: %s", strerrordesc_np(error));
    }
}

/* Was it written so recently that it may be written again without changing its fingerprint? */
static bool is_fresh(const struct fingerprint *fingerprint)
{
    int64_t age = fingerprint_age(MAX(fingerprint->mtime, fingerprint->ctime));

    return age < CLOCK_TICK && age > -CLOCK_SKEW;
}

/* Writers reported by inotify are waited for before the file is opened. This is about one that
 * opened it a moment ago, or continues after another has closed it. If that cannot be known, an
 * empty file that was not empty before is assumed to be about to be filled. */
static bool is_held_back(struct file_reader *reader)
{
    const struct fingerprint *content = &reader->content;
    struct entry *entry = reader->entry;
    enum writer writer = writer_of(reader->fd);
    /* The modification time alone can be set to any value. */
    int64_t idle = fingerprint_age(MIN(content->mtime, content->ctime));

    reader->unsure = writer == WRITER_UNKNOWN;
    bool is_emptied = reader->unsure && content->size == 0 && entry->file->n_objects > 0;
    return (writer == WRITER_PRESENT || is_emptied) && !entry->unguarded &&
           entry_meet_writer(entry, (uint64_t)MAX(idle, 0));
}

/* False: the daemon died at it at every start. */
static bool may_be_read(const struct file_reader *reader, struct source *source)
{
    const struct loader_callbacks *callbacks = reader->callbacks;
    struct entry *entry = reader->entry;
    unsigned deaths = 0;

    source->stamp = fingerprint_stamp(&reader->content);
    if (callbacks->reading)
        deaths = callbacks->reading(callbacks->userdata, source->path, source->stamp);
    if (deaths == 0 || deaths < callbacks->deaths_max)
        return true;
    entry->forced = false;
    entry->file->seen = reader->content;
    entry->file->has_seen = true;
    file_complain(
        entry->file, "fatal",
        "the daemon died %u times in a row while starting with it; skipping it until it changes",
        deaths);
    return false;
}

/* Reads pending events. -ECANCELED: the file must not be read any more, or not yet. */
static ssize_t input(void *userdata, void *buffer, size_t size)
{
    struct file_reader *reader = userdata;
    const struct entry *entry = reader->entry;

    between_pieces(&reader->callbacks->between);
    watch_drain(reader->queue->watch);
    if (entry_is_written(entry) || entry->absent || entry->root->retired)
        return -ECANCELED;
    return input_read_fd(&reader->fd, buffer, size);
}

/* If writers can only be observed through events: has one overlapped with the reading? Everything
 * before its end is known once the queue is empty. */
static bool was_disturbed(const struct file_reader *reader)
{
    const struct entry *entry = reader->entry;

    if (!reader->unsure || entry->unguarded)
        return false;
    watch_drain(reader->queue->watch);
    return entry->forced && entry->file->attempts < ATTEMPTS_MAX;
}

static void warn_of_writer(GPtrArray *diagnostics)
{
    g_ptr_array_insert(
        diagnostics, 0,
        diagnostic_new(
            DIAGNOSTIC_WARNING, 0, 0, "not-closed", NULL,
            "a process keeps writing to it without closing it; reading it once a minute"));
}

/* Takes the result `r` of the reading. */
static unsigned take(const struct file_reader *reader, GPtrArray **objectsp,
                     GPtrArray **diagnosticsp, bool racy, int r)
{
    struct entry *entry = reader->entry;
    struct file *file = entry->file;

    if (r < 0) {
        fail(reader, -r);
        return 0;
    }
    if (r == READ_CHANGED) {
        retry(reader, "unstable", "keeps changing while it is read");
        return 0;
    }
    file->seen = reader->content;
    file->has_seen = !racy;
    file->attempts = 0;
    GPtrArray *diagnostics = g_steal_pointer(diagnosticsp);
    if (entry->unguarded)
        warn_of_writer(diagnostics);
    if (r == MANIFEST_BAD) {
        file_refuse(file, diagnostics);
        return 0;
    }
    GPtrArray *objects = g_steal_pointer(objectsp);
    unsigned n_objects = objects->len;
    file_update(file, objects, diagnostics);
    queue_news(reader->queue, entry);
    return n_objects;
}

static unsigned read_to_end(struct file_reader *reader, struct source *source)
{
    struct entry *entry = reader->entry;
    const struct manifest_options options = {
        .default_namespace = entry->root->ns,
        .max_size = reader->queue->max_file_size,
    };
    bool racy = !reader->forced && is_fresh(&reader->content);
    unsigned n_objects = 0;

    if (!entry->unguarded)
        entry->writing_since = 0;
    entry->forced = false;
    g_autoptr(GPtrArray) objects = NULL, diagnostics = NULL;
    int r = manifest_read(source, &options, input, reader, &objects, &diagnostics);
    bool changed = has_changed(reader), disturbed = was_disturbed(reader);
    if (r >= 0 && (changed || disturbed))
        r = READ_CHANGED;
    if (r != -ECANCELED && !entry_is_written(entry)) /* else it is read when the writer is done */
        n_objects = take(reader, &objects, &diagnostics, racy, r);
    return n_objects;
}

static void tell_trouble(const struct loader_callbacks *callbacks, const struct file *file,
                         bool before)
{
    const struct diagnostic *now = file_first_error(file);

    if (callbacks->trouble && before != (now != NULL))
        callbacks->trouble(callbacks->userdata, file->source->path, now);
}

unsigned file_reader_run(struct queue *queue, struct entry *entry,
                         const struct loader_callbacks *callbacks)
{
    struct file_reader reader = {
        .queue = queue,
        .entry = entry,
        .callbacks = callbacks,
        .fd = -1,
        .forced = entry->forced,
    };
    struct source *source = entry->file->source;
    bool before = file_first_error(entry->file) != NULL;
    unsigned n_objects = 0;

    entry->forced = false;
    int r = open_file(&reader);
    if (r == READ_SPECIAL)
        entry->again = true; /* it has been replaced by now */
    else if (r < 0)
        fail(&reader, -r);
    else if (!is_held_back(&reader) && may_be_read(&reader, source))
        n_objects = read_to_end(&reader, source);
    tell_trouble(callbacks, entry->file, before);
    descriptor_close(&reader.fd);
    if (callbacks->reading)
        (void)callbacks->reading(callbacks->userdata, NULL, 0);
    return n_objects;
}
