/*
 * Server: accepts, answers, and keeps those waiting that must wait.
 *
 * Nearly every client has sent its request by the time it is accepted and takes its answer at once:
 * it is served without ever being watched. Only what remains (half a request, a full socket, a
 * question for a nameserver, a connection to be kept) is put on the event loop, counted by user in
 * the roster and put into one of two queues: `waiting` for bytes to come or go, `parked` for a
 * nameserver. All in one queue wait equally long, so each is sorted by itself and one timer serves
 * both.
 */
#include "server.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "acceptor.h"
#include "answer.h"
#include "client.h"
#include "listener.h"
#include "find.h"
#include "roster.h"
#include "rotation.h"

#define SERVER_CLIENTS_MAX 4096u
#define SERVER_FDS_RESERVED 64u /* for files, directories, nameservers */
#define SERVER_BYTES_MAX ((size_t)64 << 20)

/* What one turn of the event loop does at most, so that none takes long. */
#define SERVER_QUEUE_BATCH 256u

#define MSEC ((uint64_t)1000)
#define SERVER_PATIENCE (5000 * MSEC)
#define SERVER_PENDING_EVERY (KUBESVC_PENDING_EVERY_MS * MSEC)
#define SERVER_PENDING_MAX (KUBESVC_PENDING_MAX_MS * MSEC)

struct server {
    sd_event *event;
    struct snapshot_writer *writer;
    struct external *external;
    struct listener *listener;
    struct rotation *rotation;
    struct roster *roster;
    struct acceptor *acceptor;
    sd_event_source *timer, *retrying;
    GQueue waiting, parked;
    GList *retry;   /* in `parked`: the next to run again; NULL: the first */
    size_t n_retry; /* so many are to be run again */
    struct server_status counts;
};

static uint64_t server_now(const struct server *server)
{
    uint64_t now = 0;

    (void)sd_event_now(server->event, CLOCK_MONOTONIC, &now);
    return now;
}

/* Sets the timer to the first client whose turn comes, unless it will fire before anyhow. */
static void server_arm(struct server *server)
{
    uint64_t due = UINT64_MAX, set = UINT64_MAX;
    int enabled = SD_EVENT_OFF;

    if (server->waiting.head)
        due = ((struct client *)server->waiting.head->data)->due;
    if (server->parked.head)
        due = MIN(due, ((struct client *)server->parked.head->data)->due);
    if (due == UINT64_MAX)
        return;
    (void)sd_event_source_get_enabled(server->timer, &enabled);
    (void)sd_event_source_get_time(server->timer, &set);
    if (enabled != SD_EVENT_OFF && set <= due)
        return;
    (void)sd_event_source_set_time(server->timer, due);
    (void)sd_event_source_set_enabled(server->timer, SD_EVENT_ONESHOT);
}

static void server_dequeue(struct server *server, struct client *client)
{
    if (!client->queue)
        return;
    if (server->retry == &client->turn)
        server->retry = client->turn.next;
    g_queue_unlink(client->queue, &client->turn);
    client->queue = NULL;
}

static void server_enqueue(struct server *server, struct client *client, GQueue *queue,
                           uint64_t due)
{
    server_dequeue(server, client);
    client->queue = queue;
    client->due = due;
    g_queue_push_tail_link(queue, &client->turn);
    server_arm(server);
}

static void server_drop(struct server *server, struct client *client)
{
    server_dequeue(server, client);
    if (client->user)
        roster_remove(server->roster, client);
    client_free(client);
}

static void server_cut_off(struct server *server, struct client *client)
{
    server->counts.refused++;
    server_drop(server, client);
}

static void server_count(struct server *server, enum kubesvc_status status)
{
    struct server_status *counts = &server->counts;

    counts->questions++;
    switch (status) {
    case KUBESVC_STATUS_FOUND: counts->found++; break;
    case KUBESVC_STATUS_NO_DATA: counts->no_data++; break;
    case KUBESVC_STATUS_NOT_FOUND: counts->not_found++; break;
    case KUBESVC_STATUS_NOT_OURS: counts->not_ours++; break;
    case KUBESVC_STATUS_TRY_AGAIN: counts->try_again++; break;
    }
}

static int server_send(struct client *client, struct answer *answer)
{
    client->parked = false;
    client->last = !client->request.keep;
    return client_send(client, answer->parts, answer->n_parts);
}

/* Answers the request that was taken last, or parks the client. 0 or CLIENT_GONE. */
static int server_answer(struct server *server, struct client *client)
{
    const struct request *request = &client->request;
    struct search_result result;
    struct answer answer;

    if (request->kind == REQUEST_UNSUPPORTED) {
        server->counts.refused++;
        answer_bare(&answer, KUBESVC_RESPONSE_UNSUPPORTED);
        return server_send(client, &answer);
    }
    find_answer(server->writer, server->external, request, &result);
    if (result.pending) {
        if (!client->parked)
            client->parked_at = server_now(server);
        client->parked = true;
        return 0;
    }
    answer_result(&answer, &result, request->room, server->rotation);
    server_count(server, result.status);
    return server_send(client, &answer);
}

/* Goes on until the client has to be waited for (0) or is finished with (CLIENT_GONE). */
static int server_advance(struct server *server, struct client *client)
{
    while (!client->rest && !client->parked) {
        int r;

        if (client->last)
            return CLIENT_GONE;
        r = client_take(client);
        if (r == REQUEST_INCOMPLETE)
            return 0;
        if (r == REQUEST_BAD)
            server->counts.refused++;
        if (r == REQUEST_BAD || server_answer(server, client))
            return CLIENT_GONE;
    }
    return 0;
}

static int server_on_client(sd_event_source *source, int fd, uint32_t revents, void *userdata);

/* Lets the client wait, in the queue where it belongs now. It may be dropped here. */
static void server_settle(struct server *server, struct client *client)
{
    struct client *excess;

    if (client_watch(client, server->event, server_on_client) < 0) {
        server_cut_off(server, client);
        return;
    }
    if (client->parked)
        server_enqueue(server, client, &server->parked, client->parked_at + SERVER_PENDING_EVERY);
    else
        server_enqueue(server, client, &server->waiting, server_now(server) + SERVER_PATIENCE);
    roster_update(server->roster, client);
    while ((excess = roster_excess(server->roster)))
        server_cut_off(server, excess);
}

static int server_on_client(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct client *client = userdata;
    struct server *server = client->server;
    bool reading = !client->rest && !client->parked;
    int r;

    (void)source;
    (void)fd;
    (void)revents;
    if (client->rest)
        r = client_flush(client);
    else if (client->parked) /* watched for its hang-up only */
        r = CLIENT_GONE;
    else
        r = client_receive(client);
    if (r == CLIENT_WAIT)
        return 0;
    if (r == CLIENT_GONE && (!reading || client->received > 0)) {
        server_cut_off(server, client);
        return 0;
    }
    if (r == 0)
        r = server_advance(server, client);
    if (r == CLIENT_GONE)
        server_drop(server, client);
    /* Bytes of a request that is still not complete buy no time. */
    else if (!reading || client->rest || client->parked || client->received == 0)
        server_settle(server, client);
    return 0;
}

/* Serves a new client as far as that goes without waiting. */
static void server_greet(void *userdata, int fd)
{
    struct server *server = userdata;
    struct client *client = client_new(fd);
    int r = client_receive(client);

    if (r == 0)
        r = server_advance(server, client);
    if (r == CLIENT_GONE) {
        client_free(client);
        return;
    }
    client->server = server;
    roster_add(server->roster, client);
    server_settle(server, client);
}

/* The acceptor's `shed`. */
static bool server_shed(void *userdata)
{
    struct server *server = userdata;
    struct client *client = roster_oldest(server->roster);

    if (!client)
        return false;
    server_cut_off(server, client);
    return true;
}

/* A parked client whose time has come: a sign of life, or the end of its patience. */
static void server_remind(struct server *server, struct client *client, uint64_t now)
{
    struct answer answer;
    int r;

    if (now - client->parked_at >= SERVER_PENDING_MAX) {
        answer_status(&answer, KUBESVC_STATUS_TRY_AGAIN);
        server_count(server, KUBESVC_STATUS_TRY_AGAIN);
        r = server_send(client, &answer);
        if (!r)
            r = server_advance(server, client);
        if (r)
            server_drop(server, client);
        else
            server_settle(server, client);
        return;
    }
    answer_bare(&answer, KUBESVC_RESPONSE_PENDING);
    if (client_offer(client, &answer.head, sizeof answer.head.header))
        server_cut_off(server, client);
    else
        server_enqueue(server, client, &server->parked, now + SERVER_PENDING_EVERY);
}

static int server_on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct server *server = userdata;
    uint64_t now = server_now(server);
    struct client *client;

    (void)source;
    (void)usec;
    for (unsigned i = 0; i < SERVER_QUEUE_BATCH; i++) {
        client = g_queue_peek_head(&server->parked);
        if (!client || client->due > now)
            break;
        server_remind(server, client, now);
    }
    for (unsigned i = 0; i < SERVER_QUEUE_BATCH; i++) {
        client = g_queue_peek_head(&server->waiting);
        if (!client || client->due > now)
            break;
        server_cut_off(server, client);
    }
    server_arm(server);
    return 0;
}

static int server_on_retry(sd_event_source *source, void *userdata)
{
    struct server *server = userdata;

    for (unsigned i = 0; i < SERVER_QUEUE_BATCH && server->n_retry > 0; i++, server->n_retry--) {
        GList *link = server->retry ? server->retry : server->parked.head;
        struct client *client;

        if (!link)
            return 0;
        client = link->data;
        server->retry = link->next;
        if (server_answer(server, client)) {
            server_cut_off(server, client);
            continue;
        }
        if (client->parked)
            continue;
        if (server_advance(server, client))
            server_drop(server, client);
        else
            server_settle(server, client);
    }
    return sd_event_source_set_enabled(source,
                                       server->n_retry > 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

void server_retry(struct server *server)
{
    /* From wherever the last round has got to: however often this is called, everybody's turn
     * comes. */
    server->n_retry = server->parked.length;
    if (server->n_retry > 0)
        (void)sd_event_source_set_enabled(server->retrying, SD_EVENT_ONESHOT);
}

/* How many clients there may be, once as many descriptors as possible are allowed. */
static size_t server_clients_max(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return SERVER_CLIENTS_MAX;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};

        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            limit = raised;
    }
    if (limit.rlim_cur <= 2 * SERVER_FDS_RESERVED)
        return SERVER_FDS_RESERVED;
    return (size_t)MIN(limit.rlim_cur - SERVER_FDS_RESERVED, SERVER_CLIENTS_MAX);
}

static int server_add_sources(struct server *server)
{
    int r = sd_event_add_time(server->event, &server->timer, CLOCK_MONOTONIC, 0, MSEC,
                              server_on_timer, server);

    if (r >= 0)
        r = sd_event_source_set_enabled(server->timer, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_defer(server->event, &server->retrying, server_on_retry, server);
    if (r >= 0)
        r = sd_event_source_set_enabled(server->retrying, SD_EVENT_OFF);
    return MIN(r, 0);
}

int server_new(struct server **serverp, sd_event *event, const char *path,
               struct snapshot_writer *writer, struct external *external)
{
    struct server *server = g_new(struct server, 1);
    int r;

    *server = (struct server){
        .event = sd_event_ref(event),
        .writer = writer,
        .external = external,
        .waiting = G_QUEUE_INIT,
        .parked = G_QUEUE_INIT,
    };
    server->roster = roster_new(server_clients_max(), SERVER_BYTES_MAX);
    r = rotation_new(&server->rotation);
    if (!r)
        r = listener_new(&server->listener, path);
    if (r == LISTENER_BUSY)
        r = SERVER_BUSY;
    if (!r)
        r = server_add_sources(server);
    if (!r)
        r = acceptor_new(&server->acceptor, event, listener_fd(server->listener),
                         &(struct acceptor_handler){server_greet, server_shed, server});
    if (r) {
        server_free(server);
        return r;
    }
    *serverp = server;
    return 0;
}

struct server *server_free(struct server *server)
{
    if (!server)
        return NULL;
    while (server->waiting.head)
        server_drop(server, server->waiting.head->data);
    while (server->parked.head)
        server_drop(server, server->parked.head->data);
    sd_event_source_disable_unref(server->timer);
    sd_event_source_disable_unref(server->retrying);
    acceptor_free(server->acceptor);
    listener_free(server->listener);
    rotation_free(server->rotation);
    roster_free(server->roster);
    sd_event_unref(server->event);
    g_free(server);
    return NULL;
}

void server_status(const struct server *server, struct server_status *status)
{
    *status = server->counts;
    status->clients = roster_count(server->roster);
    status->pending = server->parked.length;
}
