/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order: listing, then examining, then reading; and when all is done, inotify is drained once
 * more before the batch is closed and delivered. So simultaneous changes are delivered together,
 * and a single one waits for no timer.
 */
#include "work.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "look.h"
#include "reading.h"
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

void work_init(struct work *work, const struct loader_callbacks *callbacks)
{
    work->callbacks = *callbacks;
    worklist_init(&work->list);
    work->list.account = account_new();
    work->roots = g_ptr_array_new();
    work->retired = g_ptr_array_new();
}

static void free_roots(GPtrArray *roots)
{
    for (unsigned i = 0; i < roots->len; i++)
        root_free(roots->pdata[i]);
    g_ptr_array_set_size(roots, 0);
}

void work_want_round(struct work *work)
{
    work->wants_round = true;
}

void work_retire(struct work *work, struct root *root)
{
    root->retired = true;
    look_away(&work->list, root->place);
    g_ptr_array_add(work->retired, root);
}

static void begin_round(struct work *work)
{
    work->wants_round = false;
    work->list.thorough = true;
    watch_begin_round(work->list.watch);
    for (unsigned i = 0; i < work->roots->len; i++) {
        struct place *place = ((struct root *)work->roots->pdata[i])->place;
        place->rescan = true;
        worklist_mark_now(&work->list, place);
    }
}

/* It kept changing, or some resource was short: try again later. */
static void retry(struct work *work, struct place *place, const char *rule, const char *reason)
{
    struct file *file = place->file;

    file->has_seen = false;
    if (++file->attempts <= ATTEMPTS_MAX) {
        place->forced = true;
        worklist_wait(&work->list, place, (uint64_t)RETRY_DELAY << (file->attempts - 1));
        return;
    }
    file->attempts = 0;
    file_complain(file, rule, "cannot be read: %s", reason);
}

static void fail(struct work *work, struct place *place, int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        worklist_wait_for_means(&work->list, place, error); /* if not sooner */
        retry(work, place, "unreadable", strerrordesc_np(error));
        return;
    default:
        place->file->has_seen = false;
        file_complain(place->file, "unreadable", "cannot be read: %s", strerrordesc_np(error));
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
static bool is_held_back(struct work *work, struct place *place, const struct reading *reading)
{
    const struct fingerprint *fingerprint = reading_fingerprint(reading);
    enum writer writer = reading_writer(reading);
    /* The modification time alone can be set to any value. */
    int64_t idle = age_of(MIN(fingerprint->mtime, fingerprint->ctime));

    work->unsure = writer == WRITER_UNKNOWN;
    bool is_emptied = work->unsure && fingerprint->size == 0 && place->file->n_objects > 0;
    return (writer == WRITER_PRESENT || is_emptied) && !place->amid &&
           place_meet_writer(place, (uint64_t)MAX(idle, 0));
}

static void tell_trouble(const struct work *work, const struct file *file, bool before)
{
    const struct diagnostic *now = file_first_error(file);

    if (work->callbacks.trouble && before != (now != NULL))
        work->callbacks.trouble(work->callbacks.userdata, file->source->path, now);
}

static void warn_of_writer(GPtrArray *diagnostics)
{
    g_ptr_array_insert(
        diagnostics, 0,
        diagnostic_new(
            DIAGNOSTIC_WARNING, 0, 0, "not-closed", NULL,
            "a process keeps writing to it without closing it; reading it once a minute"));
}

static void take_reading(struct work *work, struct place *place, struct reading *reading,
                         int result)
{
    struct file *file = place->file;

    if (result < 0) {
        fail(work, place, -result);
        return;
    }
    if (result == READING_CHANGED) {
        retry(work, place, "unstable", "keeps changing while it is read");
        return;
    }
    file->seen = *reading_fingerprint(reading);
    file->has_seen = !work->doubtful;
    file->attempts = 0;
    GPtrArray *diagnostics = reading_take_diagnostics(reading);
    if (place->amid)
        warn_of_writer(diagnostics);
    if (result == MANIFEST_BAD) {
        file_refuse(file, diagnostics);
        return;
    }
    GPtrArray *objects = reading_take_objects(reading);
    work->n_objects += objects->len;
    file_say(file, objects, diagnostics);
    worklist_news(&work->list, place);
}

/* If writers can only be observed through events: has one overlapped with the reading? Everything
 * before its end is known once the queue is empty. */
static bool was_disturbed(struct work *work, const struct place *place)
{
    if (!work->unsure || place->amid)
        return false;
    watch_drain(work->list.watch);
    return place->forced && place->file->attempts < ATTEMPTS_MAX;
}

/* Reads pending events. False: the file must not be read any more, or not yet. */
static bool goes_on(void *userdata)
{
    const struct work *work = userdata;
    const struct place *place = work->reader;

    between_pieces(&work->callbacks.between);
    watch_drain(work->list.watch);
    return !place_is_written(place) && !place->absent && !place->root->retired;
}

/* False: the daemon died at it at every start. */
static bool may_be_read(struct work *work, struct place *place, struct source *source,
                        const struct reading *reading)
{
    const struct loader_callbacks *callbacks = &work->callbacks;
    const struct fingerprint *content = reading_fingerprint(reading);
    unsigned deaths = 0;

    source->stamp = fingerprint_stamp(content);
    if (callbacks->reading)
        deaths = callbacks->reading(callbacks->userdata, source->path, source->stamp);
    if (deaths == 0 || deaths < callbacks->deaths_max)
        return true;
    place->forced = false;
    place->file->seen = *content;
    place->file->has_seen = true;
    file_complain(
        place->file, "fatal",
        "the daemon died %u times in a row while starting with it; skipping it until it changes",
        deaths);
    return false;
}

static void read_to_end(struct work *work, struct place *place, struct reading *reading,
                        bool forced)
{
    if (!place->amid)
        place->writing_since = 0;
    place->forced = false;
    work->reader = place;
    /* If inotify reports writes, the clock does not matter. */
    work->doubtful = !forced && is_fresh(reading_fingerprint(reading));
    int r = reading_run(reading);
    bool disturbed = was_disturbed(work, place);
    if (r == -ECANCELED || place_is_written(place))
        return; /* it is read when the writer has finished */
    take_reading(work, place, reading, disturbed && r >= 0 ? READING_CHANGED : r);
}

static void read_place(struct work *work, struct place *place)
{
    const struct root *root = place->root;
    struct manifest_options options = {
        .default_namespace = root->namespace,
        .max_size = work->list.max_file_size,
    };
    struct source *source = file_source(place->file, root->rank, root->allocate);
    struct reading *reading = NULL;
    bool forced = place->forced, before = file_first_error(place->file) != NULL;
    g_autofree char *path = place_path(place);

    place->forced = false;
    int r = reading_new(&reading, path, source, &options, goes_on, work);
    if (r == READING_SPECIAL)
        place->again = true; /* it has been replaced by now */
    else if (r < 0)
        fail(work, place, -r);
    else if (!is_held_back(work, place, reading) && may_be_read(work, place, source, reading))
        read_to_end(work, place, reading, forced);
    tell_trouble(work, place->file, before);
    reading_free(reading);
    if (work->callbacks.reading)
        (void)work->callbacks.reading(work->callbacks.userdata, NULL, 0);
}

static void read_if_wanted(struct work *work, struct place *place)
{
    if (!place->root->retired && !place->absent && !place_is_written(place) && place->file)
        read_place(work, place);
    worklist_done(&work->list, place);
}

/* False: only the end of this batch is left. */
static bool work_once(struct work *work)
{
    struct worklist *list = &work->list;
    struct place *place = g_queue_peek_head(&list->scans);

    if (place)
        scan_step(list, place);
    else if ((place = worklist_next_look(list)))
        look_at(list, place);
    else if ((place = worklist_next_read(list)))
        read_if_wanted(work, place);
    else
        return false;
    return true;
}

/* Reports the end of the batch and opens the next one. */
static void end_batch(struct work *work, bool told)
{
    struct worklist *list = &work->list;
    bool first = !work->loaded;

    /* A root retired during this batch has its files in the next. */
    if (list->news->len == 0)
        free_roots(work->retired);
    batch_sweep(list);
    if (list->thorough)
        watch_end_round(list->watch);
    list->thorough = false;
    work->loaded = true;
    work->started = work->hold = 0;
    work->restarts = 0;
    worklist_reopen(list);
    /* What a polling scan saw once gets neither a second look nor an event. */
    if (list->polling && !watch_is_exhausted(list->watch))
        work->wants_round = true;
    list->polling = watch_is_exhausted(list->watch);
    if (!told && !first)
        return;
    work->told = worklist_now();
    work->settled = true;
    work->settled_first = first;
}

/* A single change waits for nothing; one of many is delivered with the others. */
static bool is_burst(const struct work *work)
{
    unsigned n = work->list.news->len;

    return n >= BURST_FILES || (n > 0 && work->started < work->told + BURST_GAP);
}

/* Should the batch wait for more? Then *wake_at says how long. */
static bool should_wait(struct work *work, uint64_t now, uint64_t *wake_at)
{
    if (!work->loaded && *wake_at > 0 && *wake_at < work->started + FIRST_PATIENCE)
        return true;
    if (!is_burst(work) || now >= work->started + BATCH_OPEN || now >= work->heard + BURST_QUIET)
        return false;
    if (*wake_at == 0 || *wake_at > work->heard + BURST_QUIET)
        *wake_at = work->heard + BURST_QUIET;
    return true;
}

static void hand_over(struct work *work, GPtrArray *statements)
{
    bool told = statements->len > 0;

    batch_hand_over(statements, &work->callbacks);
    end_batch(work, told);
}

/* True: there is more to do at once. */
static bool try_to_hand_over(struct work *work, uint64_t now, uint64_t *wake_at)
{
    bool patient = work->restarts < RESTARTS_MAX && (work->hold == 0 || now < work->hold);

    GPtrArray *statements;
    int r = batch_take(&statements, &work->list, patient);
    if (r == BATCH_READY)
        hand_over(work, statements);
    if (r == BATCH_AGAIN)
        work->restarts++;
    if (r != BATCH_HOLD)
        return true;
    if (work->hold == 0)
        work->hold = now + VOLUME_PATIENCE;
    if (*wake_at == 0 || *wake_at > work->hold)
        *wake_at = work->hold;
    /* What is waited for belongs to this batch. */
    worklist_reopen(&work->list);
    work->started = now;
    return !g_queue_is_empty(&work->list.look);
}

static bool finish(struct work *work, uint64_t *wake_at)
{
    struct worklist *list = &work->list;
    uint64_t now = worklist_now();

    watch_drain(list->watch);
    *wake_at = worklist_ripen(list, now);
    if (!g_queue_is_empty(&list->look))
        return true;
    if (should_wait(work, now, wake_at))
        return false;
    if (list->news->len > 0)
        return try_to_hand_over(work, now, wake_at);
    end_batch(work, false);
    return work->wants_round || !g_queue_is_empty(&list->look);
}

static void begin_batch(struct work *work, uint64_t now)
{
    work->started = now;
    work->n_objects = work->list.n_reads = work->list.n_read = 0;
    if (work->wants_round)
        begin_round(work);
}

bool work_run(struct work *work, uint64_t *wake_at)
{
    bool more;

    do {
        uint64_t now = worklist_now();

        *wake_at = 0;
        if (work->started == 0)
            begin_batch(work, now);
        work->list.closed = now >= work->started + BATCH_OPEN;
        more = work_once(work) || finish(work, wake_at);
        between_pieces(&work->callbacks.between);
    } while (more && !work->settled);
    if (work->settled) {
        work->settled = false;
        work->callbacks.settled(work->callbacks.userdata, work->settled_first);
    }
    return more;
}

void work_clear(struct work *work)
{
    free_roots(work->roots);
    free_roots(work->retired);
    g_ptr_array_unref(work->roots);
    g_ptr_array_unref(work->retired);
    worklist_clear(&work->list);
    account_unref(work->list.account);
}
