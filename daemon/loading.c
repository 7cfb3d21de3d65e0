/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wires the loader's batches to the cluster, and what the cluster says to the publisher. Plain
 * calls from one end to the other: a batch is handed over, worked out, its leases written, and
 * published, in one go.
 */
#include "loading.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>

#include "daemon/inspect/backends.h"
#include "daemon/inspect/service_tap.h"
#include "daemon/publish/publisher.h"
#include "daemon/runtime/runtimes.h"
#include "daemon/state/lease_journal.h"
#include "daemon/state/start_guard.h"
#include "lib/util/exposure.h"
#include "lib/util/host_addresses.h"
#include "lib/util/log.h"
#include "message.h"

/* What is done now and then, in microseconds. */
#define RETRY_USEC G_USEC_PER_SEC /* what there was no memory for is tried again */
#define SYNC_USEC G_USEC_PER_SEC  /* the disk is waited for, after leases were written */
#define PROGRESS_USEC (G_USEC_PER_SEC / 10)
#define LISTEN_USEC 10000 /* inotify is drained during work */

/* So many objects and records that replacing them may leave much memory behind. */
#define MANY_REPLACED 20000u

/* Limit on changes queued for the server thread: beyond this they are dropped. */
#define CHANGES_MAX 1000u

struct loading {
    const struct config_options *options;
    struct config *config;
    struct thread_queue *outbox;
    struct between between;
    sd_event *event;
    sd_event_source *retrying, *syncing;
    struct snapshot_writer *writer;
    struct publisher *publisher;
    struct service_tap tap;
    struct event_log *events;
    struct backends *backends;
    struct cluster *cluster;
    struct lease_journal *journal; /* NULL: leases are not kept */
    struct start_guard *guard;     /* NULL: deaths are not counted */
    struct loader *loader;
    struct runtimes *runtimes;
    struct inspect_context context; /* what reports show of all this */
    uint64_t retired;               /* as last sent to the server thread */
    uint64_t n_handed_over;         /* objects, ever */
    uint64_t n_trimmed;             /* of them and of changed records, when memory was given back */
    int64_t listened, shown;        /* when inotify was last drained, progress last shown */
    int64_t began;                  /* when the current work began */
    bool loaded;                    /* the first batch was complete */
    bool ready;                     /* and is published */
    bool publish_failed;            /* it could not be; tried again now and then */
};

static void send(struct loading *loading, enum message_kind kind, uint64_t number)
{
    message_push(loading->outbox, &(struct message){.kind = kind, .number = number});
}

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
    cluster_configure(loading->cluster, &(struct cluster_options){
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
    publisher_configure(loading->publisher, config);
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

static void say_ready(struct loading *loading)
{
    unsigned objects = cluster_size(loading->cluster);
    if (!loading->ready) {
        log_info("ready: %u object%s, listening on %s", objects, objects == 1 ? "" : "s",
                 loading->config->socket);
        event_log_add(loading->events, "loaded: %u object%s", objects, objects == 1 ? "" : "s");
        cluster_observe(loading->cluster, NULL, NULL);
        start_guard_finish(loading->guard);
    }
    loading->ready = true;
    send(loading, MESSAGE_READY, objects);
}

static void try_again(struct loading *loading, int error)
{
    if (!loading->publish_failed)
        log_error("cannot publish: %s; answers stay unchanged until it succeeds",
                  g_strerror(-error));
    loading->publish_failed = true;
    (void)sd_event_source_set_time_relative(loading->retrying, RETRY_USEC);
    (void)sd_event_source_set_enabled(loading->retrying, SD_EVENT_ONESHOT);
}

/* Memory that the server thread may still be reading is kept until it says that it has passed. */
static void tell_of_retired(struct loading *loading)
{
    uint64_t retired = snapshot_writer_retired(loading->writer);
    if (retired == loading->retired)
        return;
    loading->retired = retired;
    send(loading, MESSAGE_RETIRED, retired);
}

static void publish(struct loading *loading)
{
    event_log_before_publish(loading->events, loading->ready);
    int r = publisher_publish(loading->publisher, cluster_size(loading->cluster) == 0);
    if (r < 0) {
        try_again(loading, r);
        return;
    }
    if (loading->publish_failed)
        log_notice("published; earlier publishing errors are resolved");
    loading->publish_failed = false;
    loading->context.published = (uint64_t)g_get_monotonic_time();
    loading->context.loaded = true;
    backends_published(loading->backends, &loading->context);
    say_ready(loading);
}

/* What was replaced by the thousands leaves holes that the allocator keeps for itself. Records
 * count as well as objects: one object can have as many replicas as many objects. */
static void give_memory_back(struct loading *loading)
{
    struct snapshot_writer_status status;
    snapshot_writer_status(loading->writer, &status);
    uint64_t replaced = loading->n_handed_over + status.changes;
    if (replaced - loading->n_trimmed < MANY_REPLACED)
        return;
    loading->n_trimmed = replaced;
    (void)malloc_trim(0);
}

void loading_tidy(struct loading *loading)
{
    int r = loading->publish_failed ? 0 : snapshot_writer_compact(loading->writer);
    log_progress(NULL);
    loading->shown = 0;
    if (r < 0)
        log_warning("cannot compact the snapshot: %s; it keeps growing", g_strerror(-r));
    tell_of_retired(loading);
    give_memory_back(loading);
    int enabled = SD_EVENT_OFF;
    (void)sd_event_source_get_enabled(loading->syncing, &enabled);
    if (enabled != SD_EVENT_OFF || !loading->journal ||
        !lease_journal_is_unsynced(loading->journal, cluster_leases(loading->cluster)))
        return;
    (void)sd_event_source_set_time_relative(loading->syncing, SYNC_USEC);
    (void)sd_event_source_set_enabled(loading->syncing, SD_EVENT_ONESHOT);
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
    cluster_reconcile(loading->cluster);
    start_guard_leave(loading->guard);
    loading->context.at_work = false;
    loading->context.taken = cluster_taken(loading->cluster);
    loader_relieve(loading->loader);
    if (loading->journal)
        lease_journal_write(loading->journal, cluster_leases(loading->cluster));
    publish(loading);
    loading_tidy(loading);
}

static void refuse(struct loading *loading)
{
    loading->context.refused = (uint64_t)g_get_real_time();
    log_error("configuration rejected; keeping the previous one");
    event_log_add(loading->events, "configuration rejected: %s",
                  (const char *)loading->context.refusal->pdata[0]);
    if (loading->ready)
        say_ready(loading);
}

void loading_reload(struct loading *loading)
{
    struct config *config = NULL;
    loading->context.reloads++;
    g_ptr_array_set_size(loading->context.refusal, 0);
    if (config_load_logged(&config, loading->options, loading->context.refusal) != 0) {
        refuse(loading);
        return;
    }
    struct config *before = loading->config;
    loading->context.config = loading->config = config;
    configure(loading);
    backends_reconfigure(loading->backends);
    send_nameservers(loading);
    loader_reload(loading->loader, config);
    runtimes_reload(loading->runtimes, config);
    config_free(before);
    log_info("configuration reloaded");
    event_log_add(loading->events, "configuration reloaded");
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
    loader_progress(loading->loader, &progress);
    log_progress("loading: %u of %u files, %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " objects",
                 progress.files, progress.files_found,
                 cluster_taken(loading->cluster) - loading->context.taken, progress.objects);
}

/* The model may be looked at, and must not be changed. */
static void between(void *userdata)
{
    struct loading *loading = userdata;
    between_pieces(&loading->between);
    int64_t now = g_get_monotonic_time();
    if (now >= loading->listened + LISTEN_USEC) {
        loading->listened = now;
        loader_listen(loading->loader);
    }
    show_progress(loading, now);
}

/* --- What the parts say --- */

static void on_file(void *userdata, struct source *source, GPtrArray *objects)
{
    struct loading *loading = userdata;
    loading->n_handed_over += objects ? objects->len : 0;
    begin_work(loading);
    cluster_replace(loading->cluster, source, objects);
}

static void on_moved(void *userdata, struct source *from, struct source *to)
{
    const struct loading *loading = userdata;
    cluster_move(loading->cluster, from, to);
}

/* Only during startup: a later death is followed by a start, which will count it. */
static unsigned on_reading(void *userdata, const char *path, uint64_t stamp)
{
    const struct loading *loading = userdata;
    unsigned deaths = path ? start_guard_deaths(loading->guard, path, stamp) : 0;
    if (path && !loading->ready && deaths < START_GUARD_DEATHS)
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
    cluster_see(loading->cluster, file, sightings);
}

static void on_named(void *userdata, const GPtrArray *directories)
{
    const struct loading *loading = userdata;
    loader_name(loading->loader, loading->config, directories);
}

static void on_sighted(void *userdata)
{
    work_out(userdata);
}

static void on_trouble(void *userdata, const char *path, const struct diagnostic *error)
{
    const struct loading *loading = userdata;
    g_autofree char *text = error ? diagnostic_format(error, path) : NULL;
    if (error)
        event_log_add(loading->events, "%s", text);
    else
        event_log_add(loading->events, "%s: fixed", path);
}

static void on_lease(void *userdata, enum lease_event event, const struct lease *lease)
{
    const struct loading *loading = userdata;
    if (loading->journal)
        lease_journal_note(loading->journal, event, lease);
}

static void on_change(void *userdata, const struct event *change)
{
    struct loading *loading = userdata;
    if (thread_queue_length(loading->outbox) >= CHANGES_MAX)
        return;
    message_push(loading->outbox, &(struct message){.kind = MESSAGE_CHANGE,
                                                    .number = change->time,
                                                    .text = g_strdup(change->text)});
}

static void on_backends(void *userdata, char *lines)
{
    const struct loading *loading = userdata;
    message_push(loading->outbox, &(struct message){.kind = MESSAGE_BACKENDS, .text = lines});
}

static void on_service(void *userdata, const char *ns, const char *name)
{
    const struct loading *loading = userdata;
    event_log_note(loading->events, ns, name);
    backends_note(loading->backends, ns, name);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct loading *loading = userdata;
    (void)source, (void)usec;
    publish(loading);
    loading_tidy(loading);
    return 0;
}

static int on_sync(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct loading *loading = userdata;
    (void)source, (void)usec;
    lease_journal_sync(loading->journal, cluster_leases(loading->cluster));
    return 0;
}

/* --- Life --- */

static int add_timers(struct loading *loading)
{
    int r = sd_event_add_time(loading->event, &loading->retrying, CLOCK_MONOTONIC, 0, 0, on_retry,
                              loading);
    if (r >= 0)
        r = sd_event_source_set_enabled(loading->retrying, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_time(loading->event, &loading->syncing, CLOCK_MONOTONIC, 0, 0, on_sync,
                              loading);
    if (r >= 0)
        r = sd_event_source_set_enabled(loading->syncing, SD_EVENT_OFF);
    return r;
}

int loading_new(struct loading **loadingp, struct config *config,
                const struct config_options *options, sd_event *event, struct thread_queue *outbox,
                struct between given)
{
    struct loading *loading = g_new(struct loading, 1);
    *loading = (struct loading){
        .options = options,
        .config = config,
        .event = sd_event_ref(event),
        .outbox = outbox,
        .between = given,
    };
    int r = add_timers(loading);
    if (r >= 0)
        r = snapshot_writer_new(&loading->writer);
    if (r < 0) {
        log_error("cannot start: %s", g_strerror(-r));
        loading_free(loading);
        return r;
    }
    snapshot_writer_set_between(loading->writer, (struct between){between, loading});
    loading->publisher = publisher_new(loading->writer);
    loading->events = event_log_new(loading->writer, on_change, loading);
    loading->backends = backends_new(on_backends, loading);
    service_tap_init(&loading->tap, publisher_sink(loading->publisher), on_service, loading);
    loading->cluster =
        cluster_new(&loading->tap.sink, on_lease, loading, (struct between){between, loading});
    configure(loading);
    *loadingp = loading;
    return 0;
}

/* Without its journal the daemon serves all the same; only a second one with the same leases must
 * not be. */
static int open_journal(struct loading *loading)
{
    const char *state = loading->config->state;
    int r = exposure_refuse(state);
    if (r < 0)
        return r;
    r = lease_journal_open(&loading->journal, state, cluster_leases(loading->cluster));
    if (r == -EBUSY) {
        log_error("%s: in use by another daemon; choose another --state", state);
        return r;
    }
    if (r < 0)
        log_warning("%s: cannot be used: %s; addresses will change when the daemon restarts", state,
                    g_strerror(-r));
    return 0;
}

/* Where leases cannot be kept, deaths cannot be counted either, and that has been logged. */
static void open_guard(struct loading *loading)
{
    int r = loading->journal ? start_guard_open(&loading->guard, loading->config->state) : 0;
    if (r < 0 && r != -EACCES && r != -EROFS && r != -EPERM)
        log_warning("%s: cannot record crashes there: %s", loading->config->state, g_strerror(-r));
    if (loading->guard)
        cluster_observe(loading->cluster, on_working_out, loading);
}

static int open_manifests(struct loading *loading)
{
    int r = loader_new(&loading->loader, loading->event, loading->config,
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
    int r = runtimes_new(&loading->runtimes, loading->event, loading->config,
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
    int r = open_journal(loading);
    if (r == 0)
        open_guard(loading);
    if (r == 0)
        r = open_manifests(loading);
    if (r == 0)
        r = open_runtimes(loading);
    if (r < 0)
        return r;
    loading->context = (struct inspect_context){
        .config = loading->config,
        .options = loading->options,
        .refusal = g_ptr_array_new_with_free_func(g_free),
        .cluster = loading->cluster,
        .writer = loading->writer,
        .loader = loading->loader,
        .runtimes = loading->runtimes,
        .events = loading->events,
        .backends = loading->backends,
        .started = (uint64_t)g_get_monotonic_time(),
    };
    return 0;
}

void loading_end(struct loading *loading)
{
    start_guard_end(loading->guard);
}

void loading_close(struct loading *loading)
{
    loading->runtimes = runtimes_free(loading->runtimes);
    loading->loader = loader_free(loading->loader);
    loading->cluster = cluster_free(loading->cluster);
    loading->guard = start_guard_close(loading->guard);
    if (loading->journal)
        loading->journal = lease_journal_close(loading->journal);
    loading->backends = backends_free(loading->backends);
    loading->events = event_log_free(loading->events);
    loading->publisher = publisher_free(loading->publisher);
    loading->writer = snapshot_writer_free(loading->writer);
}

struct loading *loading_free(struct loading *loading)
{
    if (!loading)
        return NULL;
    loading_close(loading);
    sd_event_source_disable_unref(loading->retrying);
    sd_event_source_disable_unref(loading->syncing);
    sd_event_unref(loading->event);
    g_clear_pointer(&loading->context.refusal, g_ptr_array_unref);
    config_free(loading->config);
    g_free(loading);
    return NULL;
}

struct snapshot_writer *loading_writer(const struct loading *loading)
{
    return loading->writer;
}

struct backends *loading_backends(const struct loading *loading)
{
    return loading->backends;
}

const struct inspect_context *loading_world(const struct loading *loading)
{
    return &loading->context;
}

int64_t loading_began(const struct loading *loading)
{
    return loading->context.at_work ? loading->began : 0;
}
