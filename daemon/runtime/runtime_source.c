/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads a file whenever it has changed and delivers its content. All runtimes work alike except
 * kubelet, whose two directories have to be combined (kubelet.c).
 */
#include "runtime_source.h"

#include <errno.h>
#include <string.h>

#include "daemon/config/config_file.h"
#include "daemon/config/config_sources.h"
#include "lib/util/compare.h"
#include "lib/util/log.h"
#include "runtime.h"

#define K3S_MANIFESTS "/var/lib/rancher/k3s/server/manifests"
#define KUBELET_LOGS "/var/log/pods"

struct runtime_source {
    struct runtime_source_callbacks callbacks;
    enum config_runtime kind;
    const char *name;
    struct folder *folder;   /* of all but kubelet; has a struct runtime_file for each entry */
    struct kubelet *kubelet; /* of kubelet alone */
    GHashTable *units;       /* quadlet: name of a unit -> GPtrArray of paths */
    char *directory, *logs;  /* the latter of kubelet alone */
    char **networks;
    char *deployed; /* k3s: its directory of manifests */
    int error;      /* as last logged */
    bool rootless;
};

static void on_wake(void *userdata)
{
    const struct runtime_source *source = userdata;

    source->callbacks.wake(source->callbacks.userdata);
}

static void on_seen(void *userdata, const void *file, GPtrArray *sightings)
{
    const struct runtime_source *source = userdata;

    for (guint i = 0; sightings && i < sightings->len; i++)
        ((struct sighting *)sightings->pdata[i])->source = source;
    source->callbacks.seen(source->callbacks.userdata, file, sightings);
}

struct runtime_reading {
    struct runtime_source *source;
    const char *name; /* of the file */
};

static int parse(void *userdata, const struct runtime_text *text, GPtrArray *sightings,
                 char **problemp)
{
    const struct runtime_reading *reading = userdata;
    struct runtime_source *source = reading->source;
    GPtrArray *paths;

    switch (source->kind) {
    case CONFIG_PODMAN: return aardvark_parse(reading->name, text, sightings, problemp);
    case CONFIG_QUADLET:
        paths = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_insert(source->units, g_strdup(reading->name), paths);
        source->callbacks.units(source->callbacks.userdata);
        return quadlet_parse(folder_path(source->folder), text, paths, problemp);
    default: return libcni_parse(text, source->networks, sightings, problemp);
    }
}

static bool is_wanted(const struct runtime_source *source, const char *name)
{
    if (source->kind == CONFIG_QUADLET)
        return *name != '.' && g_str_has_suffix(name, ".kube");
    if (source->kind != CONFIG_PODMAN)
        return *name != '.';
    g_autofree char *network = aardvark_network(name);
    return network &&
           (!source->networks || g_strv_contains((const char *const *)source->networks, network));
}

static bool on_entry(void *userdata, const char *name, enum folder_reason reason, void **datap)
{
    struct runtime_source *source = userdata;
    struct runtime_reading reading = {source, name};

    if (!is_wanted(source, name))
        return false;
    if (!*datap)
        *datap = runtime_file_new(source->folder, name, false);
    if (runtime_file_look(*datap, reason, parse, &reading, on_seen, source))
        return true;
    if (source->units && g_hash_table_remove(source->units, name))
        source->callbacks.units(source->callbacks.userdata);
    return false;
}

static void each_file(const struct runtime_source *source, void (*each)(void *userdata, void *file),
                      void *userdata)
{
    if (source->kubelet)
        kubelet_files(source->kubelet, each, userdata);
    else
        folder_each(source->folder, each, userdata);
}

void runtime_source_free(gpointer userdata)
{
    struct runtime_source *source = userdata;

    folder_free(source->folder);
    kubelet_free(source->kubelet);
    if (source->units)
        g_hash_table_unref(source->units);
    g_strfreev(source->networks);
    g_free(source->directory);
    g_free(source->logs);
    g_free(source->deployed);
    g_free(source);
}

static void withdraw_file(void *userdata, void *file)
{
    runtime_file_withdraw(file, on_seen, userdata);
}

void runtime_source_withdraw(struct runtime_source *source)
{
    each_file(source, withdraw_file, source);
}

/* NULL: it has none. */
static const char *logs_of(const struct config_source *config)
{
    if (config->runtime != CONFIG_KUBELET)
        return NULL;
    return config->logs ? config->logs : KUBELET_LOGS;
}

static const char *manifests_of(const struct config_source *config)
{
    if (config->runtime != CONFIG_K3S)
        return NULL;
    return config->manifests ? config->manifests : K3S_MANIFESTS;
}

struct runtime_source *runtime_source_new(struct watch *watch, const struct config_source *config,
                                          const struct runtime_source_callbacks *callbacks)
{
    struct runtime_source *source = g_new0(struct runtime_source, 1);

    source->directory = runtime_directory(config);
    source->logs = g_strdup(logs_of(config));
    source->deployed = g_strdup(manifests_of(config));
    source->callbacks = *callbacks;
    source->kind = config->runtime;
    source->name = config_runtime_name(config->runtime);
    source->networks = g_strdupv(config->networks);
    source->rootless = runtime_is_rootless(config);
    if (config->runtime == CONFIG_KUBELET)
        source->kubelet = kubelet_new(watch, source->directory, source->logs,
                                      &(struct kubelet_callbacks){on_wake, on_seen, source});
    else
        source->folder =
            folder_new(watch, source->directory, false,
                       &(struct folder_callbacks){on_wake, on_entry, runtime_file_free, source});
    if (config->runtime == CONFIG_QUADLET)
        source->units = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                              (GDestroyNotify)g_ptr_array_unref);
    return source;
}

static bool are_equal(char *const *a, char *const *b)
{
    return a && b ? g_strv_equal((const char *const *)a, (const char *const *)b) : a == b;
}

bool runtime_source_fits(const struct runtime_source *source, const struct config_source *config)
{
    g_autofree char *directory = runtime_directory(config);

    return source->kind == config->runtime && strcmp(source->directory, directory) == 0 &&
           g_strcmp0(source->logs, logs_of(config)) == 0 &&
           g_strcmp0(source->deployed, manifests_of(config)) == 0 &&
           are_equal(source->networks, config->networks) &&
           source->rootless == runtime_is_rootless(config);
}

static const struct folder *folder_of(const struct runtime_source *source)
{
    return source->kubelet ? kubelet_folder(source->kubelet) : source->folder;
}

const char *runtime_source_path(const struct runtime_source *source)
{
    return folder_path(folder_of(source));
}

static bool is_missing(int error)
{
    return error == ENOENT || error == ENOTDIR;
}

static const char *error_text(int error)
{
    if (error == ESTALE)
        return "it was removed; a new one is visible only after a restart of kubesvcd";
    if (error == E2BIG)
        return "more than " G_STRINGIFY(FOLDER_ENTRIES_MAX) " entries; ignoring the others";
    return strerrordesc_np(error);
}

static void say_error(struct runtime_source *source)
{
    int error = folder_error(folder_of(source));

    if (error == source->error)
        return;
    if (is_missing(error))
        log_info("%s: does not exist yet; waiting for it", runtime_source_path(source));
    else if (error == E2BIG)
        log_error("%s: %s", runtime_source_path(source), error_text(error));
    else if (error != 0)
        log_error("%s: cannot be read: %s; changes of pods of %s go unnoticed",
                  runtime_source_path(source), error_text(error), source->name);
    else if (!is_missing(source->error))
        log_notice("%s: fixed", runtime_source_path(source));
    source->error = error;
}

static void run_folder(struct folder *folder)
{
    folder_run(folder);
    folder_leave(folder);
}

void runtime_source_run(struct runtime_source *source)
{
    if (source->kubelet)
        kubelet_run(source->kubelet);
    else
        run_folder(source->folder);
    say_error(source);
}

static void add_named(GPtrArray *named, const char *path, bool is_k3s)
{
    for (guint i = 0; i < named->len; i++)
        if (strcmp(((const struct config_directory *)named->pdata[i])->path, path) == 0)
            return;
    struct config_directory *directory = config_directory_new(g_strdup(path));
    directory->recursive = directory->skips = is_k3s;
    g_ptr_array_add(named, directory);
}

static void add_units(GPtrArray *named, const struct runtime_source *source)
{
    g_autoptr(GPtrArray) units = g_ptr_array_new();
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init(&iter, source->units);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        g_ptr_array_add(units, name);
    g_ptr_array_sort(units, compare_texts);
    for (guint i = 0; i < units->len; i++) {
        const GPtrArray *paths = g_hash_table_lookup(source->units, units->pdata[i]);
        for (guint j = 0; j < paths->len; j++)
            add_named(named, paths->pdata[j], false);
    }
}

void runtime_source_manifests(const struct runtime_source *source, GPtrArray *named)
{
    if (source->units)
        add_units(named, source);
    if (source->deployed)
        add_named(named, source->deployed, true);
}

void runtime_source_rescan(struct runtime_source *source)
{
    if (source->kubelet)
        kubelet_rescan(source->kubelet);
    else
        folder_rescan(source->folder);
}

struct telling {
    void (*each)(void *userdata, const struct runtime_status *status);
    void *userdata;
    const struct runtime_source *source;
    unsigned n;
    bool problems; /* tell of these, else count */
};

static void tell_file(void *userdata, void *data)
{
    struct telling *telling = userdata;
    const struct runtime_file *file = data;

    telling->n += file->known;
    if (!telling->problems || !file->problem)
        return;
    g_autofree char *path = folder_file(file->folder, file->name);
    telling->each(telling->userdata, &(struct runtime_status){.name = telling->source->name,
                                                              .directory = path,
                                                              .problem = file->problem});
}

static const char *watch_word(int error, bool polled)
{
    if (error == ESTALE)
        return "removed";
    if (error != 0 && error != E2BIG)
        return is_missing(error) ? "missing" : "unreadable";
    return polled ? "polling" : "inotify";
}

static const char *problem_of(const struct runtime_source *source, int error)
{
    if (error != 0)
        return is_missing(error) ? NULL : error_text(error);
    return source->rootless ? "rootless pods cannot be reached from the host" : NULL;
}

void runtime_source_status(const struct runtime_source *source, bool polled,
                           void (*each)(void *userdata, const struct runtime_status *status),
                           void *userdata)
{
    struct telling telling = {.each = each, .userdata = userdata, .source = source};
    int error = folder_error(folder_of(source));

    each_file(source, tell_file, &telling);
    each(userdata, &(struct runtime_status){
                       .source = source,
                       .name = source->name,
                       .directory = runtime_source_path(source),
                       .watch = watch_word(error, polled),
                       .problem = problem_of(source, error),
                       .failed = error != 0 && !is_missing(error),
                       .n_files = telling.n,
                   });
    telling.problems = true;
    each_file(source, tell_file, &telling);
}
