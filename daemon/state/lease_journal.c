/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Leases on disk. An append-only file and a lock beside it: two daemons with one state directory
 * would give one address to two objects. A write cut short by a full disk or a crash costs a line,
 * not the file; lease_compaction keeps it short.
 */
#include "lease_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kept_journal.h"
#include "lease_compaction.h"
#include "lease_line.h"
#include "lib/util/descriptor.h"
#include "lib/util/log.h"
#include "lib/util/write_all.h"

#define SLACK_LINES 4096u /* a journal shorter than this is compacted only if damaged */
#define READ_SIZE_MAX (UINT64_C(1) << 30)

struct lease_journal {
    char *directory;
    int directory_fd, fd, lock_fd;
    GString *noted;
    uint64_t lines;       /* lines written and pending, without the title */
    bool untitled;        /* the file was empty: write a title first */
    bool due;             /* compact it, however short: not all of it is whole lines */
    bool complained;      /* a write failure has been logged */
    bool read_only;       /* writing is impossible, and not tried */
    bool unsynced;        /* the disk may not have all of it yet */
    uint64_t retry_lines; /* no compaction before this size: the last one failed */
};

static void restore(struct lease_journal *journal, char *text, size_t size, struct leases *leases)
{
    unsigned damaged = 0, cut_off = 0;
    size_t title = strlen(LEASE_JOURNAL_TITLE);
    bool titled = size >= title && memcmp(text, LEASE_JOURNAL_TITLE, title) == 0;
    for (size_t at = titled ? title : 0; at < size; journal->lines++) {
        char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - (text + at)) : size - at;
        if (end)
            *end = '\0';
        if (length > 0 && !lease_line_restore(text + at, length, leases)) {
            damaged++;
            cut_off = end ? 0 : 1;
        }
        at += length + 1;
    }
    journal->due = damaged > 0;
    if (damaged > 0)
        log_warning(
            "%s/%s: %u damaged line%s skipped; the objects concerned may get other addresses",
            journal->directory, LEASE_JOURNAL_NAME, damaged, damaged == 1 ? "" : "s");
    /* The beginning of a line is useless. */
    if (damaged > cut_off && !journal->read_only)
        kept_journal_keep(journal->directory_fd, journal->directory);
}

static int read_all(int fd, char **textp, size_t *sizep)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if ((uint64_t)st.st_size > READ_SIZE_MAX)
        return -EFBIG;
    g_autofree char *text = g_malloc((size_t)st.st_size + 1);
    size_t size = 0;
    while (size < (size_t)st.st_size) {
        ssize_t n = pread(fd, text + size, (size_t)st.st_size - size, (off_t)size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        size += (size_t)n;
    }
    text[size] = '\0';
    *textp = g_steal_pointer(&text);
    *sizep = size;
    return 0;
}

/* A lock of the open file, not of the process: a process lock would be lost as soon as this process
 * closes the file under any other name, and a link among the manifests may be one. */
static int lock(int fd)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

static int open_directory(struct lease_journal *journal)
{
    const char *directory = journal->directory;
    if (mkdir(directory, 0755) < 0 && errno != EEXIST)
        return -errno;
    journal->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (journal->directory_fd < 0)
        return -errno;
    /* Any user who may read it may lock it. */
    journal->lock_fd =
        openat(journal->directory_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (journal->lock_fd < 0)
        return -errno;
    return lock(journal->lock_fd);
}

static int open_journal(struct lease_journal *journal)
{
    journal->fd = openat(journal->directory_fd, LEASE_JOURNAL_NAME,
                         O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
    return journal->fd < 0 ? -errno : 0;
}

static int open_all(struct lease_journal *journal)
{
    int r = open_directory(journal);
    if (r < 0)
        return r;
    lease_compaction_discard(journal->directory_fd);
    return open_journal(journal);
}

static void close_all(struct lease_journal *journal)
{
    descriptor_close(&journal->fd);
    if (journal->lock_fd >= 0)
        (void)flock(journal->lock_fd, LOCK_UN);
    descriptor_close(&journal->lock_fd);
    descriptor_close(&journal->directory_fd);
}

/* Read-only leases are better than none. `error`: why they cannot be written. */
static int open_to_read(struct lease_journal *journal, int error)
{
    close_all(journal);
    journal->directory_fd = open(journal->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (journal->directory_fd < 0)
        return error;
    journal->lock_fd = openat(journal->directory_fd, "lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (journal->lock_fd >= 0 && lock(journal->lock_fd) == -EBUSY)
        return -EBUSY;
    journal->fd =
        openat(journal->directory_fd, LEASE_JOURNAL_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (journal->fd < 0)
        return error;
    journal->read_only = true;
    return 0;
}

static int open_in_some_way(struct lease_journal *journal)
{
    int r = open_all(journal);
    return r == -EACCES || r == -EPERM || r == -EROFS ? open_to_read(journal, r) : r;
}

/* Then there is an empty one in its place. */
static int put_aside(struct lease_journal *journal, const char *version)
{
    int r = journal->read_only
                ? -EROFS
                : kept_journal_put_aside(journal->directory_fd, journal->directory, version);
    if (r < 0)
        return r;
    descriptor_close(&journal->fd);
    return open_journal(journal);
}

int lease_journal_open(struct lease_journal **journalp, const char *directory,
                       struct leases *leases)
{
    struct lease_journal *journal = g_new0(struct lease_journal, 1);
    journal->directory = g_strdup(directory);
    journal->directory_fd = journal->fd = journal->lock_fd = -1;
    journal->noted = g_string_new(NULL);
    g_autofree char *text = NULL;
    size_t size = 0;
    int r = open_in_some_way(journal);
    if (r == 0)
        r = read_all(journal->fd, &text, &size);
    g_autofree char *version = r == 0 ? kept_journal_version(text, size) : NULL;
    if (version) {
        r = put_aside(journal, version);
        size = 0;
    }
    if (r < 0) {
        lease_journal_close(journal);
        return r;
    }
    if (journal->read_only)
        log_warning("%s: not writable; using the leases found there, but addresses allocated from "
                    "now on may change at the next start",
                    journal->directory);
    journal->untitled = size == 0;
    if (size > 0 && text[size - 1] != '\n')
        g_string_append_c(journal->noted, '\n');
    restore(journal, text, size, leases);
    *journalp = journal;
    return 0;
}

struct lease_journal *lease_journal_close(struct lease_journal *journal)
{
    if (!journal)
        return NULL;
    close_all(journal);
    g_string_free(journal->noted, TRUE);
    g_free(journal->directory);
    g_free(journal);
    return NULL;
}

static void complain(struct lease_journal *journal, int error)
{
    if (!journal->complained)
        log_error("%s/%s: cannot be written: %s; addresses stay unchanged while the daemon runs, "
                  "but may change when it restarts",
                  journal->directory, LEASE_JOURNAL_NAME, g_strerror(-error));
    journal->complained = true;
}

/* Removes written lines from the pending ones. A line that was cut off stays, after a newline: it
 * costs that line of the file, not the next one too. */
static void forget_written(struct lease_journal *journal, size_t size)
{
    const char *text = journal->noted->str;
    const char *end = size > 0 ? memrchr(text, '\n', size) : NULL;
    size_t whole = end ? (size_t)(end - text) + 1 : 0;
    g_string_erase(journal->noted, 0, (gssize)whole);
    if (whole == size)
        return;
    g_string_prepend_c(journal->noted, '\n');
    journal->lines++;
    journal->due = true;
}

/* All of it or nothing. */
static int write_title(struct lease_journal *journal)
{
    size_t done;
    if (!journal->untitled)
        return 0;
    int r = write_all(journal->fd, LEASE_JOURNAL_TITLE, strlen(LEASE_JOURNAL_TITLE), &done);
    if (r < 0 && done > 0 && ftruncate(journal->fd, 0) < 0)
        return -errno;
    journal->untitled = r < 0;
    return r;
}

static void write_noted(struct lease_journal *journal)
{
    size_t done = 0;
    int r = write_title(journal);
    if (r == 0) {
        r = write_all(journal->fd, journal->noted->str, journal->noted->len, &done);
        if (done > 0)
            journal->untitled = false;
        journal->unsynced = true;
    }
    forget_written(journal, done);
    if (r < 0)
        complain(journal, r);
    else
        journal->complained = false;
}

void lease_journal_note(struct lease_journal *journal, enum lease_event event,
                        const struct lease *lease)
{
    if (journal->fd < 0 || journal->read_only)
        return; /* if there is ever one to write to, all leases are written */
    lease_line_append(journal->noted, event, lease);
    journal->lines++;
}

/* Writes to a removed file are lost at the next start. The file is recreated as a whole, right
 * here: it takes a person to remove it, so this is rare. False: it cannot be created. */
static bool is_there(struct lease_journal *journal, const struct leases *leases)
{
    struct stat st;
    if (journal->fd >= 0 && fstat(journal->fd, &st) == 0 && st.st_nlink > 0)
        return true;
    if (!journal->complained)
        log_warning("%s/%s: was removed; recreated", journal->directory, LEASE_JOURNAL_NAME);
    close_all(journal);
    int r = open_all(journal);
    if (r == 0 && ftruncate(journal->fd, 0) < 0)
        r = -errno;
    if (r < 0) {
        complain(journal, r);
        descriptor_close(&journal->fd);
        return false;
    }
    journal->untitled = true;
    g_string_truncate(journal->noted, 0);
    lease_line_append_all(journal->noted, leases);
    journal->lines = leases_size(leases);
    journal->due = false;
    journal->retry_lines = 0;
    return true;
}

/* A damaged journal can wait until the disk accepts writes again; shortening it may be just what
 * makes room. */
static bool is_outgrown(const struct lease_journal *journal, const struct leases *leases)
{
    return journal->lines >= journal->retry_lines &&
           (journal->lines > 2 * leases_size(leases) + SLACK_LINES ||
            (journal->due && !journal->complained));
}

/* The new file also contains what could not be written to the old one. */
static void compact(struct lease_journal *journal, const struct leases *leases)
{
    int fd = lease_compaction_run(journal->directory_fd, leases);
    if (fd < 0) {
        log_warning(
            "%s/%s: cannot be compacted: %s; it keeps growing, retrying when it has doubled",
            journal->directory, LEASE_JOURNAL_NAME, g_strerror(-fd));
        journal->retry_lines = 2 * journal->lines + SLACK_LINES;
        return;
    }
    descriptor_close(&journal->fd);
    journal->fd = fd;
    g_string_truncate(journal->noted, 0);
    journal->lines = leases_size(leases);
    journal->untitled = journal->due = journal->complained = journal->unsynced = false;
    journal->retry_lines = 0;
}

void lease_journal_write(struct lease_journal *journal, const struct leases *leases)
{
    if (!journal->read_only && is_there(journal, leases) &&
        (journal->noted->len > 0 || journal->untitled))
        write_noted(journal);
}

bool lease_journal_is_unsynced(const struct lease_journal *journal, const struct leases *leases)
{
    return journal->fd >= 0 && !journal->read_only &&
           (journal->unsynced || is_outgrown(journal, leases));
}

void lease_journal_sync(struct lease_journal *journal, const struct leases *leases)
{
    if (!lease_journal_is_unsynced(journal, leases))
        return;
    if (is_outgrown(journal, leases))
        compact(journal, leases);
    if (journal->unsynced && fdatasync(journal->fd) < 0)
        complain(journal, -errno);
    journal->unsynced = false;
}
