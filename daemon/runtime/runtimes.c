/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The configured runtimes, one inotify instance for all, and a periodic scan for changes it does
 * not report. Files are few and small, so all changed ones are read in one go.
 */
#include "runtimes.h"

#include <string.h>
#include <unistd.h>

#include "daemon/config/config_file.h"
#include "daemon/config/config_sources.h"
#include "lib/util/log.h"
#include "lib/util/timer.h"
#include "runtime.h"
#include "runtime_source.h"

#define ROUND_INTERVAL (60 * G_USEC_PER_SEC)
#define POLL_INTERVAL G_USEC_PER_SEC

struct runtimes {
    struct runtimes_callbacks callbacks;
    sd_event *event;
    struct watch *watch; /* NULL: there is nothing to watch */
    sd_event_source *working, *round;
    GPtrArray *all;     /* struct runtime_source * */
    GPtrArray *named;   /* struct config_directory *: as last delivered */
    bool told;          /* something has been delivered since settled */
    bool are_named_due; /* manifests may have changed */
    bool warned;        /* of rootless podman */
};

static void wake(void *userdata)
{
    const struct runtimes *runtimes = userdata;

    (void)sd_event_source_set_enabled(runtimes->working, SD_EVENT_ONESHOT);
}

static void on_seen(void *userdata, const void *file, GPtrArray *sightings)
{
    struct runtimes *runtimes = userdata;

    runtimes->told = true;
    runtimes->callbacks.seen(runtimes->callbacks.userdata, file, sightings);
}

static void on_units(void *userdata)
{
    struct runtimes *runtimes = userdata;

    runtimes->are_named_due = true;
}

/* --- Manifests that runtimes name --- */

static bool are_same(const GPtrArray *a, const GPtrArray *b)
{
    for (guint i = 0; a->len == b->len && i < a->len; i++)
        if (strcmp(((const struct config_directory *)a->pdata[i])->path,
                   ((const struct config_directory *)b->pdata[i])->path) != 0)
            return false;
    return a->len == b->len;
}

static void name_manifests(struct runtimes *runtimes)
{
    GPtrArray *named = g_ptr_array_new_with_free_func(config_directory_free);

    runtimes->are_named_due = false;
    for (guint i = 0; i < runtimes->all->len; i++)
        runtime_source_manifests(runtimes->all->pdata[i], named);
    if (are_same(named, runtimes->named)) {
        g_ptr_array_unref(named);
        return;
    }
    g_ptr_array_unref(runtimes->named);
    runtimes->named = named;
    runtimes->callbacks.manifests(runtimes->callbacks.userdata, named);
}

/* --- All of them --- */

static void plan_round(struct runtimes *runtimes)
{
    if (runtimes->all->len == 0) {
        (void)sd_event_source_set_enabled(runtimes->round, SD_EVENT_OFF);
        return;
    }
    uint64_t interval = watch_is_exhausted(runtimes->watch) ? POLL_INTERVAL : ROUND_INTERVAL;
    (void)timer_start(runtimes->round, interval);
}

static void run(struct runtimes *runtimes)
{
    for (guint i = 0; i < runtimes->all->len; i++)
        runtime_source_run(runtimes->all->pdata[i]);
    if (runtimes->are_named_due)
        name_manifests(runtimes);
}

static int on_work(sd_event_source *source, void *userdata)
{
    struct runtimes *runtimes = userdata;

    (void)source;
    run(runtimes);
    if (runtimes->told)
        runtimes->callbacks.settled(runtimes->callbacks.userdata);
    runtimes->told = false;
    return 0;
}

static void rescan(const struct runtimes *runtimes)
{
    for (guint i = 0; i < runtimes->all->len; i++)
        runtime_source_rescan(runtimes->all->pdata[i]);
}

static int on_round(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct runtimes *runtimes = userdata;

    (void)source, (void)usec;
    watch_begin_round(runtimes->watch);
    rescan(runtimes);
    (void)on_work(NULL, runtimes);
    watch_end_round(runtimes->watch);
    plan_round(runtimes);
    return 0;
}

static void on_overflow(void *userdata)
{
    log_notice("inotify lost events; rescanning all files of container runtimes");
    rescan(userdata);
    wake(userdata);
}

static void on_drained(void *userdata)
{
    (void)userdata; /* the events have already triggered the work */
}

/* Without runtimes, no inotify instance is used. */
static void need_watch(struct runtimes *runtimes)
{
    const struct watch_handlers handlers = {"files of container runtimes", WATCH_POLLING,
                                            on_overflow, on_drained, runtimes};

    if (!runtimes->watch)
        runtimes->watch = watch_new(runtimes->event, &handlers);
}

static int open_sources(struct runtimes *runtimes, sd_event *event)
{
    runtimes->event = sd_event_ref(event);
    int r = sd_event_add_defer(event, &runtimes->working, on_work, runtimes);
    if (r >= 0)
        r = sd_event_source_set_enabled(runtimes->working, SD_EVENT_OFF);
    if (r >= 0)
        r = timer_new(&runtimes->round, event, 0, on_round, runtimes);
    return r;
}

static void warn_of_rootless(struct runtimes *runtimes, const char *path)
{
    if (runtimes->warned)
        return;
    runtimes->warned = true;
    log_warning("%s: addresses of rootless pods are reachable only inside the user's network "
                "namespace; names resolve, but connections from the host fail",
                path);
}

/* One that is configured as before remembers what its files last said, and who wrote it. */
static struct runtime_source *take(GPtrArray *before, const struct config_source *config)
{
    for (guint i = 0; i < before->len; i++)
        if (runtime_source_fits(before->pdata[i], config))
            return g_ptr_array_steal_index(before, i);
    return NULL;
}

static struct runtime_source *open_source(struct runtimes *runtimes,
                                          const struct config_source *config)
{
    const struct runtime_source_callbacks callbacks = {wake, on_seen, on_units, runtimes};

    need_watch(runtimes);
    struct runtime_source *source = runtime_source_new(runtimes->watch, config, &callbacks);
    if (runtime_is_rootless(config))
        warn_of_rootless(runtimes, runtime_source_path(source));
    return source;
}

void runtimes_reload(struct runtimes *runtimes, const struct config *config)
{
    GPtrArray *before = runtimes->all;

    runtimes->all = g_ptr_array_new_with_free_func(runtime_source_free);
    for (guint i = 0; i < config->sources->len; i++) {
        struct runtime_source *source = take(before, config->sources->pdata[i]);
        g_ptr_array_add(runtimes->all,
                        source ? source : open_source(runtimes, config->sources->pdata[i]));
    }
    for (guint i = 0; i < before->len; i++)
        runtime_source_withdraw(before->pdata[i]);
    g_ptr_array_unref(before);
    if (config->sources->len == 0)
        runtimes->watch = watch_free(runtimes->watch);
    runtimes->are_named_due = true;
    rescan(runtimes);
    run(runtimes);
    plan_round(runtimes);
    runtimes->told = false;
}

int runtimes_new(struct runtimes **runtimesp, sd_event *event, const struct config *config,
                 const struct runtimes_callbacks *callbacks)
{
    struct runtimes *runtimes = g_new0(struct runtimes, 1);

    runtimes->callbacks = *callbacks;
    runtimes->all = g_ptr_array_new_with_free_func(runtime_source_free);
    runtimes->named = g_ptr_array_new_with_free_func(config_directory_free);
    int r = open_sources(runtimes, event);
    if (r < 0) {
        runtimes_free(runtimes);
        return r;
    }
    runtimes_reload(runtimes, config);
    *runtimesp = runtimes;
    return 0;
}

struct runtimes *runtimes_free(struct runtimes *runtimes)
{
    if (!runtimes)
        return NULL;
    g_ptr_array_unref(runtimes->all);
    g_ptr_array_unref(runtimes->named);
    sd_event_source_disable_unref(runtimes->working);
    sd_event_source_disable_unref(runtimes->round);
    watch_free(runtimes->watch);
    sd_event_unref(runtimes->event);
    g_free(runtimes);
    return NULL;
}

char *runtimes_names(const struct config *config)
{
    bool has[CONFIG_RUNTIMES] = {0};
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < config->sources->len; i++)
        has[((const struct config_source *)config->sources->pdata[i])->runtime] = true;
    has[CONFIG_CNI] |= has[CONFIG_K3S];
    for (enum config_runtime runtime = CONFIG_PODMAN; runtime <= CONFIG_KUBELET; runtime++)
        if (has[runtime])
            g_string_append_printf(text, "%s%s", text->len > 0 ? " or " : "",
                                   config_runtime_name(runtime));
    return text->len > 0 ? g_strdup(text->str) : NULL;
}

char *runtimes_node(const struct config *config)
{
    char name[256] = "";

    for (guint i = 0; i < config->sources->len; i++) {
        const struct config_source *source = config->sources->pdata[i];
        if (source->node)
            return g_strdup(source->node);
    }
    if (gethostname(name, sizeof name - 1) < 0 || *name == '\0')
        return NULL;
    return g_ascii_strdown(name, -1);
}

void runtimes_status(const struct runtimes *runtimes,
                     void (*each)(void *userdata, const struct runtime_status *status),
                     void *userdata)
{
    for (guint i = 0; i < runtimes->all->len; i++)
        runtime_source_status(runtimes->all->pdata[i], watch_is_exhausted(runtimes->watch), each,
                              userdata);
}
