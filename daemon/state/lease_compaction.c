/*
 * Compaction. The child has a copy of the leases, so it needs no part of the daemon while it
 * works, and one descriptor, so it can spoil nothing: only the daemon names files. What is appended
 * meanwhile need not be collected, it is in the old journal from a known place on; that some of it
 * may have been in the leases already does no harm, each line says all about its address.
 */
#include "lease_compaction.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lease_line.h"
#include "lib/util/child.h"
#include "lib/util/log.h"
#include "lib/util/write_all.h"

#define NEW_NAME LEASE_JOURNAL_NAME ".new"
/* At once, so that each takes well below a millisecond. */
#define COPY_SIZE (256u * 1024u)
#define SHRINK_SIZE (2u * 1024u * 1024u)

struct lease_compaction {
    struct lease_compaction_options options;
    pid_t pid;    /* 0: there is no child, or not any more */
    int fd;       /* of the new file, then of the old one; -1: nothing is begun */
    bool renamed; /* the new file is the journal */
    off_t copied; /* so much of the old journal is in the new one */
    sd_event_source *turn, *child;
};

static void complain(const struct lease_compaction *compaction, const char *why)
{
    log_warning("%s/%s: cannot be compacted: %s; it grows on, and that is tried again when it has "
                "doubled",
                compaction->options.directory, LEASE_JOURNAL_NAME, why);
}

static void fail(struct lease_compaction *compaction, const char *why)
{
    complain(compaction, why);
    compaction->options.ended(compaction->options.userdata, false);
}

/* 1: the new file has all that the old one has. Only reading nothing says so, and in the same step:
 * by the next one, more may have been appended. */
static int copy_step(struct lease_compaction *compaction)
{
    g_autofree char *text = g_malloc(COPY_SIZE);
    for (size_t room = COPY_SIZE, done; room > 0; room -= done) {
        ssize_t n = pread(*compaction->options.journal_fd, text, room, compaction->copied);
        if (n <= 0)
            return n < 0 ? -errno : 1;
        int r = write_all(compaction->fd, text, (size_t)n, &done);
        if (r < 0)
            return r;
        compaction->copied += n;
    }
    return 0;
}

static int on_child(sd_event_source *source, const siginfo_t *info, void *userdata)
{
    struct lease_compaction *compaction = userdata;
    if (!compaction)
        return sd_event_source_set_floating(source, false); /* the last that is heard of it */
    compaction->pid = 0;
    if (info->si_code == CLD_EXITED && info->si_status == 0)
        return sd_event_source_set_enabled(compaction->turn, SD_EVENT_ONESHOT);
    g_autofree char *signal = g_strdup_printf("ended by signal %d", info->si_status);
    fail(compaction, info->si_code == CLD_EXITED ? g_strerror(info->si_status) : signal);
    return 0;
}

/* The child. What ends the daemon ends it too, so that its signals may stay blocked: a supervisor
 * that tells all processes to end would else make a failure of it. */
static _Noreturn void write_anew(int fd, const struct leases *leases)
{
    GString *text = g_string_new(LEASE_JOURNAL_TITLE);
    lease_line_append_all(text, leases);
    size_t done;
    int r = write_all(fd, text->str, text->len, &done);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    _exit(-r);
}

/* A name of its own, made by nobody else: a child of an earlier daemon may be writing to the file
 * that had this name before. */
static int open_new(const struct lease_compaction_options *options)
{
    lease_compaction_discard(options->directory_fd);
    int fd = openat(options->directory_fd, NEW_NAME,
                    O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
    return fd < 0 ? -errno : fd;
}

static int fork_child(struct lease_compaction *compaction)
{
    const struct lease_compaction_options *options = &compaction->options;
    struct stat st;
    compaction->fd = open_new(options);
    if (compaction->fd < 0)
        return compaction->fd;
    if (fstat(*options->journal_fd, &st) < 0)
        return -errno;
    compaction->copied = st.st_size;
    compaction->pid = child_fork(compaction->fd);
    if (compaction->pid == 0)
        write_anew(compaction->fd, options->leases);
    if (compaction->pid < 0)
        return compaction->pid;
    int r = sd_event_add_child(sd_event_source_get_event(compaction->turn), &compaction->child,
                               compaction->pid, WEXITED, on_child, compaction);
    if (r >= 0)
        options->begun(options->userdata, options->leases);
    return r;
}

static int take_place(struct lease_compaction *compaction)
{
    int directory_fd = compaction->options.directory_fd;
    if (renameat(directory_fd, NEW_NAME, directory_fd, LEASE_JOURNAL_NAME) < 0)
        return -errno;
    int old_fd = *compaction->options.journal_fd;
    *compaction->options.journal_fd = compaction->fd;
    compaction->fd = old_fd;
    compaction->renamed = true;
    return 0;
}

static int copy(struct lease_compaction *compaction)
{
    int r = copy_step(compaction);
    if (r > 0)
        r = take_place(compaction);
    if (r >= 0)
        return sd_event_source_set_enabled(compaction->turn, SD_EVENT_ONESHOT);
    fail(compaction, g_strerror(-r));
    return 0;
}

/* What is left of the old file goes when it is closed; all of it stays if it has another name,
 * which somebody gave it to keep it. */
static int shrink(struct lease_compaction *compaction)
{
    struct stat st;
    if (fstat(compaction->fd, &st) == 0 && st.st_nlink == 0 && st.st_size > SHRINK_SIZE &&
        ftruncate(compaction->fd, st.st_size - SHRINK_SIZE) == 0)
        return sd_event_source_set_enabled(compaction->turn, SD_EVENT_ONESHOT);
    compaction->options.ended(compaction->options.userdata, true);
    return 0;
}

/* Each step has a turn of its own: forking, and giving a large file back, take their milliseconds
 * too. */
static int on_turn(sd_event_source *source, void *userdata)
{
    struct lease_compaction *compaction = userdata;
    (void)source;
    if (compaction->renamed)
        return shrink(compaction);
    if (compaction->fd >= 0)
        return copy(compaction);
    int r = fork_child(compaction);
    if (r < 0)
        fail(compaction, g_strerror(-r));
    return 0;
}

int lease_compaction_start(struct lease_compaction **compactionp, sd_event *event,
                           const struct lease_compaction_options *options)
{
    struct lease_compaction *compaction = g_new0(struct lease_compaction, 1);
    compaction->options = *options;
    compaction->fd = -1;
    int r = sd_event_add_defer(event, &compaction->turn, on_turn, compaction);
    if (r < 0) {
        complain(compaction, g_strerror(-r));
        lease_compaction_free(compaction);
        return r;
    }
    *compactionp = compaction;
    return 0;
}

/* A child that waits for the disk does not die before the disk answers. So the loop sees to it that
 * it is no zombie then; if there is no loop any more, neither is there a daemon. */
static void abandon_child(struct lease_compaction *compaction)
{
    (void)kill(compaction->pid, SIGKILL);
    if (!compaction->child)
        return;
    (void)sd_event_source_set_userdata(compaction->child, NULL);
    (void)sd_event_source_set_floating(compaction->child, true);
    compaction->child = sd_event_source_unref(compaction->child);
}

struct lease_compaction *lease_compaction_free(struct lease_compaction *compaction)
{
    if (!compaction)
        return NULL;
    if (compaction->pid > 0)
        abandon_child(compaction);
    sd_event_source_disable_unref(compaction->child);
    sd_event_source_disable_unref(compaction->turn);
    if (compaction->fd >= 0 && !compaction->renamed)
        lease_compaction_discard(compaction->options.directory_fd);
    if (compaction->fd >= 0)
        close(compaction->fd);
    g_free(compaction);
    return NULL;
}

void lease_compaction_discard(int directory_fd)
{
    (void)unlinkat(directory_fd, NEW_NAME, 0);
}
