/*
 * Server: accepts, answers, and keeps those waiting that must wait.
 *
 * Nearly every client has sent its request by the time it is accepted and takes its answer at once:
 * it is served without ever being watched. Only what remains (half a request, a full socket, a
 * question for a nameserver, a connection to be kept) is put on the event loop; the roster sees to
 * it that no user holds too much of that, `waits` that nothing lasts too long.
 */
#include "server.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "answer.h"
#include "client.h"
#include "entrance.h"
#include "find.h"
#include "roster.h"
#include "rotation.h"
#include "waits.h"

#define SERVER_CLIENTS_MAX 4096u
#define SERVER_FDS_RESERVED 64u /* for files, directories, nameservers */
#define SERVER_BYTES_MAX ((size_t)64 << 20)

struct server {
    sd_event *event;
    struct snapshot_writer *writer;
    struct external *external;
    struct rotation *rotation;
    struct roster *roster;
    struct waits *waits;
    struct entrance *entrance;
    struct server_status counts;
    server_inspect inspect; /* NULL: INSPECT is not supported */
    void *inspect_userdata;
    server_answered answered; /* NULL: nobody wants to know */
    void *answered_userdata;
};

/* When this turn of the event loop began. */
static uint64_t server_now(const struct server *server)
{
    uint64_t now = 0;

    (void)sd_event_now(server->event, CLOCK_MONOTONIC, &now);
    return now;
}

static void server_drop(struct server *server, struct client *client)
{
    waits_remove(server->waits, client);
    if (client->user)
        roster_remove(server->roster, client);
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
    latency_add(&server->counts.latency, microseconds);
    if (server->answered)
        server->answered(server->answered_userdata, &(struct server_question){
                                                        .request = &client->request,
                                                        .status = status,
                                                        .n_addresses = n_addresses,
                                                        .microseconds = microseconds,
                                                        .fd = client->fd,
                                                    });
}

static int server_send(struct client *client, struct answer *answer)
{
    client->last = !client->request.keep;
    return client_send(client, answer->parts, answer->n_parts);
}

/* Answers the request that was taken last, or parks the client. 0 or CLIENT_GONE. */
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
        return server_send(client, &answer);
    }
    if (request->kind == REQUEST_INSPECT) {
        server->inspect(server->inspect_userdata, client->fd, request->words, request->words_size);
        return CLIENT_GONE;
    }
    find_answer(server->writer, server->external, request, &result);
    client->parked = result.pending;
    if (client->parked)
        return 0;
    answer_result(&answer, &result, request->room, server->rotation);
    server_note(server, client, result.status,
                result.status == KUBESVC_STATUS_FOUND
                    ? result.inet.n_addresses + result.inet6.n_addresses
                    : 0);
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
        waits_for_answer(server->waits, client);
    else
        waits_for_peer(server->waits, client);
    roster_update(server->roster, client);
    while ((excess = roster_excess(server->roster)))
        server_cut_off(server, excess);
}

static int server_on_client(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct client *client = userdata;
    struct server *server = client->server;
    bool reading = !client->rest && !client->parked;
    size_t received;
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
    if (r == CLIENT_GONE) {
        if (!reading || client->received > 0)
            server->counts.refused++;
        server_drop(server, client);
        return 0;
    }
    received = client->received;
    if (reading)
        client->since = server_now(server);
    if (server_advance(server, client))
        server_drop(server, client);
    /* Bytes of a request that is still not complete buy no time. */
    else if (!reading || client->received < received)
        server_settle(server, client);
    return 0;
}

/* Serves a new client as far as that goes without waiting. */
static void server_greet(void *userdata, int fd)
{
    struct server *server = userdata;
    struct client *client = client_new(fd);
    int r = client_receive(client);

    client->since = server_now(server);
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

static void server_remind(void *userdata, struct client *client)
{
    struct answer answer;

    answer_bare(&answer, KUBESVC_RESPONSE_PENDING);
    if (client_offer(client, &answer.head, sizeof answer.head.header))
        server_cut_off(userdata, client);
}

/* The client is parked no more: `r` is what sending its answer came to. */
static void server_resume(struct server *server, struct client *client, int r)
{
    if (!r)
        r = server_advance(server, client);
    if (r)
        server_drop(server, client);
    else
        server_settle(server, client);
}

static void server_expire(void *userdata, struct client *client)
{
    struct server *server = userdata;
    struct answer answer;

    client->parked = false;
    answer_status(&answer, KUBESVC_STATUS_TRY_AGAIN);
    server_note(server, client, KUBESVC_STATUS_TRY_AGAIN, 0);
    server_resume(server, client, server_send(client, &answer));
}

static void server_rerun(void *userdata, struct client *client)
{
    int r = server_answer(userdata, client);

    if (!client->parked)
        server_resume(userdata, client, r);
}

void server_retry(struct server *server)
{
    waits_retry(server->waits);
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

int server_new(struct server **serverp, sd_event *event, const char *path,
               struct snapshot_writer *writer, struct external *external)
{
    struct server *server = g_new(struct server, 1);
    int r;

    *server = (struct server){
        .event = sd_event_ref(event),
        .writer = writer,
        .external = external,
    };
    server->roster = roster_new(server_clients_max(), SERVER_BYTES_MAX);
    r = rotation_new(&server->rotation);
    if (!r)
        r = waits_new(&server->waits, event,
                      &(struct waits_handler){.overdue = server_cut_off,
                                              .remind = server_remind,
                                              .expire = server_expire,
                                              .retry = server_rerun,
                                              .userdata = server});
    if (!r)
        r = entrance_new(&server->entrance, event, path,
                         &(struct acceptor_handler){server_greet, server_shed, server});
    if (r == ENTRANCE_BUSY)
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
    for (struct client *client; server->waits && (client = waits_any(server->waits));)
        server_drop(server, client);
    waits_free(server->waits);
    entrance_free(server->entrance);
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
    status->pending = waits_parked(server->waits);
}

void server_set_inspect(struct server *server, server_inspect inspect, void *userdata)
{
    server->inspect = inspect;
    server->inspect_userdata = userdata;
}

void server_observe(struct server *server, server_answered answered, void *userdata)
{
    server->answered = answered;
    server->answered_userdata = userdata;
}
