/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Server: accepts clients, answers, and holds those that must wait.
 *
 * Nearly every client has sent its request by the time it is accepted and takes its answer at once:
 * it is served without ever being watched. What remains (half a request, a full socket, a question
 * for a nameserver, a persistent connection, a user that has had its share) waits its turn: the
 * scheduler keeps users from taking each other's time, the quota from holding too much, and the
 * timeouts bound every wait.
 */
#include "server.h"

#include <glib.h>
#include <stdbool.h>

#include "answer.h"
#include "client.h"
#include "heartbeat.h"
#include "lib/util/descriptor.h"
#include "listener.h"
#include "lookup.h"
#include "quota.h"
#include "round_robin.h"
#include "scheduler.h"
#include "timeouts.h"

#define SERVER_CLIENTS_MAX 4096u
#define SERVER_FDS_RESERVED 64u /* for files, directories, nameservers */
#define SERVER_BYTES_MAX ((size_t)64 << 20)

struct server {
    sd_event *event;
    struct snapshot_root *root;
    char **zones; /* see server_reserve */
    struct heartbeat *heartbeat;
    struct upstream *upstream;
    struct round_robin *round_robin;
    struct quota *quota;
    struct timeouts *timeouts;
    struct scheduler *scheduler;
    struct listener *listener;
    struct server_status counts;
    server_inspect inspect; /* NULL: INSPECT is not supported */
    void *inspect_userdata;
    server_answered answered; /* NULL: not reported */
    void *answered_userdata;
};

static void server_drop(struct server *server, struct client *client)
{
    timeouts_remove(server->timeouts, client);
    scheduler_remove(server->scheduler, client);
    quota_remove(server->quota, client);
    client_free(client);
}

static void server_cut_off(void *userdata, struct client *client)
{
    struct server *server = userdata;

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

/* The client's question has been answered. */
static void server_note(struct server *server, const struct client *client,
                        enum kubesvc_status status, uint32_t n_addresses)
{
    uint64_t microseconds = (uint64_t)g_get_monotonic_time() - client->since;

    server_count(server, status);
    histogram_add(&server->counts.latency, microseconds);
    if (server->answered)
        server->answered(server->answered_userdata, &(struct server_question){
                                                        .request = &client->request,
                                                        .status = status,
                                                        .n_addresses = n_addresses,
                                                        .microseconds = microseconds,
                                                        .fd = client->fd,
                                                    });
}

static int server_give_map(struct server *server, struct client *client)
{
    int fd = heartbeat_allows_maps(server->heartbeat) ? snapshot_root_fd(server->root) : -1;
    struct answer answer;

    answer_map(&answer);
    int r = fd < 0 ? CLIENT_WAIT : client_pass(client, &answer, fd);
    if (r != CLIENT_WAIT) {
        server->counts.maps++;
        return r;
    }
    answer_status(&answer, KUBESVC_STATUS_TRY_AGAIN);
    return client_send(client, &answer);
}

/* Answers the last request taken, or parks the client. 0, CLIENT_DONE or CLIENT_GONE. */
static int server_answer(struct server *server, struct client *client)
{
    const struct request *request = &client->request;
    char names[KUBESVC_NAMES_SIZE_MAX];
    struct search_result result = {.names = RESOLVER_NAMES(names)};
    struct answer answer;

    if (request->kind == REQUEST_UNSUPPORTED ||
        (request->kind == REQUEST_INSPECT && !server->inspect)) {
        server->counts.refused++;
        answer_bare(&answer, KUBESVC_RESPONSE_UNSUPPORTED);
        return client_send(client, &answer);
    }
    if (request->kind == REQUEST_INSPECT) {
        server->inspect(server->inspect_userdata, client->fd, request->words, request->words_size);
        return CLIENT_DONE;
    }
    if (request->kind == REQUEST_MAP)
        return server_give_map(server, client);
    lookup_answer(server->root, server->upstream, server->zones, request, &result);
    client->parked = result.pending;
    client->reserved = result.reserved;
    if (client->parked)
        return 0;
    answer_result(&answer, &result, request->room, server->round_robin);
    server_note(server, client, result.status,
                result.status == KUBESVC_STATUS_FOUND
                    ? result.inet.n_addresses + result.inet6.n_addresses
                    : 0);
    return client_send(client, &answer);
}

/* Answers the request in the buffer. 0: answered or parked. CLIENT_WAIT: there is no whole one.
 * CLIENT_DONE, CLIENT_GONE. */
static int server_take(struct server *server, struct client *client)
{
    switch (client_take(client)) {
    case 0: return server_answer(server, client);
    case REQUEST_INCOMPLETE: return CLIENT_WAIT;
    default: server->counts.refused++; return CLIENT_GONE;
    }
}

/* The client's turn: at most one request. 0: it has made progress. CLIENT_WAIT: it needs an event.
 * CLIENT_DONE, CLIENT_GONE. */
static int server_step(struct server *server, struct client *client)
{
    if (client->parked) {
        server->counts.refused += client->hung_up;
        return client->hung_up ? CLIENT_GONE : CLIENT_WAIT;
    }
    if (client->rest) {
        int r = client_flush(client);
        server->counts.refused += r == CLIENT_GONE;
        return r;
    }
    int r = server_take(server, client);
    if (r == CLIENT_WAIT) {
        r = client_receive(client);
        server->counts.refused += r == CLIENT_GONE && client->received > 0;
        if (r == 0)
            r = server_take(server, client);
    }
    return r;
}

/* The client has made progress: its timeout restarts, and it may hold too much. It may be dropped
 * here. */
static void server_got_on(struct server *server, struct client *client)
{
    struct client *excess;

    if (client->parked)
        timeouts_for_answer(server->timeouts, client);
    else
        timeouts_for_peer(server->timeouts, client);
    quota_update(server->quota, client);
    while ((excess = quota_excess(server->quota)))
        server_cut_off(server, excess);
}

/* Handles the result `r` of a step: CLIENT_WAIT does not extend the timeout (bytes of a still
 * incomplete request do not count), unless the client is new. It may be dropped here. */
static void server_settle(struct server *server, struct client *client, int r, bool is_new)
{
    if (r == CLIENT_DONE || r == CLIENT_GONE) {
        server_drop(server, client);
        return;
    }
    if (r == 0 && !client->rest && !client->parked)
        scheduler_push(server->scheduler, client);
    else if (scheduler_watch(server->scheduler, client) < 0) {
        server_cut_off(server, client);
        return;
    }
    if (r == 0 || is_new)
        server_got_on(server, client);
}

/* The scheduler's `serve`. */
static void server_serve(void *userdata, struct client *client)
{
    struct server *server = userdata;

    server_settle(server, client, server_step(server, client), false);
}

/* Serves a new client once, if its user has time left and the request is there. */
static void server_on_accept(void *userdata, int fd)
{
    struct server *server = userdata;
    struct client *client = client_new(fd);
    struct quota_user *user = quota_user(server->quota, client_uid(client));
    uint64_t began;
    int r = 0;

    (void)sd_event_now(server->event, CLOCK_MONOTONIC, &client->since);
    if (scheduler_begin(server->scheduler, user, &began)) {
        r = server_step(server, client);
        scheduler_end(server->scheduler, user, began);
    }
    if (r == CLIENT_DONE || r == CLIENT_GONE) {
        client_free(client);
        return;
    }
    quota_add(server->quota, user, client);
    server_settle(server, client, r, true);
}

/* The acceptor's `evict`. */
static bool server_evict(void *userdata)
{
    struct server *server = userdata;
    struct client *client = quota_oldest(server->quota);

    if (!client)
        return false;
    /* A request that only waits for its turn is answered first. */
    int r = client->is_ready ? server_step(server, client) : 0;
    if (r == CLIENT_DONE || r == CLIENT_GONE)
        server_drop(server, client);
    else
        server_cut_off(server, client);
    return true;
}

static void server_send_pending(void *userdata, struct client *client)
{
    struct answer answer;

    answer_bare(&answer, KUBESVC_RESPONSE_PENDING);
    if (client_offer(client, &answer.head, sizeof answer.head.header))
        server_cut_off(userdata, client);
}

static void server_expire(void *userdata, struct client *client)
{
    struct server *server = userdata;
    struct answer answer;

    client->parked = false;
    answer_try_again(&answer, client->reserved);
    server_note(server, client, KUBESVC_STATUS_TRY_AGAIN, 0);
    server_settle(server, client, client_send(client, &answer), false);
}

static void server_rerun(void *userdata, struct client *client)
{
    int r = server_answer(userdata, client);

    if (!client->parked)
        server_settle(userdata, client, r, false);
}

void server_retry(struct server *server)
{
    timeouts_retry(server->timeouts);
}

/* The limit on clients, after raising that on descriptors. */
static size_t server_clients_max(void)
{
    size_t limit = descriptor_raise_limit(SIZE_MAX);

    if (limit <= 2 * SERVER_FDS_RESERVED)
        return SERVER_FDS_RESERVED;
    return MIN(limit - SERVER_FDS_RESERVED, SERVER_CLIENTS_MAX);
}

int server_new(struct server **serverp, sd_event *event, const char *path, int adopted,
               struct snapshot_root *root, struct upstream *upstream)
{
    struct server *server = g_new(struct server, 1);

    *server = (struct server){
        .event = sd_event_ref(event),
        .root = root,
        .upstream = upstream,
    };
    server->quota = quota_new(server_clients_max(), SERVER_BYTES_MAX);
    int r = round_robin_new(&server->round_robin);
    if (!r)
        r = heartbeat_new(&server->heartbeat, event, root);
    if (!r)
        r = timeouts_new(&server->timeouts, event,
                         &(struct timeouts_handler){.overdue = server_cut_off,
                                                    .send_pending = server_send_pending,
                                                    .expire = server_expire,
                                                    .retry = server_rerun,
                                                    .userdata = server});
    if (!r)
        r = scheduler_new(&server->scheduler, event,
                          &(struct scheduler_handler){.serve = server_serve, .userdata = server});
    if (!r)
        r = listener_new(&server->listener, event, path, adopted,
                         &(struct acceptor_handler){.on_accept = server_on_accept,
                                                    .evict = server_evict,
                                                    .userdata = server});
    if (r == LISTENER_BUSY)
        r = SERVER_BUSY;
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
    for (struct client *client; server->timeouts && (client = timeouts_any(server->timeouts));)
        server_drop(server, client);
    timeouts_free(server->timeouts);
    scheduler_free(server->scheduler);
    listener_free(server->listener);
    heartbeat_free(server->heartbeat);
    round_robin_free(server->round_robin);
    quota_free(server->quota);
    g_strfreev(server->zones);
    sd_event_unref(server->event);
    g_free(server);
    return NULL;
}

void server_status(const struct server *server, struct server_status *status)
{
    *status = server->counts;
    status->clients = quota_count(server->quota);
    status->pending = timeouts_parked(server->timeouts);
}

void server_set_inspect(struct server *server, server_inspect inspect, void *userdata)
{
    server->inspect = inspect;
    server->inspect_userdata = userdata;
}

void server_reserve(struct server *server, char **zones)
{
    g_strfreev(server->zones);
    server->zones = zones;
}

void server_observe(struct server *server, server_answered answered, void *userdata)
{
    server->answered = answered;
    server->answered_userdata = userdata;
    heartbeat_watch(server->heartbeat, answered != NULL);
}

void server_allow_maps(struct server *server, bool allow)
{
    heartbeat_allow_maps(server->heartbeat, allow);
}

void server_keep_socket(struct server *server, void (*kept)(void *userdata, int fd), void *userdata)
{
    listener_keep(server->listener, kept, userdata);
}

void server_stop(struct server *server)
{
    heartbeat_stop(server->heartbeat);
}
