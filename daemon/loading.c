/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wires the loader's batches to the cluster, and what the cluster says to the publisher. Plain
 * calls from one end to the other: a batch is handed over, worked out, its leases written, and
 * published, in one go.
 */
#include "loading.h"

#include <errno.h>
#include <string.h>

#include "daemon/runtime/runtimes.h"
#include "daemon/state/state_directory.h"
#include "lib/util/host_addresses.h"
#include "lib/util/log.h"
#include "message.h"
#include "publishing.h"

/* Microseconds. */
#define PROGRESS_USEC (G_USEC_PER_SEC / 10)
#define LISTEN_USEC 10000 /* inotify is drained during work */

struct loading {
    struct inspect_context context; /* the parts, as reports see them */
    struct config *config;          /* the same as there */
    struct publishing *publishing;
    struct state_directory *state;
    struct start_guard *guard; /* of it; NULL: deaths are not counted */
    struct thread_queue *outbox;
    struct between between;
    sd_event *event;
    uint64_t n_handed_over; /* objects, ever */
    int64_t listened;       /* when inotify was last drained */
    int64_t shown;          /* when progress was last shown; 0: not in this work */
    int64_t began;          /* when the current work began */
    bool loaded;            /* the first batch was complete */
};

/* --- Configuration --- */

static void configure(struct loading *loading)
{
    const struct config *config = loading->config;
    g_autoptr(GArray) node_ips = g_array_new(FALSE, FALSE, sizeof(struct address));
    if (config->node_ips->len > 0)
        g_array_append_vals(node_ips, config->node_ips->data, config->node_ips->len);
    else
        host_addresses(node_ips);
    g_autofree char *runtimes = runtimes_names(config), *node = runtimes_node(config);
    cluster_configure(loading->context.cluster,
                      &(struct cluster_options){
                          .node_ips = node_ips,
                          .pod_cidrs = config->pod_cidrs,
                          .service_cidrs = config->service_cidrs,
                          .allocate = config_allocates(config),
                          .pod_names = config->pods == KUBESVC_PODS_VERIFIED,
                          .endpoint_pod_names = config->endpoint_pod_names,
                          .ignore_empty_service = config->ignore_empty_service,
                          .namespaces = config->namespaces,
                          .runtimes = runtimes,
                          .node = node,
                      });
    publishing_configure(loading->publishing, config);
}

static void send_nameservers(struct loading *loading)
{
    GPtrArray *nameservers = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < loading->config->nameservers->len; i++)
        g_ptr_array_add(nameservers, g_strdup(loading->config->nameservers->pdata[i]));
    message_push(loading->outbox, &(struct message){.kind = MESSAGE_SERVERS,
                                                    .nameservers = nameservers,
                                                    .number = loading->config->maps});
}

/* --- Publishing --- */

static void say_ready(const struct loading *loading)
{
    message_push(loading->outbox,
                 &(struct message){.kind = MESSAGE_READY,
                                   .number = cluster_size(loading->context.cluster),
                                   .reload = loading->context.reloads});
}

/* A reload has ended once everything it led to is published, not only the configuration. */
static void end_reloads(struct loading *loading)
{
    if (!loader_is_rereading(loading->context.loader))
        loading->context.reloads = loading->context.reloads_begun;
}

static void end_start(struct loading *loading)
{
    unsigned objects = cluster_size(loading->context.cluster);
    log_info("ready: %u object%s, listening on %s", objects, objects == 1 ? "" : "s",
             loading->config->socket);
    event_log_add(loading->context.events, "loaded: %u object%s", objects, objects == 1 ? "" : "s");
    cluster_observe(loading->context.cluster, NULL, NULL);
    start_guard_finish(loading->guard);
}

void loading_tidy(struct loading *loading)
{
    publishing_tidy(loading->publishing, loading->n_handed_over);
    log_progress(NULL);
    loading->shown = 0;
}

static void publish(void *userdata)
{
    struct loading *loading = userdata;
    bool first = !loading->context.loaded;
    if (publishing_run(loading->publishing)) {
        end_reloads(loading);
        if (first)
            end_start(loading);
        say_ready(loading);
    }
    loading_tidy(loading);
}

static void begin_work(struct loading *loading)
{
    if (!loading->context.at_work)
        loading->began = g_get_monotonic_time();
    loading->context.at_work = true;
}

/* Computes the consequences of all changes, and publishes them. Addresses are written to the
 * journal before they are answered. */
static void work_out(struct loading *loading)
{
    if (!loading->loaded)
        return;
    begin_work(loading);
    cluster_reconcile(loading->context.cluster);
    start_guard_leave(loading->guard);
    loading->context.at_work = false;
    loading->context.taken = cluster_taken(loading->context.cluster);
    loader_relieve(loading->context.loader);
    state_directory_write(loading->state);
    publish(loading);
}

static void refuse(struct loading *loading)
{
    loading->context.refused = (uint64_t)g_get_real_time();
    log_error("configuration rejected; keeping the previous one");
    event_log_add(loading->context.events, "configuration rejected: %s",
                  (const char *)loading->context.refusal->pdata[0]);
    end_reloads(loading);
    if (loading->context.loaded)
        say_ready(loading);
}

void loading_reload(struct loading *loading, uint64_t number)
{
    struct config *config = NULL;
    loading->context.reloads_begun = number;
    g_ptr_array_set_size(loading->context.refusal, 0);
    if (config_load_logged(&config, loading->context.options, loading->context.refusal) != 0) {
        refuse(loading);
        return;
    }
    struct config *before = loading->config;
    loading->context.config = loading->config = config;
    configure(loading);
    send_nameservers(loading);
    loader_reload(loading->context.loader, config);
    runtimes_reload(loading->context.runtimes, config);
    config_free(before);
    log_info("configuration reloaded");
    event_log_add(loading->context.events, "configuration reloaded");
    work_out(loading);
}

/* --- In the middle of work --- */

static void show_progress(struct loading *loading, int64_t now)
{
    struct loader_progress progress;
    if (now < loading->shown + PROGRESS_USEC)
        return;
    bool first = loading->shown == 0;
    loading->shown = now;
    if (first) /* shorter work is not logged */
        return;
    loader_progress(loading->context.loader, &progress);
    log_progress("loading: %u of %u files, %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " objects",
                 progress.files, progress.files_found,
                 cluster_taken(loading->context.cluster) - loading->context.taken,
                 progress.objects);
}

/* The model may be looked at, and must not be changed. */
static void between(void *userdata)
{
    struct loading *loading = userdata;
    between_pieces(&loading->between);
    int64_t now = g_get_monotonic_time();
    if (now >= loading->listened + LISTEN_USEC) {
        loading->listened = now;
        loader_listen(loading->context.loader);
    }
    show_progress(loading, now);
}

/* --- What the parts say --- */

static void on_file(void *userdata, struct source *source, GPtrArray *objects)
{
    struct loading *loading = userdata;
    loading->n_handed_over += objects ? objects->len : 0;
    begin_work(loading);
    cluster_replace(loading->context.cluster, source, objects);
}

static void on_moved(void *userdata, struct source *from, struct source *to)
{
    const struct loading *loading = userdata;
    cluster_move(loading->context.cluster, from, to);
}

/* Only during startup: a later death is followed by a start, which will count it. */
static unsigned on_reading(void *userdata, const char *path, uint64_t stamp)
{
    const struct loading *loading = userdata;
    unsigned deaths = path ? start_guard_deaths(loading->guard, path, stamp) : 0;
    if (path && !loading->context.loaded && deaths < START_GUARD_DEATHS)
        start_guard_enter(loading->guard, path, stamp);
    else
        start_guard_leave(loading->guard);
    return deaths;
}

static void on_working_out(void *userdata, const struct source *source)
{
    const struct loading *loading = userdata;
    start_guard_enter(loading->guard, source->path, source->stamp);
}

static void on_settled(void *userdata, bool first)
{
    struct loading *loading = userdata;
    loading->loaded = loading->loaded || first;
    work_out(loading);
}

static void on_sightings(void *userdata, const void *file, GPtrArray *sightings)
{
    const struct loading *loading = userdata;
    cluster_see(loading->context.cluster, file, sightings);
}

static void on_named(void *userdata, const GPtrArray *directories)
{
    const struct loading *loading = userdata;
    loader_name(loading->context.loader, loading->config, directories);
}

static void on_sighted(void *userdata)
{
    work_out(userdata);
}

static void on_trouble(void *userdata, const char *path, const struct diagnostic *error)
{
    const struct loading *loading = userdata;
    g_autofree char *text =
        error ? diagnostic_format(error, path) : g_strconcat(path, ": fixed", NULL);
    event_log_add(loading->context.events, "%s", text);
}

static void on_lease(void *userdata, enum lease_event event, const struct lease *lease)
{
    const struct loading *loading = userdata;
    if (loading->state) /* else it is one that is restored */
        state_directory_note(loading->state, event, lease);
}

/* --- Life --- */

int loading_new(struct loading **loadingp, struct config *config,
                const struct config_options *options, sd_event *event, struct thread_queue *outbox,
                struct between given)
{
    struct loading *loading = g_new(struct loading, 1);
    *loading = (struct loading){
        .context = {.config = config,
                    .options = options,
                    .refusal = g_ptr_array_new_with_free_func(g_free),
                    .started = (uint64_t)g_get_monotonic_time()},
        .config = config,
        .event = sd_event_ref(event),
        .outbox = outbox,
        .between = given,
    };
    int r = publishing_new(&loading->publishing, &loading->context, event, outbox,
                           (struct between){between, loading}, publish, loading);
    if (r < 0) {
        log_error("cannot start: %s", g_strerror(-r));
        loading_free(loading);
        return r;
    }
    loading->context.cluster = cluster_new(publishing_sink(loading->publishing), on_lease, loading,
                                           (struct between){between, loading});
    configure(loading);
    *loadingp = loading;
    return 0;
}

static int open_state(struct loading *loading)
{
    int r = state_directory_open(&loading->state, loading->event, loading->config->state,
                                 cluster_leases(loading->context.cluster));
    if (r < 0)
        return r;
    loading->guard = state_directory_guard(loading->state);
    if (loading->guard)
        cluster_observe(loading->context.cluster, on_working_out, loading);
    return 0;
}

static int open_manifests(struct loading *loading)
{
    int r = loader_new(&loading->context.loader, loading->event, loading->config,
                       &(struct loader_callbacks){.file = on_file,
                                                  .moved = on_moved,
                                                  .settled = on_settled,
                                                  .trouble = on_trouble,
                                                  .reading = on_reading,
                                                  .deaths_max = START_GUARD_DEATHS,
                                                  .userdata = loading,
                                                  .between = {between, loading}});
    if (r < 0)
        log_error("cannot watch the manifests: %s", g_strerror(-r));
    return r;
}

static int open_runtimes(struct loading *loading)
{
    int r = runtimes_new(&loading->context.runtimes, loading->event, loading->config,
                         &(struct runtimes_callbacks){.seen = on_sightings,
                                                      .manifests = on_named,
                                                      .settled = on_sighted,
                                                      .userdata = loading});
    if (r < 0)
        log_error("cannot watch container runtimes: %s", g_strerror(-r));
    return r;
}

int loading_open(struct loading *loading)
{
    int r = open_state(loading);
    if (r == 0)
        r = open_manifests(loading);
    if (r == 0)
        r = open_runtimes(loading);
    return r < 0 ? r : 0;
}

void loading_end(struct loading *loading)
{
    start_guard_end(loading->guard);
}

void loading_close(struct loading *loading)
{
    loading->context.runtimes = runtimes_free(loading->context.runtimes);
    loading->context.loader = loader_free(loading->context.loader);
    loading->guard = NULL;
    loading->state = state_directory_close(loading->state);
    loading->context.cluster = cluster_free(loading->context.cluster);
    loading->publishing = publishing_free(loading->publishing);
}

struct loading *loading_free(struct loading *loading)
{
    if (!loading)
        return NULL;
    loading_close(loading);
    sd_event_unref(loading->event);
    g_ptr_array_unref(loading->context.refusal);
    config_free(loading->config);
    g_free(loading);
    return NULL;
}

const struct inspect_context *loading_world(const struct loading *loading)
{
    return &loading->context;
}

int64_t loading_began(const struct loading *loading)
{
    return loading->context.at_work ? loading->began : 0;
}
