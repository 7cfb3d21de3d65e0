/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wires the loader's batches to the cluster, the cluster's words to the publisher, and the server
 * thread's messages to what they ask for. Plain calls from one end to the other: a batch is handed
 * over, worked out, its leases written, and published, in one go.
 *
 * Messages are heard in two places: on the loop, and between two pieces of work. There the model is
 * in the middle of something, so it may be looked at and not changed; what would change it waits.
 */
#include "loader_thread.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "daemon/inspect/backends.h"
#include "daemon/inspect/report.h"
#include "daemon/publish/publisher.h"
#include "daemon/runtime/runtimes.h"
#include "daemon/state/lease_journal.h"
#include "daemon/state/start_guard.h"
#include "lib/util/exposure.h"
#include "lib/util/log.h"
#include "lib/util/node.h"
#include "message.h"

/* Lookups go first; other work of the machine does as well, within reason. */
#define LOADER_NICE 5
#define STACK_SIZE ((size_t)8 << 20)

/* What is done now and then, in microseconds. */
#define RETRY_USEC G_USEC_PER_SEC /* what there was no memory for is tried again */
#define SYNC_USEC G_USEC_PER_SEC  /* the disk is waited for, after leases were written */
#define PROGRESS_USEC (G_USEC_PER_SEC / 10)
#define LISTEN_USEC 10000       /* inotify is heard during work */
#define WHOLE_USEC 50000        /* a report waits so long for work to end, to show what it made */
#define END_USEC G_USEC_PER_SEC /* the thread is waited for at the end */

/* So many objects and records that what replacing them leaves behind is worth a look. */
#define MANY_REPLACED 20000u

/* Who watches for changes and does not read: beyond this they are left out. */
#define CHANGES_MAX 1000u

struct loader_thread {
    const struct config_options *options;
    struct config *config;
    struct thread_queue *inbox, *outbox;
    pthread_t thread;
    bool runs;
    sem_t ended; /* posted when it has left its loop */
    sd_event *event;
    sd_event_source *hearing, *retrying, *syncing;
    struct snapshot_writer *writer;
    struct publisher *publisher;
    struct changes *changes;
    struct backends *backends;
    struct cluster *cluster;
    struct lease_journal *journal; /* NULL: leases are not kept */
    struct start_guard *guard;     /* NULL: deaths are not counted */
    struct loader *loader;
    struct runtimes *runtimes;
    struct inspect_world world; /* what reports show of all this */
    uint64_t retired;           /* as last said to the server thread */
    uint64_t n_handed_over;     /* objects, ever */
    uint64_t n_trimmed;         /* of them and of changed records, when memory was given back */
    int64_t listened, shown;    /* when inotify was last heard, progress last shown */
    int64_t began;              /* when the work began that goes on */
    bool reload_due, end_due;   /* messages that wait for the loop */
    bool loaded;                /* the first batch was complete */
    bool ready;                 /* and is published */
    bool hindered;              /* it could not be; tried again now and then */
};

static void send(struct loader_thread *thread, enum message_kind kind, uint64_t number)
{
    message_push(thread->outbox, &(struct message){.kind = kind, .number = number});
}

/* --- Configuration --- */

int loader_thread_load_config(struct config **configp, const struct config_options *options,
                              GPtrArray *errors)
{
    int r = config_load_texts(configp, options, errors);
    for (guint i = 0; i < errors->len; i++)
        log_error("%s", (const char *)errors->pdata[i]);
    return r;
}

static void configure(struct loader_thread *thread)
{
    const struct config *config = thread->config;
    g_autoptr(GArray) node_ips = g_array_new(FALSE, FALSE, sizeof(struct address));
    if (config->node_ips->len > 0)
        g_array_append_vals(node_ips, config->node_ips->data, config->node_ips->len);
    else
        node_addresses(node_ips);
    g_autofree char *runtimes = runtimes_names(config), *node = runtimes_node(config);
    cluster_configure(thread->cluster, &(struct cluster_options){
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
    publisher_configure(thread->publisher, config);
}

static void send_nameservers(struct loader_thread *thread)
{
    GPtrArray *nameservers = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < thread->config->nameservers->len; i++)
        g_ptr_array_add(nameservers, g_strdup(thread->config->nameservers->pdata[i]));
    message_push(thread->outbox, &(struct message){.kind = MESSAGE_SERVERS,
                                                   .nameservers = nameservers,
                                                   .number = thread->config->maps});
}

/* --- Publishing --- */

static void say_ready(struct loader_thread *thread)
{
    unsigned objects = cluster_size(thread->cluster);
    if (!thread->ready) {
        log_info("ready: %u object%s, listening on %s", objects, objects == 1 ? "" : "s",
                 thread->config->socket);
        changes_add(thread->changes, "loaded: %u object%s", objects, objects == 1 ? "" : "s");
        cluster_observe(thread->cluster, NULL, NULL);
        start_guard_finish(thread->guard);
    }
    thread->ready = true;
    send(thread, MESSAGE_READY, objects);
}

static void try_again(struct loader_thread *thread, int error)
{
    if (!thread->hindered)
        log_error("cannot publish: %s; answers stay unchanged until it succeeds",
                  g_strerror(-error));
    thread->hindered = true;
    (void)sd_event_source_set_time_relative(thread->retrying, RETRY_USEC);
    (void)sd_event_source_set_enabled(thread->retrying, SD_EVENT_ONESHOT);
}

/* Memory that the server thread may still be reading is kept until it says that it has passed. */
static void tell_of_retired(struct loader_thread *thread)
{
    uint64_t retired = snapshot_writer_retired(thread->writer);
    if (retired == thread->retired)
        return;
    thread->retired = retired;
    send(thread, MESSAGE_RETIRED, retired);
}

static void publish(struct loader_thread *thread)
{
    changes_before_publish(thread->changes, thread->ready);
    int r = publisher_publish(thread->publisher, cluster_size(thread->cluster) == 0);
    if (r < 0) {
        try_again(thread, r);
        return;
    }
    if (thread->hindered)
        log_notice("published; earlier publishing errors are resolved");
    thread->hindered = false;
    thread->world.published = (uint64_t)g_get_monotonic_time();
    thread->world.loaded = true;
    backends_published(thread->backends, &thread->world);
    say_ready(thread);
}

/* What was replaced by the thousands leaves holes that the allocator keeps for itself. Records
 * count as well as objects: one object can have as many replicas as many objects. */
static void give_memory_back(struct loader_thread *thread)
{
    struct snapshot_writer_status status;
    snapshot_writer_status(thread->writer, &status);
    uint64_t replaced = thread->n_handed_over + status.changes;
    if (replaced - thread->n_trimmed < MANY_REPLACED)
        return;
    thread->n_trimmed = replaced;
    (void)malloc_trim(0);
}

/* What can wait until names are published. */
static void tidy(struct loader_thread *thread)
{
    int r = thread->hindered ? 0 : snapshot_writer_compact(thread->writer);
    if (r < 0)
        log_warning("cannot compact the snapshot: %s; it keeps growing", g_strerror(-r));
    tell_of_retired(thread);
    give_memory_back(thread);
    int enabled = SD_EVENT_OFF;
    (void)sd_event_source_get_enabled(thread->syncing, &enabled);
    if (enabled != SD_EVENT_OFF || !thread->journal ||
        !lease_journal_is_unsynced(thread->journal, cluster_leases(thread->cluster)))
        return;
    (void)sd_event_source_set_time_relative(thread->syncing, SYNC_USEC);
    (void)sd_event_source_set_enabled(thread->syncing, SD_EVENT_ONESHOT);
}

static void begin_work(struct loader_thread *thread)
{
    if (!thread->world.at_work)
        thread->began = g_get_monotonic_time();
    thread->world.at_work = true;
}

/* Works out what follows from all that was said, and publishes it. An address is known to the
 * journal before it is answered. */
static void work_out(struct loader_thread *thread)
{
    if (!thread->loaded)
        return;
    begin_work(thread);
    cluster_update(thread->cluster);
    start_guard_leave(thread->guard);
    thread->world.at_work = false;
    thread->world.taken = cluster_taken(thread->cluster);
    loader_relieve(thread->loader);
    if (thread->journal)
        lease_journal_write(thread->journal, cluster_leases(thread->cluster));
    publish(thread);
    tidy(thread);
    log_progress(NULL);
    thread->shown = 0;
}

/* A configuration that cannot be read or is wrong changes nothing. */
static void refuse(struct loader_thread *thread)
{
    thread->world.refused = (uint64_t)g_get_real_time();
    log_error("configuration rejected; keeping the previous one");
    changes_add(thread->changes, "configuration rejected: %s",
                (const char *)thread->world.refusal->pdata[0]);
    if (thread->ready)
        say_ready(thread);
}

static void reload(struct loader_thread *thread)
{
    struct config *config = NULL;
    thread->reload_due = false;
    thread->world.reloads++;
    g_ptr_array_set_size(thread->world.refusal, 0);
    if (loader_thread_load_config(&config, thread->options, thread->world.refusal) != 0) {
        refuse(thread);
        return;
    }
    struct config *before = thread->config;
    thread->world.config = thread->config = config;
    configure(thread);
    backends_reconfigure(thread->backends);
    send_nameservers(thread);
    loader_reload(thread->loader, config);
    runtimes_reload(thread->runtimes, config);
    config_free(before);
    log_info("configuration reloaded");
    changes_add(thread->changes, "configuration reloaded");
    work_out(thread);
}

/* --- Messages --- */

static void answer(struct loader_thread *thread, struct message *message)
{
    switch (message->kind) {
    case MESSAGE_REPORT:
        report_make(&thread->world, message->job);
        thread_queue_push(thread->outbox, &message->item);
        return;
    case MESSAGE_PING: thread_queue_push(thread->outbox, &message->item); return;
    case MESSAGE_PASSED: snapshot_writer_release(thread->writer, message->number); break;
    case MESSAGE_RELOAD: thread->reload_due = true; break;
    case MESSAGE_END: thread->end_due = true; break;
    case MESSAGE_REST: backends_rest(thread->backends); break;
    default: break;
    }
    message_free(message);
}

static void answer_all(struct loader_thread *thread)
{
    struct message *message;
    while ((message = message_pop(thread->inbox)))
        answer(thread, message);
}

static int on_message(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct loader_thread *thread = userdata;
    (void)fd, (void)revents;
    thread_queue_hear(thread->inbox);
    answer_all(thread);
    if (thread->end_due)
        return sd_event_exit(sd_event_source_get_event(source), 0);
    if (thread->reload_due)
        reload(thread);
    else if (!thread->world.at_work)
        tidy(thread); /* a compaction may have waited for readers to pass */
    return 0;
}

static void show_progress(struct loader_thread *thread, int64_t now)
{
    struct loader_progress progress;
    if (now < thread->shown + PROGRESS_USEC)
        return;
    bool first = thread->shown == 0;
    thread->shown = now;
    if (first) /* what takes less than that needs no word */
        return;
    loader_progress(thread->loader, &progress);
    log_progress("loading: %u of %u files, %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " objects",
                 progress.files, progress.files_found,
                 cluster_taken(thread->cluster) - thread->world.taken, progress.objects);
}

/* Between two pieces of work: the model may be looked at, and must not be changed. */
static void between(void *userdata)
{
    struct loader_thread *thread = userdata;
    int64_t now = g_get_monotonic_time();
    if (!thread->world.at_work || now >= thread->began + WHOLE_USEC)
        answer_all(thread);
    if (now >= thread->listened + LISTEN_USEC) {
        thread->listened = now;
        loader_listen(thread->loader);
    }
    show_progress(thread, now);
}

/* --- What the parts say --- */

static void on_file(void *userdata, struct source *source, GPtrArray *objects)
{
    struct loader_thread *thread = userdata;
    thread->n_handed_over += objects ? objects->len : 0;
    begin_work(thread);
    cluster_replace(thread->cluster, source, objects);
}

/* Only while the daemon starts: a later death is followed by a start, which will tell. */
static unsigned on_reading(void *userdata, const char *path, uint64_t stamp)
{
    const struct loader_thread *thread = userdata;
    unsigned deaths = path ? start_guard_deaths(thread->guard, path, stamp) : 0;
    if (path && !thread->ready && deaths < START_GUARD_DEATHS)
        start_guard_enter(thread->guard, path, stamp);
    else
        start_guard_leave(thread->guard);
    return deaths;
}

static void on_working_out(void *userdata, const struct source *source)
{
    const struct loader_thread *thread = userdata;
    start_guard_enter(thread->guard, source->path, source->stamp);
}

static void on_settled(void *userdata, bool first)
{
    struct loader_thread *thread = userdata;
    thread->loaded = thread->loaded || first;
    work_out(thread);
}

static void on_sightings(void *userdata, const char *path, GPtrArray *sightings)
{
    const struct loader_thread *thread = userdata;
    cluster_see(thread->cluster, path, sightings);
}

static void on_named(void *userdata, const GPtrArray *directories)
{
    const struct loader_thread *thread = userdata;
    loader_name(thread->loader, thread->config, directories);
}

static void on_sighted(void *userdata)
{
    work_out(userdata);
}

static void on_trouble(void *userdata, const char *path, const struct diagnostic *error)
{
    const struct loader_thread *thread = userdata;
    g_autofree char *text = error ? diagnostic_format(error, path) : NULL;
    if (error)
        changes_add(thread->changes, "%s", text);
    else
        changes_add(thread->changes, "%s: fixed", path);
}

static void on_lease(void *userdata, enum lease_event event, const struct lease *lease)
{
    const struct loader_thread *thread = userdata;
    if (thread->journal)
        lease_journal_note(thread->journal, event, lease);
}

static void on_change(void *userdata, const struct change *change)
{
    struct loader_thread *thread = userdata;
    if (thread_queue_length(thread->outbox) >= CHANGES_MAX)
        return;
    message_push(thread->outbox, &(struct message){.kind = MESSAGE_CHANGE,
                                                   .number = change->time,
                                                   .text = g_strdup(change->text)});
}

static void on_backends(void *userdata, char *lines)
{
    const struct loader_thread *thread = userdata;
    message_push(thread->outbox, &(struct message){.kind = MESSAGE_BACKENDS, .text = lines});
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct loader_thread *thread = userdata;
    (void)source, (void)usec;
    publish(thread);
    tidy(thread);
    return 0;
}

static int on_sync(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct loader_thread *thread = userdata;
    (void)source, (void)usec;
    lease_journal_sync(thread->journal, cluster_leases(thread->cluster));
    return 0;
}

/* --- Life --- */

static int open_loop(struct loader_thread *thread)
{
    int r = sd_event_new(&thread->event);
    if (r >= 0)
        r = sd_event_add_io(thread->event, &thread->hearing, thread_queue_fd(thread->inbox),
                            EPOLLIN, on_message, thread);
    if (r >= 0)
        r = sd_event_add_time(thread->event, &thread->retrying, CLOCK_MONOTONIC, 0, 0, on_retry,
                              thread);
    if (r >= 0)
        r = sd_event_source_set_enabled(thread->retrying, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_time(thread->event, &thread->syncing, CLOCK_MONOTONIC, 0, 0, on_sync,
                              thread);
    if (r >= 0)
        r = sd_event_source_set_enabled(thread->syncing, SD_EVENT_OFF);
    return r;
}

/* What the thread made ends in it: the published memory has a mutex that is the thread's. */
static void close_parts(struct loader_thread *thread)
{
    thread->runtimes = runtimes_free(thread->runtimes);
    thread->loader = loader_free(thread->loader);
    thread->cluster = cluster_free(thread->cluster);
    thread->guard = start_guard_close(thread->guard);
    if (thread->journal)
        thread->journal = lease_journal_close(thread->journal);
    thread->backends = backends_free(thread->backends);
    thread->changes = changes_free(thread->changes);
    thread->publisher = publisher_free(thread->publisher);
    thread->writer = snapshot_writer_free(thread->writer);
}

static void close_all(struct loader_thread *thread)
{
    close_parts(thread);
    sd_event_source_disable_unref(thread->hearing);
    sd_event_source_disable_unref(thread->retrying);
    sd_event_source_disable_unref(thread->syncing);
    sd_event_unref(thread->event);
    g_clear_pointer(&thread->world.refusal, g_ptr_array_unref);
    config_free(thread->config);
    (void)sem_destroy(&thread->ended);
    g_free(thread);
}

int loader_thread_new(struct loader_thread **threadp, struct config *config,
                      const struct config_options *options, struct thread_queue *inbox,
                      struct thread_queue *outbox)
{
    struct loader_thread *thread = g_new0(struct loader_thread, 1);
    *thread = (struct loader_thread){
        .options = options, .config = config, .inbox = inbox, .outbox = outbox};
    (void)sem_init(&thread->ended, 0, 0);
    int r = open_loop(thread);
    if (r >= 0)
        r = snapshot_writer_new(&thread->writer);
    if (r < 0) {
        log_error("cannot start: %s", g_strerror(-r));
        close_all(thread);
        return r;
    }
    thread->publisher = publisher_new(thread->writer);
    thread->changes = changes_new(publisher_sink(thread->publisher), thread->writer);
    changes_observe(thread->changes, on_change, thread);
    thread->backends = backends_new(changes_sink(thread->changes));
    backends_observe(thread->backends, on_backends, thread);
    thread->cluster = cluster_new(backends_sink(thread->backends), on_lease, thread,
                                  (struct between){between, thread});
    configure(thread);
    *threadp = thread;
    return 0;
}

struct snapshot_root *loader_thread_root(const struct loader_thread *thread)
{
    return snapshot_writer_root(thread->writer);
}

/* Without its journal the daemon serves all the same; only a second one with the same leases must
 * not be. */
static int open_journal(struct loader_thread *thread)
{
    const char *state = thread->config->state;
    int r = exposure_refuse(state);
    if (r < 0)
        return r;
    r = lease_journal_open(&thread->journal, state, cluster_leases(thread->cluster));
    if (r == -EBUSY) {
        log_error("%s: in use by another daemon; choose another --state", state);
        return r;
    }
    if (r < 0)
        log_warning("%s: cannot be used: %s; addresses will change when the daemon restarts", state,
                    g_strerror(-r));
    return 0;
}

/* Where leases cannot be kept, deaths cannot be counted either, and that has been said. */
static void open_guard(struct loader_thread *thread)
{
    int r = thread->journal ? start_guard_open(&thread->guard, thread->config->state) : 0;
    if (r < 0 && r != -EACCES && r != -EROFS && r != -EPERM)
        log_warning("%s: cannot record crashes there: %s", thread->config->state, g_strerror(-r));
    if (thread->guard)
        cluster_observe(thread->cluster, on_working_out, thread);
}

static int open_manifests(struct loader_thread *thread)
{
    int r = loader_new(&thread->loader, thread->event, thread->config,
                       &(struct loader_callbacks){.file = on_file,
                                                  .settled = on_settled,
                                                  .trouble = on_trouble,
                                                  .reading = on_reading,
                                                  .deaths_max = START_GUARD_DEATHS,
                                                  .userdata = thread,
                                                  .between = {between, thread}});
    if (r < 0)
        log_error("cannot watch the manifests: %s", g_strerror(-r));
    return r;
}

static int open_runtimes(struct loader_thread *thread)
{
    int r = runtimes_new(&thread->runtimes, thread->event, thread->config,
                         &(struct runtimes_callbacks){.seen = on_sightings,
                                                      .manifests = on_named,
                                                      .settled = on_sighted,
                                                      .userdata = thread});
    if (r < 0)
        log_error("cannot watch container runtimes: %s", g_strerror(-r));
    return r;
}

/* Courtesies; a sandbox may not let it. */
static void step_back(void)
{
    pid_t self = gettid();
    errno = 0;
    int nice = getpriority(PRIO_PROCESS, (id_t)self);
    if (errno == 0)
        (void)setpriority(PRIO_PROCESS, (id_t)self, nice + LOADER_NICE);
    (void)sched_setscheduler(self, SCHED_BATCH, &(struct sched_param){0});
}

static void *run(void *userdata)
{
    struct loader_thread *thread = userdata;
    step_back();
    int r = sd_event_loop(thread->event);
    if (r < 0)
        message_push(thread->outbox, &(struct message){.kind = MESSAGE_FAILED, .error = r});
    else /* nobody looks any more */
        close_parts(thread);
    (void)sem_post(&thread->ended);
    return NULL;
}

/* All signals are the server thread's. */
static int start(struct loader_thread *thread)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    sigfillset(&all);
    int r = pthread_attr_init(&attributes);
    if (r != 0)
        return -r;
    r = pthread_attr_setstacksize(&attributes, STACK_SIZE);
    if (r == 0)
        r = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (r == 0) {
        r = pthread_create(&thread->thread, &attributes, run, thread);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    (void)pthread_attr_destroy(&attributes);
    thread->runs = r == 0;
    if (thread->runs)
        (void)pthread_setname_np(thread->thread, "kubesvcd-loader");
    return -r;
}

int loader_thread_start(struct loader_thread *thread)
{
    int r = open_journal(thread);
    if (r == 0)
        open_guard(thread);
    if (r == 0)
        r = open_manifests(thread);
    if (r == 0)
        r = open_runtimes(thread);
    if (r < 0)
        return r;
    thread->world = (struct inspect_world){
        .config = thread->config,
        .options = thread->options,
        .refusal = g_ptr_array_new_with_free_func(g_free),
        .cluster = thread->cluster,
        .writer = thread->writer,
        .loader = thread->loader,
        .runtimes = thread->runtimes,
        .changes = thread->changes,
        .backends = thread->backends,
        .started = (uint64_t)g_get_monotonic_time(),
    };
    r = start(thread);
    if (r < 0)
        log_error("cannot start a thread: %s", g_strerror(-r));
    return r;
}

static int join(struct loader_thread *thread)
{
    struct timespec end;
    message_push(thread->inbox, &(struct message){.kind = MESSAGE_END});
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += END_USEC / G_USEC_PER_SEC;
    int r;
    do
        r = sem_clockwait(&thread->ended, CLOCK_MONOTONIC, &end);
    while (r < 0 && errno == EINTR);
    if (r < 0) {
        (void)pthread_detach(thread->thread);
        return -EBUSY;
    }
    (void)pthread_join(thread->thread, NULL);
    return 0;
}

int loader_thread_end(struct loader_thread **threadp)
{
    struct loader_thread *thread = g_steal_pointer(threadp);
    if (!thread)
        return 0;
    start_guard_end(thread->guard);
    if (thread->runs && join(thread) < 0)
        return -EBUSY;
    close_all(thread);
    return 0;
}
