/*
 * The daemon. Wires the loader's batches to the cluster, the cluster's words to the publisher and
 * the published snapshot to the server, and gives each its turn on the event loop; decides nothing
 * else.
 */
#include "daemon.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <systemd/sd-event.h>

#include "daemon/inspect/inspect.h"
#include "daemon/publish/publisher.h"
#include "daemon/serve/external.h"
#include "daemon/serve/server.h"
#include "daemon/source/loader.h"
#include "daemon/source/pace.h"
#include "daemon/state/lease_journal.h"
#include "lib/model/cluster.h"
#include "lib/util/exposure.h"
#include "lib/util/fiber.h"
#include "lib/util/log.h"
#include "lib/util/node.h"
#include "lib/util/supervisor.h"

/* Microseconds of one turn of work, so that lookups wait for no longer (design: 5 ms). */
#define TURN_USEC 2000

/* When to try again what there was no memory for. */
#define RETRY_USEC 1000000u

/* So many objects that what their reading and replacing leaves behind is worth a look. */
#define MANY_OBJECTS 20000u

struct daemon {
    const struct config_options *options;
    struct config *config;
    sd_event *event;
    struct supervisor *supervisor;
    struct pace *pace; /* works while there is anything to work out, publish or compact */
    struct fiber *fiber;
    struct snapshot_writer *writer;
    struct publisher *publisher;
    struct external *external;
    struct server *server;
    struct cluster *cluster;
    struct lease_journal *journal; /* NULL: leases are not kept */
    struct loader *loader;
    struct changes *changes;
    struct inspect *inspect;
    struct inspect_world world; /* what `inspect` shows of all this */
    size_t n_handed_over;       /* objects, since memory was last given back */
    bool reload_due;            /* the configuration is to be read again */
    bool due;                   /* something is to be published: all of it is worked out */
    bool hindered;              /* it could not be; tried again now and then */
    bool loaded;                /* the first batch was complete */
    bool ready;                 /* and can be asked for */
};

int daemon_load_config(struct config **configp, const struct config_options *options,
                       GPtrArray *errors)
{
    int r = config_load_texts(configp, options, errors);
    for (guint i = 0; i < errors->len; i++)
        log_error("%s", (const char *)errors->pdata[i]);
    return r;
}

static void say_ready(struct daemon *daemon)
{
    if (!daemon->ready) {
        log_info("ready: %u objects, asked at %s", cluster_size(daemon->cluster),
                 daemon->config->socket);
        changes_add(daemon->changes, "loaded: %u objects", cluster_size(daemon->cluster));
    }
    daemon->ready = true;
    supervisor_tell(daemon->supervisor, "READY=1\nSTATUS=Serving %u objects.",
                    cluster_size(daemon->cluster));
}

static void publish(struct daemon *daemon)
{
    changes_before_publish(daemon->changes, daemon->ready);
    int r = publisher_publish(daemon->publisher, cluster_size(daemon->cluster) == 0);
    if (r < 0) {
        if (!daemon->hindered)
            log_error("cannot publish: %s; answers stay as they were until it can be done",
                      g_strerror(-r));
        daemon->hindered = true;
        return;
    }
    if (daemon->hindered)
        log_notice("what could not be published is published now");
    daemon->hindered = daemon->due = false;
    daemon->world.published = (uint64_t)g_get_monotonic_time();
    daemon->world.loaded = daemon->loaded;
    say_ready(daemon);
}

static void configure(struct daemon *daemon)
{
    const struct config *config = daemon->config;
    g_autoptr(GArray) node_ips = g_array_new(FALSE, FALSE, sizeof(struct address));
    if (config->node_ips->len > 0)
        g_array_append_vals(node_ips, config->node_ips->data, config->node_ips->len);
    else
        node_addresses(node_ips);
    cluster_configure(daemon->cluster, &(struct cluster_options){
                                           .node_ips = node_ips,
                                           .pod_cidrs = config->pod_cidrs,
                                           .service_cidrs = config->service_cidrs,
                                           .allocate = config_allocates(config),
                                           .pod_names = config->pods == KUBESVC_PODS_VERIFIED,
                                           .endpoint_pod_names = config->endpoint_pod_names,
                                           .ignore_empty_service = config->ignore_empty_service,
                                           .namespaces = config->namespaces,
                                       });
    publisher_configure(daemon->publisher, config);
}

/* A configuration that cannot be read or is wrong changes nothing. */
static void refuse(struct daemon *daemon)
{
    log_error("configuration rejected; keeping the previous one");
    changes_add(daemon->changes, "configuration rejected: %s",
                (const char *)daemon->world.refusal->pdata[0]);
    if (daemon->ready)
        say_ready(daemon);
}

static void reload(struct daemon *daemon)
{
    struct config *config = NULL;
    daemon->reload_due = false;
    daemon->world.reloads++;
    g_ptr_array_set_size(daemon->world.refusal, 0);
    if (daemon_load_config(&config, daemon->options, daemon->world.refusal) != 0) {
        daemon->world.refused = (uint64_t)g_get_real_time();
        refuse(daemon);
        return;
    }
    struct config *before = daemon->config;
    daemon->world.config = daemon->config = config;
    configure(daemon);
    int r = external_configure(daemon->external, config->nameservers);
    if (r < 0)
        log_error("cannot change the nameservers: %s", g_strerror(-r));
    r = loader_reload(daemon->loader, config);
    if (r < 0)
        log_error("cannot change the directories: %s", g_strerror(-r));
    config_free(before);
    log_info("configuration read again");
    changes_add(daemon->changes, "configuration read again");
    /* What follows from it for the cluster is published together with the rest. */
    daemon->due = !cluster_is_dirty(daemon->cluster);
}

/* What was replaced by the thousands leaves holes that the allocator keeps for itself. */
static void give_memory_back(struct daemon *daemon)
{
    if (daemon->n_handed_over < MANY_OBJECTS)
        return;
    daemon->n_handed_over = 0;
    (void)malloc_trim(0);
}

/* Works out what follows from the batches that are whole. Leases are written as they come: no write
 * is large, and an address that was answered is known after a crash. */
static void update(struct daemon *daemon)
{
    daemon->due = cluster_update(daemon->cluster, TURN_USEC);
    if (daemon->due)
        loader_relieve(daemon->loader);
    if (daemon->journal)
        lease_journal_write(daemon->journal, cluster_leases(daemon->cluster));
}

/* A step of what can wait until all is published; false when there is nothing left. */
static bool tidy(struct daemon *daemon)
{
    if (!snapshot_writer_wants_compaction(daemon->writer)) {
        give_memory_back(daemon);
        return false;
    }
    int r = snapshot_writer_compact(daemon->writer, TURN_USEC);
    if (r < 0)
        log_warning("cannot compact the snapshot: %s; it goes on growing", g_strerror(-r));
    return r >= 0;
}

/* One turn. A small change is worked out and published in one, so that it is visible at once; else
 * each thing has its own. False when there is nothing left to do. */
static bool turn(struct daemon *daemon)
{
    if (daemon->reload_due && !cluster_is_amid(daemon->cluster))
        reload(daemon);
    int64_t deadline = g_get_monotonic_time() + TURN_USEC;
    if (!daemon->loaded)
        return false;
    if (cluster_is_dirty(daemon->cluster) && (!daemon->due || daemon->hindered))
        update(daemon);
    else if (!daemon->due)
        return tidy(daemon);
    if (daemon->due && g_get_monotonic_time() < deadline)
        publish(daemon);
    return !daemon->hindered || cluster_is_dirty(daemon->cluster);
}

static bool on_pace(void *userdata, uint64_t until, uint64_t *wake_at)
{
    const struct daemon *daemon = userdata;
    bool more = turn(userdata);
    (void)until; /* a turn keeps time itself */
    if (daemon->hindered)
        *wake_at = (uint64_t)g_get_monotonic_time() + RETRY_USEC;
    return more;
}

static void on_file(void *userdata, struct source *source, GPtrArray *objects)
{
    struct daemon *daemon = userdata;
    daemon->n_handed_over += objects ? objects->len : 0;
    cluster_replace(daemon->cluster, source, objects);
}

/* What can be done within one turn is done at once, so that a small change is visible without
 * another round of the loop. */
static void on_settled(void *userdata, bool first)
{
    struct daemon *daemon = userdata;
    daemon->loaded = daemon->loaded || first;
    cluster_settle(daemon->cluster);
    if (turn(daemon) || daemon->hindered)
        pace_wake(daemon->pace);
}

static void on_trouble(void *userdata, const char *path, const struct diagnostic *error)
{
    const struct daemon *daemon = userdata;
    g_autofree char *text = error ? diagnostic_format(error, path) : NULL;
    if (error)
        changes_add(daemon->changes, "%s", text);
    else
        changes_add(daemon->changes, "%s: mended", path);
}

static void on_answered(void *userdata)
{
    const struct daemon *daemon = userdata;
    if (daemon->server) /* none is left while the daemon ends */
        server_retry(daemon->server);
}

static void on_lease(void *userdata, enum lease_event event, const struct lease *lease)
{
    const struct daemon *daemon = userdata;
    if (daemon->journal)
        lease_journal_note(daemon->journal, event, lease);
}

/* What is being worked out is of the configuration in force, and is published with it. */
static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source, (void)info;
    struct daemon *daemon = userdata;
    supervisor_tell(daemon->supervisor, "RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT,
                    g_get_monotonic_time());
    daemon->reload_due = true;
    pace_wake(daemon->pace);
    return 0;
}

static int on_end(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    const struct daemon *daemon = userdata;
    (void)info;
    supervisor_tell(daemon->supervisor, "STOPPING=1");
    return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int open_loop(struct daemon *daemon)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
        signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
        return -errno;
    int r = sd_event_new(&daemon->event);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGHUP, on_reload, daemon);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGTERM, on_end, daemon);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGINT, on_end, daemon);
    if (r >= 0)
        r = pace_new(&daemon->pace, daemon->event, on_pace, daemon);
    if (r >= 0)
        r = supervisor_new(&daemon->supervisor, daemon->event);
    if (r < 0)
        log_error("cannot make the event loop: %s", g_strerror(-r));
    return r < 0 ? r : 0;
}

/* Whoever can put files there could answer instead of the daemon, or choose addresses. */
static int refuse_exposed(const char *directory)
{
    g_autofree char *exposure = exposure_of_directory(directory);
    if (exposure)
        log_error("%s: %s; not using it", directory, exposure);
    return exposure ? -EPERM : 0;
}

/* Without its journal the daemon serves all the same; only a second one with the same leases must
 * not be. */
static int open_journal(struct daemon *daemon)
{
    const char *state = daemon->config->state;
    int r = refuse_exposed(state);
    if (r < 0)
        return r;
    r = lease_journal_open(&daemon->journal, daemon->event, state, cluster_leases(daemon->cluster));
    if (r == -EBUSY) {
        log_error("%s: another daemon keeps its leases there; use another --state", state);
        return r;
    }
    if (r < 0)
        log_warning(
            "%s: cannot be used: %s; addresses will change when the daemon is started again", state,
            g_strerror(-r));
    return 0;
}

static int open_socket(struct daemon *daemon)
{
    const char *path = daemon->config->socket;
    g_autofree char *directory = g_path_get_dirname(path);
    int r = refuse_exposed(directory);
    if (r < 0)
        return r;
    r = server_new(&daemon->server, daemon->event, path, daemon->writer, daemon->external);
    if (r == SERVER_BUSY) {
        log_error("%s: another daemon answers there; this one ends", path);
        return -EADDRINUSE;
    }
    if (r < 0)
        log_error("%s: cannot listen: %s", path, g_strerror(-r));
    return r;
}

static void open_inspect(struct daemon *daemon)
{
    daemon->world = (struct inspect_world){
        .config = daemon->config,
        .options = daemon->options,
        .refusal = g_ptr_array_new_with_free_func(g_free),
        .cluster = daemon->cluster,
        .writer = daemon->writer,
        .external = daemon->external,
        .server = daemon->server,
        .loader = daemon->loader,
        .changes = daemon->changes,
        .started = (uint64_t)g_get_monotonic_time(),
    };
    daemon->inspect = inspect_new(daemon->event, &daemon->world);
}

static int open_all(struct daemon *daemon)
{
    int r = open_loop(daemon);
    if (r < 0)
        return r;
    r = fiber_new(&daemon->fiber);
    if (r >= 0)
        r = snapshot_writer_new(&daemon->writer);
    if (r >= 0)
        r = external_new(&daemon->external, daemon->event, daemon->config->nameservers, on_answered,
                         daemon);
    if (r < 0) {
        log_error("cannot start: %s", g_strerror(-r));
        return r;
    }
    daemon->publisher = publisher_new(daemon->writer, daemon->fiber);
    daemon->changes = changes_new(publisher_sink(daemon->publisher), daemon->writer);
    daemon->cluster = cluster_new(changes_sink(daemon->changes), on_lease, daemon, daemon->fiber);
    r = open_socket(daemon);
    if (r < 0)
        return r;
    configure(daemon);
    r = open_journal(daemon);
    if (r < 0)
        return r;
    r = loader_new(
        &daemon->loader, daemon->event, daemon->config,
        &(struct loader_callbacks){
            .file = on_file, .settled = on_settled, .trouble = on_trouble, .userdata = daemon});
    if (r < 0)
        log_error("cannot watch the manifests: %s", g_strerror(-r));
    else
        open_inspect(daemon);
    return r;
}

static void close_all(struct daemon *daemon)
{
    daemon->inspect = inspect_free(daemon->inspect);
    daemon->loader = loader_free(daemon->loader);
    daemon->server = server_free(daemon->server);
    daemon->external = external_free(daemon->external);
    daemon->cluster = cluster_free(daemon->cluster);
    daemon->journal = lease_journal_close(daemon->journal);
    daemon->changes = changes_free(daemon->changes);
    daemon->publisher = publisher_free(daemon->publisher);
    daemon->writer = snapshot_writer_free(daemon->writer);
    daemon->fiber = fiber_free(daemon->fiber);
    daemon->pace = pace_free(daemon->pace);
    daemon->supervisor = supervisor_free(daemon->supervisor);
    daemon->event = sd_event_unref(daemon->event);
    g_clear_pointer(&daemon->world.refusal, g_ptr_array_unref);
    daemon->config = config_free(daemon->config);
}

int daemon_run(struct config *config, const struct config_options *options)
{
    struct daemon daemon = {.options = options, .config = config};
    int r = open_all(&daemon);
    if (r >= 0)
        r = sd_event_loop(daemon.event);
    if (r >= 0)
        log_info("ends");
    close_all(&daemon);
    return r < 0 ? r : 0;
}
