/*
 * The loader as the rest of the daemon sees it: the configured paths, and what wakes the work. What
 * is done then is in work.c.
 */
#include "loader.h"

#include <string.h>

#include "lib/manifest/manifest_name.h"
#include "lib/util/log.h"
#include "mounts.h"
#include "pace.h"
#include "work.h"

#define ROUND_INTERVAL (60 * UINT64_C(1000000)) /* for file systems that tell nothing */
#define POLL_INTERVAL UINT64_C(1000000)

struct loader {
    struct work work;
    struct watch *watch;
    struct mounts *mounts;
    struct pace *pace;
    sd_event_source *round;
    uint64_t round_at;
};

static void forget_writers(void *userdata, struct place *place)
{
    (void)userdata;
    place_forget_writers(place);
}

static void on_overflow(void *userdata)
{
    struct loader *loader = userdata;
    const GPtrArray *roots = loader->work.roots;

    log_notice("inotify lost events; looking at all manifests again.");
    for (unsigned i = 0; i < roots->len; i++) {
        const struct root *root = roots->pdata[i];
        place_for_each(root->place, NULL, forget_writers, NULL);
    }
    work_want_round(&loader->work);
}

static void on_drained(void *userdata)
{
    struct loader *loader = userdata;

    loader->work.heard = worklist_now();
    pace_wake(loader->pace);
}

/* What leads over a path may lead elsewhere now; files in a directory do so only with it, or where
 * they are mount points, or (then they are watched) were. */
static void look_after_mount(void *userdata, struct place *place)
{
    GHashTable *points = userdata;
    struct worklist *list = place->root->list;

    if (place->directory || place->trail || place->inode)
        worklist_mark(list, place);
    if (!place->directory)
        return;
    const GPtrArray *names = g_hash_table_lookup(points, place->directory->resolved);
    for (unsigned i = 0; names && i < names->len; i++) {
        struct place *child = g_hash_table_lookup(place->directory->children, names->pdata[i]);
        if (child)
            worklist_mark(list, child);
    }
}

static void on_mount(void *userdata)
{
    struct loader *loader = userdata;
    const GPtrArray *roots = loader->work.roots;
    g_autoptr(GHashTable) points = mounts_points(loader->mounts);

    for (unsigned i = 0; i < roots->len; i++) {
        const struct root *root = roots->pdata[i];
        place_for_each(root->place, NULL, look_after_mount, points);
    }
    pace_wake(loader->pace);
}

/* The next look at everything: soon, when nobody tells of changes. */
static void plan_round(struct loader *loader)
{
    uint64_t interval = watch_is_exhausted(loader->watch) ? POLL_INTERVAL : ROUND_INTERVAL;
    uint64_t at = worklist_now() + interval;

    if (loader->round_at != 0 && loader->round_at <= at)
        return;
    loader->round_at = at;
    (void)sd_event_source_set_time(loader->round, at);
    (void)sd_event_source_set_enabled(loader->round, SD_EVENT_ONESHOT);
}

static int on_round(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct loader *loader = userdata;

    (void)source;
    (void)usec;
    loader->round_at = 0;
    work_want_round(&loader->work);
    pace_wake(loader->pace);
    return 0;
}

static bool on_pace(void *userdata, uint64_t until, uint64_t *wake_at)
{
    struct loader *loader = userdata;

    bool more = work_step(&loader->work, until, wake_at);
    if (!more)
        plan_round(loader);
    return more;
}

/* The root of this path that the configuration has not named yet, taken out of `roots`. */
static struct root *take_root(GPtrArray *roots, const char *path)
{
    for (unsigned i = 0; i < roots->len; i++) {
        struct root *root = roots->pdata[i];
        if (strcmp(root->path, path) == 0) {
            g_ptr_array_remove_index(roots, i);
            return root;
        }
    }
    return NULL;
}

static void force(void *userdata, struct place *place)
{
    (void)userdata;
    place->forced = true;
}

/* Files that the new limit judges otherwise are read again. */
static void apply_limit(void *userdata, struct place *place)
{
    const uint64_t *limits = userdata;

    if (!place->file || !place->file->has_seen)
        return;
    uint64_t size = (uint64_t)place->file->seen.size;
    if ((size > limits[0]) != (size > limits[1]))
        place->file->has_seen = false;
}

static void configure_root(struct work *work, struct root *root, const struct config *config,
                           const struct config_directory *directory, unsigned rank)
{
    const char *namespace = directory->namespace ? directory->namespace : config->namespace;
    bool allocate = config->allocate && directory->allocate;

    root->recursive = directory->recursive;
    if (root->rank == rank && root->allocate == allocate &&
        g_strcmp0(root->namespace, namespace) == 0)
        return;
    /* Only then: else a large file would never be read while reloads come and come. */
    work_interrupt(work, root);
    place_for_each(root->place, NULL, force, NULL);
    root->rank = rank;
    root->allocate = allocate;
    g_free(root->namespace);
    root->namespace = g_strdup(namespace);
}

static void configure(struct loader *loader, const struct config *config)
{
    struct work *work = &loader->work;
    uint64_t limits[] = {work->list.max_file_size, config->max_file_size};
    GPtrArray *before = work->roots;

    if (limits[0] != limits[1])
        work_interrupt(work, NULL);
    work->list.max_file_size = config->max_file_size;
    work->roots = g_ptr_array_new();
    for (unsigned i = 0; i < config->manifests->len; i++) {
        const struct config_directory *directory = config->manifests->pdata[i];
        struct root *root = take_root(before, directory->path);
        if (!root)
            root = root_new(&work->list, directory->path);
        configure_root(work, root, config, directory, i);
        place_for_each(root->place, NULL, apply_limit, limits);
        g_ptr_array_add(work->roots, root);
    }
    work->list.roots = work->roots;
    for (unsigned i = 0; i < before->len; i++)
        work_retire(work, before->pdata[i]);
    g_ptr_array_unref(before);
    work_want_round(work);
    pace_wake(loader->pace);
}

static int open_sources(struct loader *loader, sd_event *event)
{
    const struct watch_handlers handlers = {on_overflow, on_drained, loader};

    int r = pace_new(&loader->pace, event, on_pace, loader);
    if (r < 0)
        return r;
    r = watch_new(&loader->watch, event, &handlers);
    if (r < 0)
        return r;
    loader->work.list.watch = loader->watch;
    r = mounts_new(&loader->mounts, event, on_mount, loader);
    if (r < 0)
        log_warning("Cannot watch mounts: %s; a mount over manifests is seen within a minute.",
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

    int r = work_init(&loader->work, callbacks);
    if (r >= 0)
        r = open_sources(loader, event);
    if (r < 0) {
        loader_free(loader);
        return r;
    }
    configure(loader, config);
    *loaderp = loader;
    return 0;
}

struct loader *loader_free(struct loader *loader)
{
    if (!loader)
        return NULL;
    work_clear(&loader->work);
    sd_event_source_disable_unref(loader->round);
    mounts_free(loader->mounts);
    watch_free(loader->watch);
    pace_free(loader->pace);
    g_free(loader);
    return NULL;
}

int loader_reload(struct loader *loader, const struct config *config)
{
    configure(loader, config);
    return 0;
}

static void read_refused(void *userdata, struct place *place)
{
    bool *any = userdata;

    if (!place->file || place->absent || !source_has_room(place->file->source))
        return;
    place->forced = true;
    worklist_mark(place->root->list, place);
    *any = true;
}

void loader_relieve(struct loader *loader)
{
    const GPtrArray *roots = loader->work.roots;
    bool any = false;

    if (loader->work.list.account->n_refusing == 0)
        return;
    for (unsigned i = 0; i < roots->len; i++) {
        const struct root *root = roots->pdata[i];
        place_for_each(root->place, NULL, read_refused, &any);
    }
    if (any)
        pace_wake(loader->pace);
}

struct status_entry {
    unsigned rank;
    char *path;
    struct loader_file_status status;
};

static void free_entry(void *data)
{
    struct status_entry *entry = data;

    g_free(entry->path);
    g_free(entry);
}

static void collect(void *userdata, struct place *place)
{
    const struct file *file = place->file;

    if (place->absent || (!file && !place->diagnostics))
        return;
    struct status_entry *entry = g_new0(struct status_entry, 1);
    entry->rank = place->root->rank;
    entry->path = place_name(place);
    entry->status.path = entry->path;
    entry->status.diagnostics = place->diagnostics;
    if (file && !place->diagnostics) {
        entry->status.n_objects = file->n_objects;
        entry->status.diagnostics = file->diagnostics;
        entry->status.stale = file->stale;
        entry->status.stale_since = file->stale_since;
    }
    g_ptr_array_add(userdata, entry);
}

static gint by_rank_and_path(gconstpointer a, gconstpointer b)
{
    const struct status_entry *const *left = a, *const *right = b;

    if ((*left)->rank != (*right)->rank)
        return (*left)->rank < (*right)->rank ? -1 : 1;
    return strcmp((*left)->path, (*right)->path);
}

void loader_status(const struct loader *loader,
                   void (*each)(void *userdata, const struct loader_file_status *status),
                   void *userdata)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(free_entry);

    for (unsigned i = 0; i < loader->work.roots->len; i++) {
        const struct root *root = loader->work.roots->pdata[i];
        place_for_each(root->place, NULL, collect, entries);
    }
    g_ptr_array_sort(entries, by_rank_and_path);
    for (unsigned i = 0; i < entries->len; i++) {
        const struct status_entry *entry = entries->pdata[i];
        each(userdata, &entry->status);
    }
}

static void count_file(void *userdata, struct place *place)
{
    struct loader_directory_status *status = userdata;

    if (place->absent || !place->file)
        return;
    status->n_files++;
    status->n_objects += place->file->n_objects;
}

void loader_directories(const struct loader *loader,
                        void (*each)(void *userdata, const struct loader_directory_status *status),
                        void *userdata)
{
    for (unsigned i = 0; i < loader->work.roots->len; i++) {
        const struct root *root = loader->work.roots->pdata[i];
        struct loader_directory_status status = {
            .path = root->path,
            .missing = root->place->absent,
            .polled = watch_is_exhausted(loader->watch),
        };

        place_for_each(root->place, NULL, count_file, &status);
        each(userdata, &status);
    }
}

struct ignored {
    size_t n;
    void (*each)(void *userdata, const char *directory, const char *name, enum loader_why why);
    void *userdata;
};

static enum loader_why why_ignored(const char *name, bool is_directory)
{
    switch (manifest_name_kind(name)) {
    case MANIFEST_NAME_HIDDEN: return LOADER_HIDDEN;
    case MANIFEST_NAME_LEFTOVER: return LOADER_LEFTOVER;
    case MANIFEST_NAME_READ:
    case MANIFEST_NAME_OTHER: break;
    }
    return is_directory ? LOADER_NOT_RECURSIVE : LOADER_OTHER_ENDING;
}

static void count_ignored(void *userdata, struct place *place)
{
    struct ignored *ignored = userdata;
    GHashTableIter iter;
    void *name, *is_directory;

    if (!place->directory || !place->directory->entered)
        return;
    ignored->n += g_hash_table_size(place->directory->ignored);
    if (!ignored->each)
        return;
    g_hash_table_iter_init(&iter, place->directory->ignored);
    while (g_hash_table_iter_next(&iter, &name, &is_directory))
        ignored->each(ignored->userdata, place->directory->path, name,
                      why_ignored(name, GPOINTER_TO_INT(is_directory)));
}

size_t loader_ignored(const struct loader *loader,
                      void (*each)(void *userdata, const char *directory, const char *name,
                                   enum loader_why why),
                      void *userdata)
{
    struct ignored ignored = {0, each, userdata};

    for (unsigned i = 0; i < loader->work.roots->len; i++) {
        const struct root *root = loader->work.roots->pdata[i];
        place_for_each(root->place, NULL, count_ignored, &ignored);
    }
    return ignored.n;
}
