/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order: listing, then examining, then reading; and when all is done, inotify is drained once
 * more before the batch is closed and delivered. So simultaneous changes are delivered together,
 * and a single one waits for no timer.
 */
#include "scanner.h"

#include "file_reader.h"
#include "probe.h"
#include "scan.h"
#include "skip_files.h"

/* Microseconds. */
#define BATCH_OPEN 25000 /* how long a batch may grow */
#define BURST_QUIET 5000 /* the silence that ends a burst */
#define BURST_GAP 10000  /* a change so soon after a batch with changes belongs to a burst */
#define FIRST_PATIENCE 2000000
#define VOLUME_PATIENCE 100000

#define BURST_FILES 4
#define RESTARTS_MAX 20

void scanner_init(struct scanner *scanner, const struct loader_callbacks *callbacks)
{
    scanner->callbacks = *callbacks;
    queue_init(&scanner->queue);
    scanner->retired = g_ptr_array_new_with_free_func(root_free);
}

void scanner_retire(struct scanner *scanner, struct root *root)
{
    root->retired = true;
    probe_withdraw(&scanner->queue, root->entry);
    g_ptr_array_add(scanner->retired, root);
}

static void begin_round(struct scanner *scanner)
{
    scanner->wants_round = false;
    scanner->queue.thorough = true;
    watch_begin_round(scanner->queue.watch);
    for (unsigned i = 0; i < scanner->queue.roots->len; i++) {
        struct entry *entry = ((struct root *)scanner->queue.roots->pdata[i])->entry;
        entry->rescan = true;
        queue_mark_now(&scanner->queue, entry);
    }
}

static void read_if_wanted(struct scanner *scanner, struct entry *entry)
{
    if (!entry->root->retired && !entry->absent && !entry_is_written(entry) && entry->file &&
        !skip_files_have(entry))
        scanner->n_objects += file_reader_run(&scanner->queue, entry, &scanner->callbacks);
    queue_done(&scanner->queue, entry);
}

/* False: only the end of this batch is left. */
static bool scanner_once(struct scanner *scanner)
{
    struct queue *queue = &scanner->queue;
    struct entry *entry = g_queue_peek_head(&queue->entries[ENTRY_SCAN]);

    if (entry)
        scan_step(queue, entry);
    else if (queue->skips_due)
        skip_files_settle(queue);
    else if ((entry = queue_next_probe(queue)))
        probe_entry(queue, entry);
    else if ((entry = queue_next_read(queue)))
        read_if_wanted(scanner, entry);
    else
        return false;
    return true;
}

/* Reports the end of the batch and opens the next one. */
static void end_batch(struct scanner *scanner, bool told)
{
    struct queue *queue = &scanner->queue;
    bool first = !scanner->loaded;
    bool reread = scanner->rereading && queue->thorough && !scanner->wants_round;

    /* A root retired during this batch has its files in the next. */
    if (queue->news->len == 0)
        g_ptr_array_set_size(scanner->retired, 0);
    batch_sweep(queue);
    if (queue->thorough)
        watch_end_round(queue->watch);
    queue->thorough = false;
    scanner->loaded = true;
    if (reread)
        scanner->rereading = false;
    scanner->started = scanner->hold_until = 0;
    scanner->restarts = 0;
    queue_reopen(queue);
    /* What a polling scan saw once gets neither a second look nor an event. */
    if (queue->polling && !watch_is_exhausted(queue->watch))
        scanner->wants_round = true;
    queue->polling = watch_is_exhausted(queue->watch);
    if (!told && !first && !reread)
        return;
    scanner->told = queue_now();
    scanner->settled = true;
    scanner->settled_first = first;
}

/* A single change waits for nothing; one of many is delivered with the others. */
static bool is_burst(const struct scanner *scanner)
{
    unsigned n = scanner->queue.news->len;

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

/* True: there is more to do at once. */
static bool try_to_hand_over(struct scanner *scanner, uint64_t now, uint64_t *wake_at)
{
    bool patient =
        scanner->restarts < RESTARTS_MAX && (scanner->hold_until == 0 || now < scanner->hold_until);

    GPtrArray *updates;
    int r = batch_take(&updates, &scanner->queue, patient);
    if (r == BATCH_READY) {
        bool told = updates->len > 0;
        batch_hand_over(updates, &scanner->callbacks);
        end_batch(scanner, told);
    }
    if (r == BATCH_AGAIN)
        scanner->restarts++;
    if (r != BATCH_HOLD)
        return true;
    if (scanner->hold_until == 0)
        scanner->hold_until = now + VOLUME_PATIENCE;
    if (*wake_at == 0 || *wake_at > scanner->hold_until)
        *wake_at = scanner->hold_until;
    /* What is waited for belongs to this batch. */
    queue_reopen(&scanner->queue);
    scanner->started = now;
    return !g_queue_is_empty(&scanner->queue.entries[ENTRY_PROBE]);
}

static bool finish(struct scanner *scanner, uint64_t *wake_at)
{
    struct queue *queue = &scanner->queue;
    uint64_t now = queue_now();

    watch_drain(queue->watch);
    *wake_at = queue_ripen(queue, now);
    if (!g_queue_is_empty(&queue->entries[ENTRY_PROBE]))
        return true;
    if (should_wait(scanner, now, wake_at))
        return false;
    if (queue->news->len > 0)
        return try_to_hand_over(scanner, now, wake_at);
    end_batch(scanner, false);
    return scanner->wants_round || !g_queue_is_empty(&queue->entries[ENTRY_PROBE]);
}

static void begin_batch(struct scanner *scanner, uint64_t now)
{
    scanner->started = now;
    scanner->n_objects = scanner->queue.n_reads = scanner->queue.n_read = 0;
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
        scanner->queue.closed = now >= scanner->started + BATCH_OPEN;
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
    g_ptr_array_unref(scanner->queue.roots);
    g_ptr_array_unref(scanner->retired);
    queue_clear(&scanner->queue);
}
