/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inspect. One report is created at a time, so that turn is what must be shared fairly, and the
 * memory of those being sent. Users take turns; each may have a few reports, and all together some
 * megabytes. Slots for root and the daemon's user are counted separately.
 */
#include "inspect.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "followers.h"
#include "lib/util/timer.h"
#include "report.h"

#define WAITING_MAX 64u
#define WAITING_USER_MAX 8u
#define SENDING_MAX 8u
#define SENDING_USER_MAX 2u
#define SENDING_BYTES_MAX ((size_t)64 << 20) /* then no other is begun */

/* Less than kubesvc(1) waits for its answer. */
#define WAIT_USEC (8 * (uint64_t)G_USEC_PER_SEC)
/* Nothing of a report was read for so long. */
#define STALL_USEC (10 * (uint64_t)G_USEC_PER_SEC)

struct inspect {
    struct inspect_options options;
    GQueue waiting, sending; /* of struct job */
    struct job *making;      /* NULL: the loader thread has none */
    struct followers *followers;
    struct streams *streams;
    bool followed; /* the loader thread writes down what changes for streams */
};

static void end_at_once(int fd, enum kubesvc_inspect_result result)
{
    uint8_t frame[FRAME_WRITER_END_SIZE];

    frame_writer_make_end(frame, result);
    /* Nothing was sent before it, so it fits. */
    (void)send(fd, frame, sizeof frame, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static bool is_privileged(uid_t uid)
{
    return uid == 0 || uid == geteuid();
}

struct count {
    unsigned of_user, of_kind; /* of the same kind: privileged or not */
    size_t bytes;
};

static struct count count(const GQueue *queue, uid_t uid)
{
    struct count count = {0};

    for (const GList *link = queue->head; link; link = link->next) {
        const struct job *job = link->data;

        if (is_privileged(job->uid) != is_privileged(uid))
            continue;
        count.of_user += job->uid == uid;
        count.of_kind++;
        count.bytes += job->frames.size;
    }
    return count;
}

static bool may_be_made(const struct inspect *inspect, uid_t uid)
{
    struct count sending = count(&inspect->sending, uid);

    return sending.of_user < SENDING_USER_MAX && sending.of_kind < SENDING_MAX &&
           sending.bytes < SENDING_BYTES_MAX;
}

/* The next one to run, of root and the daemon's user before others; NULL: none. */
static struct job *choose(const struct inspect *inspect)
{
    struct job *chosen = NULL;

    for (const GList *link = inspect->waiting.head; link; link = link->next) {
        struct job *job = link->data;

        if (!may_be_made(inspect, job->uid))
            continue;
        if (is_privileged(job->uid))
            return job;
        if (!chosen)
            chosen = job;
    }
    return chosen;
}

/* The user has had a turn: the next one is for others. */
static void put_behind(GQueue *waiting, uid_t uid)
{
    GList *next;

    for (GList *link = waiting->head, *last = waiting->tail; link; link = next) {
        next = link == last ? NULL : link->next;
        if (((const struct job *)link->data)->uid != uid)
            continue;
        g_queue_unlink(waiting, link);
        g_queue_push_tail_link(waiting, link);
    }
}

static void make_next(struct inspect *inspect)
{
    struct job *job = inspect->making ? NULL : choose(inspect);

    if (!job)
        return;
    g_queue_remove(&inspect->waiting, job);
    put_behind(&inspect->waiting, job->uid);
    (void)sd_event_source_set_enabled(job->timer, SD_EVENT_OFF);
    job->state = JOB_MAKING;
    job->query = inspect_query_new(&job->args, inspect->options.root, inspect->options.upstream);
    server_status(inspect->options.server, &job->server);
    job->n_clients = streams_list(inspect->streams, job->clients);
    inspect->making = job;
    inspect->followed |= report_stays(&job->args);
    inspect->options.make(inspect->options.userdata, job);
}

/* Its client has gone, or has waited for too long. */
static void drop(struct job *job)
{
    struct inspect *inspect = job->inspect;

    if (job->state == JOB_MAKING) {
        job->gone = true;
        (void)sd_event_source_set_enabled(job->io, SD_EVENT_OFF);
        return;
    }
    g_queue_remove(job->state == JOB_WAITING ? &inspect->waiting : &inspect->sending, job);
    job_free(job);
    make_next(inspect);
}

static void send_on(struct job *job)
{
    size_t before = job->frames.size;
    int r = frame_writer_send(&job->frames, job->fd);

    if (r != FRAME_WRITER_LEFT) {
        drop(job);
        return;
    }
    if (job->frames.size < before)
        (void)timer_start(job->timer, STALL_USEC);
    (void)sd_event_source_set_io_events(job->io, EPOLLOUT);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct job *job = userdata;

    (void)source, (void)fd;
    if (job->state == JOB_SENDING && !(revents & (EPOLLHUP | EPOLLERR)))
        send_on(job);
    else /* watched for its hang-up only */
        drop(job);
    return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct job *job = userdata;

    (void)source, (void)usec;
    if (job->state == JOB_WAITING)
        end_at_once(job->fd, KUBESVC_INSPECT_BUSY);
    drop(job);
    return 0;
}

/* Not while the loader thread is creating a report that lets a program follow. */
static void rest(void *userdata)
{
    struct inspect *inspect = userdata;
    struct stream_client clients[STREAMS_MAX];
    bool busy = inspect->making && report_stays(&inspect->making->args);

    if (!inspect->followed || busy || streams_list(inspect->streams, clients) > 0)
        return;
    inspect->followed = false;
    inspect->options.rest(inspect->options.userdata);
}

/* It has all there is: what changes comes as it changes. */
static void let_follow(struct inspect *inspect, struct job *job)
{
    struct stream_client client = {.pid = job->pid, .uid = job->uid};

    g_strlcpy(client.program, args_get(&job->args, 1), sizeof client.program);
    if (!streams_add(inspect->streams, job->fd, &client, &job->frames))
        end_at_once(job->fd, KUBESVC_INSPECT_BUSY);
    job_free(job);
}

void inspect_made(struct inspect *inspect, struct job *job)
{
    inspect->making = NULL;
    if (job->gone || job->stays) {
        if (job->gone)
            job_free(job);
        else
            let_follow(inspect, job);
        rest(inspect);
        make_next(inspect);
        return;
    }
    job->state = JOB_SENDING;
    g_queue_push_tail(&inspect->sending, job);
    (void)timer_start(job->timer, STALL_USEC);
    send_on(job);
    make_next(inspect);
}

static bool is_full(const struct inspect *inspect, uid_t uid)
{
    struct count waiting = count(&inspect->waiting, uid);

    return waiting.of_user >= WAITING_USER_MAX || waiting.of_kind >= WAITING_MAX;
}

static int listen_to(struct inspect *inspect, struct job *job)
{
    sd_event *event = inspect->options.event;
    int r = sd_event_add_io(event, &job->io, job->fd, 0, on_io, job);

    if (r >= 0)
        r = sd_event_add_time_relative(event, &job->timer, CLOCK_MONOTONIC, WAIT_USEC, 0, on_timer,
                                       job);
    return r;
}

static void take(struct inspect *inspect, const struct ucred *peer, int fd, const char *payload,
                 size_t size)
{
    int own = is_full(inspect, peer->uid) ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
    struct job *job;

    if (own < 0) {
        end_at_once(fd, KUBESVC_INSPECT_BUSY);
        return;
    }
    job = job_new(peer, own, payload, size);
    job->inspect = inspect;
    if (listen_to(inspect, job) < 0) {
        end_at_once(fd, KUBESVC_INSPECT_BUSY);
        job_free(job);
        return;
    }
    g_queue_push_tail(&inspect->waiting, job);
    make_next(inspect);
}

static void watch(struct inspect *inspect, int fd, const struct ucred *peer,
                  const struct args *args)
{
    bool questions = strcmp(args_get(args, 1), "questions") == 0;

    if (args->n > 2 || (args->n == 2 && !questions)) {
        end_at_once(fd, KUBESVC_INSPECT_UNKNOWN);
        return;
    }
    switch (followers_add(inspect->followers, fd, peer, questions)) {
    case FOLLOWERS_ADDED: break;
    case FOLLOWERS_BUSY: end_at_once(fd, KUBESVC_INSPECT_BUSY); break;
    case FOLLOWERS_DENIED: end_at_once(fd, KUBESVC_INSPECT_DENIED); break;
    }
}

static void on_request(void *userdata, int fd, const char *payload, size_t size)
{
    struct inspect *inspect = userdata;
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t peer_size = sizeof peer;
    struct args args;

    (void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size);
    if (size > KUBESVC_REQUEST_MAX || !args_parse(&args, payload, size))
        end_at_once(fd, KUBESVC_INSPECT_UNKNOWN);
    else if (strcmp(args.items[0], "watch") == 0)
        watch(inspect, fd, &peer, &args);
    else if (!report_find(&args))
        end_at_once(fd, KUBESVC_INSPECT_UNKNOWN);
    else
        take(inspect, &peer, fd, payload, size);
}

struct inspect *inspect_new(const struct inspect_options *options)
{
    struct inspect *inspect = g_new(struct inspect, 1);

    *inspect = (struct inspect){
        .options = *options,
        .waiting = G_QUEUE_INIT,
        .sending = G_QUEUE_INIT,
        .followers = followers_new(options->event, options->server),
    };
    inspect->streams = streams_new(&(struct streams_options){.event = options->event,
                                                             .of_all = 8,
                                                             .of_user = 4,
                                                             .lag = (size_t)16 << 20,
                                                             .stall = STALL_USEC,
                                                             .gone = rest,
                                                             .userdata = inspect});
    server_set_inspect(options->server, on_request, inspect);
    return inspect;
}

struct inspect *inspect_free(struct inspect *inspect)
{
    if (!inspect)
        return NULL;
    server_set_inspect(inspect->options.server, NULL, NULL);
    g_queue_clear_full(&inspect->waiting, (GDestroyNotify)(void (*)(void))job_free);
    g_queue_clear_full(&inspect->sending, (GDestroyNotify)(void (*)(void))job_free);
    followers_free(inspect->followers);
    streams_free(inspect->streams);
    g_free(inspect);
    return NULL;
}

void inspect_emit_backends(struct inspect *inspect, const char *lines)
{
    streams_emit(inspect->streams, lines, false);
}

void inspect_emit(struct inspect *inspect, uint64_t time, const char *text)
{
    followers_emit(inspect->followers, time, text);
}
