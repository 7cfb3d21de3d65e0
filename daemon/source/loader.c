/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loader as the rest of the daemon sees it: the configured paths, and the events that trigger
 * the work in scanner.c.
 */
#include "loader.h"

#include <string.h>

#include "daemon/config/config_file.h"
#include "lib/util/log.h"
#include "lib/util/timer.h"
#include "mounts.h"
#include "scanner.h"

#define ROUND_INTERVAL (60 * UINT64_C(1000000)) /* for file systems that report no changes */
#define POLL_INTERVAL UINT64_C(1000000)

struct loader {
    struct scanner scanner;
    struct mounts *mounts;
    sd_event_source *working, *waking; /* runs now, or at its next deadline */
    sd_event_source *round;
    uint64_t round_at;
    GPtrArray *named; /* struct config_directory *: in addition to the configuration's */
};

/* There is work to do. The calls fail only for a source of another kind or process. */
static void wake(struct loader *loader)
{
    (void)sd_event_source_set_enabled(loader->working, SD_EVENT_ONESHOT);
}

static void forget_writers(void *userdata, struct entry *entry)
{
    (void)userdata;
    entry_forget_writers(entry);
}

static void on_overflow(void *userdata)
{
    struct loader *loader = userdata;

    log_notice("inotify lost events; rescanning all manifests");
    queue_for_each(&loader->scanner.queue, forget_writers, NULL);
    loader->scanner.wants_round = true;
}

static void on_drained(void *userdata)
{
    struct loader *loader = userdata;

    loader->scanner.heard = queue_now();
    wake(loader);
}

/* What leads over a path may lead elsewhere now; files in a directory do so only with it, or where
 * they are mount points, or (then they are watched) were. */
static void probe_mount_point(void *userdata, struct entry *entry)
{
    GHashTable *points = userdata;
    struct queue *queue = entry->root->queue;

    if (entry->directory || entry->path_watch || entry->inode)
        queue_mark(queue, entry);
    if (!entry->directory)
        return;
    const GPtrArray *names = g_hash_table_lookup(points, entry->directory->resolved);
    for (unsigned i = 0; names && i < names->len; i++) {
        struct entry *child = g_hash_table_lookup(entry->directory->children, names->pdata[i]);
        if (child)
            queue_mark(queue, child);
    }
}

static void on_mount(void *userdata)
{
    struct loader *loader = userdata;
    g_autoptr(GHashTable) points = mounts_points(loader->mounts);

    queue_for_each(&loader->scanner.queue, probe_mount_point, points);
    wake(loader);
}

/* The next full rescan: soon, if changes are not reported. */
static void plan_round(struct loader *loader)
{
    uint64_t interval =
        watch_is_exhausted(loader->scanner.queue.watch) ? POLL_INTERVAL : ROUND_INTERVAL;
    uint64_t at = queue_now() + interval;

    if (loader->round_at != 0 && loader->round_at <= at)
        return;
    loader->round_at = at;
    (void)sd_event_source_set_time(loader->round, at);
    (void)sd_event_source_set_enabled(loader->round, SD_EVENT_ONESHOT);
}

static int on_round(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct loader *loader = userdata;

    (void)source, (void)usec;
    loader->round_at = 0;
    loader->scanner.wants_round = true;
    wake(loader);
    return 0;
}

static void run(struct loader *loader)
{
    uint64_t wake_at = 0;

    if (scanner_run(&loader->scanner, &wake_at)) {
        wake(loader);
        return;
    }
    plan_round(loader);
    (void)sd_event_source_set_time(loader->waking, wake_at);
    (void)sd_event_source_set_enabled(loader->waking,
                                      wake_at > 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static int on_work(sd_event_source *source, void *userdata)
{
    (void)source;
    run(userdata);
    return 0;
}

static int on_wake(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source, (void)usec;
    run(userdata);
    return 0;
}

/* The index of the first root with this path, or how many there are. */
static guint find_root(const GPtrArray *roots, const char *path)
{
    guint i = 0;

    while (i < roots->len && strcmp(((const struct root *)roots->pdata[i])->path, path) != 0)
        i++;
    return i;
}

/* Whatever the next reading finds: the file may be broken by now. */
static void move(void *userdata, struct entry *entry)
{
    entry->forced = true;
    if (entry->file)
        file_move(entry->file, &entry->root->origin, userdata);
}

/* Files affected by the new limit are read again. */
static void apply_limit(void *userdata, struct entry *entry)
{
    const uint64_t *limits = userdata;

    if (!entry->file || !entry->file->has_seen)
        return;
    uint64_t size = (uint64_t)entry->file->seen.size;
    if ((size > limits[0]) != (size > limits[1]))
        entry->file->has_seen = false;
}

static void configure_root(struct loader *loader, struct root *root, const struct config *config,
                           const struct config_directory *directory, unsigned rank)
{
    const char *ns = directory->ns ? directory->ns : config->ns;
    bool allocate = directory->allocate_given ? directory->allocate : config->allocate;

    root->recursive = directory->recursive;
    root->skips = directory->skips;
    if (root->origin.rank == rank && root->origin.allocate == allocate &&
        g_strcmp0(root->origin.zone, directory->zone) == 0 && g_strcmp0(root->ns, ns) == 0)
        return;
    g_free(root->origin.zone);
    root->origin = (struct origin){rank, allocate, g_strdup(directory->zone)};
    g_free(root->ns);
    root->ns = g_strdup(ns);
    entry_for_each(root->entry, move, &loader->scanner.callbacks);
}

/* Adds a root for the directory: the one there was before, or a new one. */
static void add_root(struct loader *loader, GPtrArray *before, const struct config *config,
                     const struct config_directory *directory, unsigned rank)
{
    struct queue *queue = &loader->scanner.queue;
    guint i = find_root(before, directory->path);
    struct root *root =
        i < before->len ? g_ptr_array_steal_index(before, i) : root_new(queue, directory->path);

    configure_root(loader, root, config, directory, rank);
    g_ptr_array_add(queue->roots, root);
}

void loader_reload(struct loader *loader, const struct config *config)
{
    struct queue *queue = &loader->scanner.queue;
    uint64_t limits[] = {queue->max_file_size, config->max_file_size};
    g_autoptr(GPtrArray) before = queue->roots;

    queue->max_file_size = config->max_file_size;
    queue->roots = g_ptr_array_new_with_free_func(root_free);
    for (guint i = 0; i < config->manifests->len; i++)
        add_root(loader, before, config, config->manifests->pdata[i], i);
    for (guint i = 0; i < loader->named->len; i++) {
        const struct config_directory *directory = loader->named->pdata[i];
        if (find_root(queue->roots, directory->path) == queue->roots->len)
            add_root(loader, before, config, directory, config->manifests->len + i);
    }
    queue_for_each(queue, apply_limit, limits);
    while (before->len > 0)
        scanner_retire(&loader->scanner, g_ptr_array_steal_index(before, 0));
    loader->scanner.wants_round = loader->scanner.rereading = true;
    wake(loader);
}

bool loader_is_rereading(const struct loader *loader)
{
    return loader->scanner.rereading;
}

static int open_sources(struct loader *loader, sd_event *event)
{
    int r = sd_event_add_defer(event, &loader->working, on_work, loader);
    if (r >= 0)
        r = timer_new(&loader->waking, event, 1, on_wake, loader);
    if (r < 0)
        return r;
    loader->scanner.queue.watch =
        watch_new(event, &(struct watch_handlers){"manifests", WATCH_POLLING, on_overflow,
                                                  on_drained, loader});
    r = mounts_new(&loader->mounts, event, on_mount, loader);
    if (r < 0)
        log_warning("cannot watch mounts: %s; a mount over manifests is noticed within a minute",
                    strerrordesc_np(-r));
    r = sd_event_add_time(event, &loader->round, CLOCK_MONOTONIC, 0, 0, on_round, loader);
    if (r < 0)
        return r;
    return sd_event_source_set_enabled(loader->round, SD_EVENT_OFF);
}

int loader_new(struct loader **loaderp, sd_event *event, const struct config *config,
               const struct loader_callbacks *callbacks)
{
    struct loader *loader = g_new0(struct loader, 1);

    loader->named = g_ptr_array_new_with_free_func(config_directory_free);
    scanner_init(&loader->scanner, callbacks);
    int r = open_sources(loader, event);
    if (r < 0) {
        loader_free(loader);
        return r;
    }
    loader_reload(loader, config);
    *loaderp = loader;
    return 0;
}

struct loader *loader_free(struct loader *loader)
{
    if (!loader)
        return NULL;
    scanner_clear(&loader->scanner);
    sd_event_source_disable_unref(loader->working);
    sd_event_source_disable_unref(loader->waking);
    sd_event_source_disable_unref(loader->round);
    mounts_free(loader->mounts);
    watch_free(loader->scanner.queue.watch);
    g_ptr_array_unref(loader->named);
    g_free(loader);
    return NULL;
}

void loader_name(struct loader *loader, const struct config *config, const GPtrArray *directories)
{
    g_ptr_array_set_size(loader->named, 0);
    for (guint i = 0; i < directories->len; i++)
        g_ptr_array_add(loader->named, config_directory_copy(directories->pdata[i]));
    loader_reload(loader, config);
}

void loader_listen(struct loader *loader)
{
    watch_drain(loader->scanner.queue.watch);
}

static void read_refused(void *userdata, struct entry *entry)
{
    bool *any = userdata;

    if (!entry->file || entry->absent || !source_has_room(entry->file->source))
        return;
    entry->forced = true;
    queue_mark(entry->root->queue, entry);
    *any = true;
}

void loader_relieve(struct loader *loader)
{
    const struct queue *queue = &loader->scanner.queue;
    bool any = false;

    if (queue->account->n_refusing > 0)
        queue_for_each(queue, read_refused, &any);
    if (any)
        wake(loader);
}

const struct scanner *loader_scanner(const struct loader *loader)
{
    return &loader->scanner;
}
