/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order: listing, then examining, then reading; and when all is done, inotify is drained once
 * more before the batch is closed and delivered. So simultaneous changes are delivered together,
 * and a single one waits for no timer.
 */
#include "scanner.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "file_reader.h"
#include "probe.h"
#include "scan.h"

/* Microseconds. */
#define BATCH_OPEN 25000 /* how long a batch may grow */
#define BURST_QUIET 5000 /* the silence that ends a burst */
#define BURST_GAP 10000  /* a change so soon after a batch with changes belongs to a burst */
#define FIRST_PATIENCE 2000000
#define VOLUME_PATIENCE 100000
#define RETRY_DELAY 10000   /* doubled with each attempt */
#define CLOCK_TICK 20000    /* file systems' clocks are no finer than this, */
#define CLOCK_SKEW 60000000 /* and a server's is not further from ours */

#define BURST_FILES 4
#define RESTARTS_MAX 20
#define ATTEMPTS_MAX 5

void scanner_init(struct scanner *scanner, const struct loader_callbacks *callbacks)
{
    scanner->callbacks = *callbacks;
    queue_init(&scanner->list);
    scanner->list.account = account_new();
    scanner->roots = g_ptr_array_new();
    scanner->retired = g_ptr_array_new();
}

static void free_roots(GPtrArray *roots)
{
    for (unsigned i = 0; i < roots->len; i++)
        root_free(roots->pdata[i]);
    g_ptr_array_set_size(roots, 0);
}

void scanner_want_round(struct scanner *scanner)
{
    scanner->wants_round = true;
}

void scanner_retire(struct scanner *scanner, struct root *root)
{
    root->retired = true;
    probe_withdraw(&scanner->list, root->entry);
    g_ptr_array_add(scanner->retired, root);
}

static void begin_round(struct scanner *scanner)
{
    scanner->wants_round = false;
    scanner->list.thorough = true;
    watch_begin_round(scanner->list.watch);
    for (unsigned i = 0; i < scanner->roots->len; i++) {
        struct entry *entry = ((struct root *)scanner->roots->pdata[i])->entry;
        entry->rescan = true;
        queue_mark_now(&scanner->list, entry);
    }
}

/* It kept changing, or some resource was short: try again later. */
static void retry(struct scanner *scanner, struct entry *entry, const char *rule,
                  const char *reason)
{
    struct file *file = entry->file;

    file->has_seen = false;
    if (++file->attempts <= ATTEMPTS_MAX) {
        entry->forced = true;
        queue_wait(&scanner->list, entry, (uint64_t)RETRY_DELAY << (file->attempts - 1));
        return;
    }
    file->attempts = 0;
    file_complain(file, rule, "cannot be read: %s", reason);
}

static void fail(struct scanner *scanner, struct entry *entry, int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        queue_wait_for_means(&scanner->list, entry, error); /* if not sooner */
        retry(scanner, entry, "unreadable", strerrordesc_np(error));
        return;
    default:
        entry->file->has_seen = false;
        file_complain(entry->file, "unreadable", "cannot be read: %s", strerrordesc_np(error));
    }
}

/* Microseconds since `time`, which is in a fingerprint. */
static int64_t age_of(int64_t time)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec - time) / 1000;
}

/* Was it written so recently that it may be written again without changing its fingerprint? */
static bool is_fresh(const struct fingerprint *fingerprint)
{
    int64_t age = age_of(MAX(fingerprint->mtime, fingerprint->ctime));

    return age < CLOCK_TICK && age > -CLOCK_SKEW;
}

/* Writers reported by inotify are waited for before the file is opened. This is about one that
 * opened it a moment ago, or continues after another has closed it. If that cannot be known, an
 * empty file that was not empty before is assumed to be about to be filled. */
static bool is_held_back(struct scanner *scanner, struct entry *entry,
                         const struct file_reader *reading)
{
    const struct fingerprint *fingerprint = file_reader_fingerprint(reading);
    enum writer writer = file_reader_writer(reading);
    /* The modification time alone can be set to any value. */
    int64_t idle = age_of(MIN(fingerprint->mtime, fingerprint->ctime));

    scanner->unsure = writer == WRITER_UNKNOWN;
    bool is_emptied = scanner->unsure && fingerprint->size == 0 && entry->file->n_objects > 0;
    return (writer == WRITER_PRESENT || is_emptied) && !entry->unguarded &&
           entry_meet_writer(entry, (uint64_t)MAX(idle, 0));
}

static void tell_trouble(const struct scanner *scanner, const struct file *file, bool before)
{
    const struct diagnostic *now = file_first_error(file);

    if (scanner->callbacks.trouble && before != (now != NULL))
        scanner->callbacks.trouble(scanner->callbacks.userdata, file->source->path, now);
}

static void warn_of_writer(GPtrArray *diagnostics)
{
    g_ptr_array_insert(
        diagnostics, 0,
        diagnostic_new(
            DIAGNOSTIC_WARNING, 0, 0, "not-closed", NULL,
            "a process keeps writing to it without closing it; reading it once a minute"));
}

static void take_reading(struct scanner *scanner, struct entry *entry, struct file_reader *reading,
                         int result)
{
    struct file *file = entry->file;

    if (result < 0) {
        fail(scanner, entry, -result);
        return;
    }
    if (result == FILE_READER_CHANGED) {
        retry(scanner, entry, "unstable", "keeps changing while it is read");
        return;
    }
    file->seen = *file_reader_fingerprint(reading);
    file->has_seen = !scanner->racy;
    file->attempts = 0;
    GPtrArray *diagnostics = file_reader_take_diagnostics(reading);
    if (entry->unguarded)
        warn_of_writer(diagnostics);
    if (result == MANIFEST_BAD) {
        file_refuse(file, diagnostics);
        return;
    }
    GPtrArray *objects = file_reader_take_objects(reading);
    scanner->n_objects += objects->len;
    file_update(file, objects, diagnostics);
    queue_news(&scanner->list, entry);
}

/* If writers can only be observed through events: has one overlapped with the reading? Everything
 * before its end is known once the queue is empty. */
static bool was_disturbed(struct scanner *scanner, const struct entry *entry)
{
    if (!scanner->unsure || entry->unguarded)
        return false;
    watch_drain(scanner->list.watch);
    return entry->forced && entry->file->attempts < ATTEMPTS_MAX;
}

/* Reads pending events. False: the file must not be read any more, or not yet. */
static bool goes_on(void *userdata)
{
    const struct scanner *scanner = userdata;
    const struct entry *entry = scanner->reader;

    between_pieces(&scanner->callbacks.between);
    watch_drain(scanner->list.watch);
    return !entry_is_written(entry) && !entry->absent && !entry->root->retired;
}

/* False: the daemon died at it at every start. */
static bool may_be_read(struct scanner *scanner, struct entry *entry, struct source *source,
                        const struct file_reader *reading)
{
    const struct loader_callbacks *callbacks = &scanner->callbacks;
    const struct fingerprint *content = file_reader_fingerprint(reading);
    unsigned deaths = 0;

    source->stamp = fingerprint_stamp(content);
    if (callbacks->reading)
        deaths = callbacks->reading(callbacks->userdata, source->path, source->stamp);
    if (deaths == 0 || deaths < callbacks->deaths_max)
        return true;
    entry->forced = false;
    entry->file->seen = *content;
    entry->file->has_seen = true;
    file_complain(
        entry->file, "fatal",
        "the daemon died %u times in a row while starting with it; skipping it until it changes",
        deaths);
    return false;
}

static void read_to_end(struct scanner *scanner, struct entry *entry, struct file_reader *reading,
                        bool forced)
{
    if (!entry->unguarded)
        entry->writing_since = 0;
    entry->forced = false;
    scanner->reader = entry;
    /* If inotify reports writes, the clock does not matter. */
    scanner->racy = !forced && is_fresh(file_reader_fingerprint(reading));
    int r = file_reader_run(reading);
    bool disturbed = was_disturbed(scanner, entry);
    if (r == -ECANCELED || entry_is_written(entry))
        return; /* it is read when the writer has finished */
    take_reading(scanner, entry, reading, disturbed && r >= 0 ? FILE_READER_CHANGED : r);
}

static void read_place(struct scanner *scanner, struct entry *entry)
{
    const struct root *root = entry->root;
    struct manifest_options options = {
        .default_namespace = root->ns,
        .max_size = scanner->list.max_file_size,
    };
    struct source *source = file_source(entry->file, &root->origin);
    struct file_reader *reading = NULL;
    bool forced = entry->forced, before = file_first_error(entry->file) != NULL;
    g_autofree char *path = entry_path(entry);

    entry->forced = false;
    int r = file_reader_new(&reading, path, source, &options, goes_on, scanner);
    if (r == FILE_READER_SPECIAL)
        entry->again = true; /* it has been replaced by now */
    else if (r < 0)
        fail(scanner, entry, -r);
    else if (!is_held_back(scanner, entry, reading) && may_be_read(scanner, entry, source, reading))
        read_to_end(scanner, entry, reading, forced);
    tell_trouble(scanner, entry->file, before);
    file_reader_free(reading);
    if (scanner->callbacks.reading)
        (void)scanner->callbacks.reading(scanner->callbacks.userdata, NULL, 0);
}

static void read_if_wanted(struct scanner *scanner, struct entry *entry)
{
    if (!entry->root->retired && !entry->absent && !entry_is_written(entry) && entry->file)
        read_place(scanner, entry);
    queue_done(&scanner->list, entry);
}

/* False: only the end of this batch is left. */
static bool scanner_once(struct scanner *scanner)
{
    struct queue *list = &scanner->list;
    struct entry *entry = g_queue_peek_head(&list->scans);

    if (entry)
        scan_step(list, entry);
    else if ((entry = queue_next_probe(list)))
        probe_entry(list, entry);
    else if ((entry = queue_next_read(list)))
        read_if_wanted(scanner, entry);
    else
        return false;
    return true;
}

/* Reports the end of the batch and opens the next one. */
static void end_batch(struct scanner *scanner, bool told)
{
    struct queue *list = &scanner->list;
    bool first = !scanner->loaded;

    /* A root retired during this batch has its files in the next. */
    if (list->news->len == 0)
        free_roots(scanner->retired);
    batch_sweep(list);
    if (list->thorough)
        watch_end_round(list->watch);
    list->thorough = false;
    scanner->loaded = true;
    scanner->started = scanner->hold_until = 0;
    scanner->restarts = 0;
    queue_reopen(list);
    /* What a polling scan saw once gets neither a second look nor an event. */
    if (list->polling && !watch_is_exhausted(list->watch))
        scanner->wants_round = true;
    list->polling = watch_is_exhausted(list->watch);
    if (!told && !first)
        return;
    scanner->told = queue_now();
    scanner->settled = true;
    scanner->settled_first = first;
}

/* A single change waits for nothing; one of many is delivered with the others. */
static bool is_burst(const struct scanner *scanner)
{
    unsigned n = scanner->list.news->len;

    return n >= BURST_FILES || (n > 0 && scanner->started < scanner->told + BURST_GAP);
}

/* Should the batch wait for more? Then *wake_at says how long. */
static bool should_wait(struct scanner *scanner, uint64_t now, uint64_t *wake_at)
{
    if (!scanner->loaded && *wake_at > 0 && *wake_at < scanner->started + FIRST_PATIENCE)
        return true;
    if (!is_burst(scanner) || now >= scanner->started + BATCH_OPEN ||
        now >= scanner->heard + BURST_QUIET)
        return false;
    if (*wake_at == 0 || *wake_at > scanner->heard + BURST_QUIET)
        *wake_at = scanner->heard + BURST_QUIET;
    return true;
}

static void hand_over(struct scanner *scanner, GPtrArray *updates)
{
    bool told = updates->len > 0;

    batch_hand_over(updates, &scanner->callbacks);
    end_batch(scanner, told);
}

/* True: there is more to do at once. */
static bool try_to_hand_over(struct scanner *scanner, uint64_t now, uint64_t *wake_at)
{
    bool patient =
        scanner->restarts < RESTARTS_MAX && (scanner->hold_until == 0 || now < scanner->hold_until);

    GPtrArray *updates;
    int r = batch_take(&updates, &scanner->list, patient);
    if (r == BATCH_READY)
        hand_over(scanner, updates);
    if (r == BATCH_AGAIN)
        scanner->restarts++;
    if (r != BATCH_HOLD)
        return true;
    if (scanner->hold_until == 0)
        scanner->hold_until = now + VOLUME_PATIENCE;
    if (*wake_at == 0 || *wake_at > scanner->hold_until)
        *wake_at = scanner->hold_until;
    /* What is waited for belongs to this batch. */
    queue_reopen(&scanner->list);
    scanner->started = now;
    return !g_queue_is_empty(&scanner->list.probes);
}

static bool finish(struct scanner *scanner, uint64_t *wake_at)
{
    struct queue *list = &scanner->list;
    uint64_t now = queue_now();

    watch_drain(list->watch);
    *wake_at = queue_ripen(list, now);
    if (!g_queue_is_empty(&list->probes))
        return true;
    if (should_wait(scanner, now, wake_at))
        return false;
    if (list->news->len > 0)
        return try_to_hand_over(scanner, now, wake_at);
    end_batch(scanner, false);
    return scanner->wants_round || !g_queue_is_empty(&list->probes);
}

static void begin_batch(struct scanner *scanner, uint64_t now)
{
    scanner->started = now;
    scanner->n_objects = scanner->list.n_reads = scanner->list.n_read = 0;
    if (scanner->wants_round)
        begin_round(scanner);
}

bool scanner_run(struct scanner *scanner, uint64_t *wake_at)
{
    bool more;

    do {
        uint64_t now = queue_now();

        *wake_at = 0;
        if (scanner->started == 0)
            begin_batch(scanner, now);
        scanner->list.closed = now >= scanner->started + BATCH_OPEN;
        more = scanner_once(scanner) || finish(scanner, wake_at);
        between_pieces(&scanner->callbacks.between);
    } while (more && !scanner->settled);
    if (scanner->settled) {
        scanner->settled = false;
        scanner->callbacks.settled(scanner->callbacks.userdata, scanner->settled_first);
    }
    return more;
}

void scanner_clear(struct scanner *scanner)
{
    free_roots(scanner->roots);
    free_roots(scanner->retired);
    g_ptr_array_unref(scanner->roots);
    g_ptr_array_unref(scanner->retired);
    queue_clear(&scanner->list);
    account_unref(scanner->list.account);
}
