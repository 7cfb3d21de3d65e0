/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Header and question are checked first, then the snapshot answers; only what it leaves open makes
 * a request wait. While there is no snapshot whose answers count, names of the zone wait for the
 * next one if it is expected, and else fail; so does everything else unless it can be forwarded.
 */
#include "front.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/random.h>

#include "forward.h"
#include "lib/resolve/name.h"
#include "outside.h"
#include "packet.h"
#include "pending.h"
#include "provider.h"
#include "response.h"

#define READINGS_MAX 8

struct front {
    sd_event *event;
    struct provider *provider;
    struct forward *forward; /* NULL: foreign names are refused */
    char *ns;                /* or NULL */
    uint32_t ttl;
    uint64_t random;
    char **zones;         /* before a snapshot says them */
    GQueue pending, held; /* struct pending; the latter wait for a snapshot */
    bool releasing;       /* the latter are being answered: none waits again */
    void (*ready)(void *userdata);
    void *userdata;
};

/* The next of a sequence that is good enough to spread load (splitmix64). */
static uint64_t draw(struct front *front)
{
    uint64_t mixed = front->random += 0x9e3779b97f4a7c15u;

    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

static size_t room_of(const struct requester *client, const struct packet_question *question,
                      size_t capacity)
{
    return client->tcp ? capacity : MIN(capacity, MIN(question->udp_size, PACKET_EDNS_SIZE));
}

static size_t write_rcode(struct packet *packet, enum packet_rcode rcode)
{
    packet_rewind(packet);
    packet->rcode = (uint16_t)rcode;
    return packet_end(packet);
}

/* --- From the snapshot --- */

static struct response_context context_of(struct front *front, const struct requester *client,
                                          const struct provider_reading *reading)
{
    return (struct response_context){
        .view = &reading->view,
        .ns = front->ns,
        .own = &client->own,
        .ttl = front->ttl,
        .serial = reading->serial,
        .random = draw(front),
    };
}

/* The response is valid only if the memory it was read from has not been reused meanwhile. */
static enum response_result read_snapshot(struct front *front, const struct requester *client,
                                          struct packet *packet, char *alias)
{
    struct provider_reading reading;
    enum response_result result = RESPONSE_FAILED;
    bool holds = false;

    if (!provider_enter(front->provider, &reading))
        return RESPONSE_FAILED;
    for (unsigned i = 0; i < READINGS_MAX && !holds; i++) {
        const struct response_context context = context_of(front, client, &reading);

        packet_rewind(packet);
        result = response_write(&context, packet, alias);
        holds = provider_holds(&reading);
        if (!holds && !provider_begin(front->provider, &reading))
            break;
    }
    provider_leave(&reading);
    return holds ? result : RESPONSE_FAILED;
}

/* --- From elsewhere --- */

static bool is_full(const struct front *front)
{
    return front->pending.length + front->held.length >= PENDING_MAX;
}

/* Sends the response to a waiting request, and ends it. */
static void reply(struct pending *pending, const uint8_t *bytes, size_t size)
{
    g_queue_unlink(&pending->front->pending, &pending->link);
    pending->client.reply(&pending->client, bytes, size);
    pending_free(pending);
}

static void reply_rcode(struct pending *pending, enum packet_rcode rcode)
{
    uint8_t bytes[PACKET_UDP_SIZE];
    struct packet_question question;
    struct packet packet;
    enum packet_rcode wrong;

    (void)packet_read(&question, pending->client.request, pending->client.request_size, &wrong);
    packet_begin(&packet, &question, bytes, sizeof bytes);
    reply(pending, bytes, write_rcode(&packet, rcode));
}

static void on_forwarded(void *userdata, const uint8_t *bytes, size_t size)
{
    struct pending *pending = userdata;

    pending->query = NULL;
    if (size > 0)
        reply(pending, bytes, size);
    else
        reply_rcode(pending, PACKET_SERVFAIL);
}

static enum front_result wait_for(struct front *front, struct pending *pending, bool sent)
{
    if (!sent) {
        pending_free(pending);
        return FRONT_IGNORED;
    }
    g_queue_push_tail_link(&front->pending, &pending->link);
    return FRONT_PENDING;
}

static enum front_result forward(struct front *front, const struct requester *client,
                                 const struct packet_question *question)
{
    struct pending *pending;

    if (is_full(front))
        return FRONT_IGNORED;
    pending = pending_new(front, client, NULL, 0);
    pending->query = forward_ask(front->forward, client->request, client->request_size,
                                 &(struct forward_client){
                                     .from = client->from,
                                     .tcp = client->tcp,
                                     .limit = client->tcp ? PACKET_SIZE_MAX : question->udp_size,
                                     .reply = on_forwarded,
                                     .userdata = pending,
                                 });
    return wait_for(front, pending, pending->query);
}

static void write_found(struct pending *pending, const struct outside *outside)
{
    const struct requester *client = &pending->client;
    uint8_t bytes[RESPONSE_OUTSIDE_MAX];
    struct packet_question question;
    struct packet packet;
    enum packet_rcode wrong;
    const struct response_context context = {.ttl = pending->front->ttl,
                                             .random = draw(pending->front)};

    if (packet_read(&question, client->request, client->request_size, &wrong) != PACKET_GOOD ||
        (question.type == PACKET_A) != outside->is_inet) {
        reply_rcode(pending, PACKET_SERVFAIL);
        return;
    }
    packet_begin(&packet, &question, bytes, room_of(client, &question, sizeof bytes));
    response_write_outside(&context, &packet, outside->names, outside->n_names, outside->addresses,
                           outside->n_addresses);
    reply(pending, bytes, packet_end(&packet));
}

static void on_found_out(void *userdata, const struct exchange_response *response)
{
    struct pending *pending = userdata;
    struct outside outside;

    pending->exchange = NULL;
    switch (outside_read(&outside, response)) {
    case KUBESVC_STATUS_TRY_AGAIN: reply_rcode(pending, PACKET_SERVFAIL); return;
    case KUBESVC_STATUS_FOUND: write_found(pending, &outside); return;
    default:
        reply(pending, g_bytes_get_data(pending->without, NULL),
              g_bytes_get_size(pending->without));
    }
}

/* What one client may have waiting for kubesvcd; all programs of this host may be one. */
static bool has_share(const struct front *front, const struct requester *client)
{
    struct address address, other;
    unsigned n = 0;

    endpoint_address(&client->from, &address);
    for (const GList *link = front->pending.head; link; link = link->next) {
        const struct pending *pending = link->data;

        endpoint_address(&pending->client.from, &other);
        n += pending->exchange && address_compare(&address, &other) == 0;
    }
    return n < PENDING_MAX / 8;
}

/* The response so far is kept: it is right if the name turns out to have no addresses. */
static enum front_result ask_outside(struct front *front, const struct requester *client,
                                     struct packet *packet, const char *alias)
{
    enum kubesvc_family family =
        packet->question->type == PACKET_A ? KUBESVC_FAMILY_INET : KUBESVC_FAMILY_INET6;
    struct pending *pending;

    if (is_full(front) || !has_share(front, client))
        return FRONT_IGNORED;
    size_t size = packet_end(packet);

    pending = pending_new(front, client, packet->bytes, size);
    return wait_for(front, pending,
                    exchange_name(&pending->exchange, front->event, provider_path(front->provider),
                                  alias, family, on_found_out, pending) >= 0);
}

/* --- Without a snapshot --- */

/* Until there is one, or none is to be expected. */
static enum front_result hold(struct front *front, const struct requester *client)
{
    if (front->releasing || is_full(front) || !provider_is_awaited(front->provider))
        return FRONT_IGNORED;
    g_queue_push_tail_link(&front->held, &pending_new(front, client, NULL, 0)->link);
    return FRONT_PENDING;
}

/* As if it had come now. */
static void ask_again(struct front *front, struct pending *pending)
{
    const struct requester *client = &pending->client;
    uint8_t bytes[PACKET_SIZE_MAX];
    size_t size = 0;

    if (front_ask(front, client, bytes, sizeof bytes, &size) == FRONT_ANSWERED)
        client->reply(client, bytes, size);
    pending_free(pending);
}

static void on_provider(void *userdata)
{
    struct front *front = userdata;
    GList *link;

    if (front->ready)
        front->ready(front->userdata);
    front->ready = NULL;
    if (provider_is_awaited(front->provider))
        return;
    front->releasing = true;
    while ((link = g_queue_pop_head_link(&front->held)))
        ask_again(front, link->data);
    front->releasing = false;
}

/* --- The whole --- */

/* Is the name one that no other nameserver may be asked for? */
static bool is_kept(const struct front *front, const struct packet_question *question)
{
    char *const *zones = provider_zones(front->provider);

    return name_is_in(question->name, question->length, zones ? zones : front->zones);
}

/* A valid request of class IN. FRONT_IGNORED: the query it needs cannot be sent. */
static enum front_result answer(struct front *front, const struct requester *client,
                                struct packet *packet, size_t *size)
{
    char alias[KUBESVC_NAME_MAX + 1];

    switch (read_snapshot(front, client, packet, alias)) {
    case RESPONSE_READY: *size = packet_end(packet); return FRONT_ANSWERED;
    case RESPONSE_OUTSIDE: return ask_outside(front, client, packet, alias);
    case RESPONSE_FAILED:
        if (front->forward && !is_kept(front, packet->question))
            return forward(front, client, packet->question);
        return hold(front, client);
    case RESPONSE_FOREIGN: break;
    }
    if (front->forward)
        return forward(front, client, packet->question);
    *size = write_rcode(packet, PACKET_REFUSED);
    return FRONT_ANSWERED;
}

enum front_result front_ask(struct front *front, const struct requester *client, uint8_t *response,
                            size_t capacity, size_t *size)
{
    struct packet_question question;
    struct packet packet;
    enum packet_rcode rcode;
    enum packet_verdict verdict =
        packet_read(&question, client->request, client->request_size, &rcode);

    if (verdict == PACKET_IGNORED)
        return FRONT_IGNORED;
    packet_begin(&packet, &question, response, room_of(client, &question, capacity));
    if (verdict == PACKET_GOOD && (question.class != PACKET_CLASS_IN ||
                                   question.type == PACKET_AXFR || question.type == PACKET_IXFR)) {
        verdict = PACKET_BAD;
        rcode = PACKET_REFUSED;
    }
    if (verdict == PACKET_BAD) {
        *size = write_rcode(&packet, rcode);
        return FRONT_ANSWERED;
    }
    enum front_result result = answer(front, client, &packet, size);

    if (result != FRONT_IGNORED)
        return result;
    *size = write_rcode(&packet, PACKET_SERVFAIL);
    return FRONT_ANSWERED;
}

static void forget(GQueue *queue, const void *connection)
{
    for (GList *link = queue->head, *next; link; link = next) {
        struct pending *pending = link->data;

        next = link->next;
        if (pending->client.connection != connection)
            continue;
        g_queue_unlink(queue, link);
        pending_free(pending);
    }
}

void front_forget(struct front *front, const void *connection)
{
    forget(&front->pending, connection);
    forget(&front->held, connection);
}

/* --- Life --- */

int front_new(struct front **frontp, sd_event *event, const struct front_options *options,
              void (*ready)(void *userdata), void *userdata)
{
    struct front *front = g_new0(struct front, 1);

    front->event = sd_event_ref(event);
    front->ns = g_strdup(options->ns);
    front->ttl = options->ttl;
    front->zones = g_strdupv((char **)options->zones);
    front->ready = ready;
    front->userdata = userdata;
    if (getrandom(&front->random, sizeof front->random, GRND_NONBLOCK) < 0)
        front->random = (uint64_t)g_get_monotonic_time();
    int r = provider_new(&front->provider, event, options->socket, on_provider, front);

    if (r < 0) {
        front_free(front);
        return r;
    }
    if (options->forward && options->forward[0])
        front->forward = forward_new(event, &(struct forward_options){.servers = options->forward,
                                                                      .own = options->own,
                                                                      .n_own = options->n_own});
    *frontp = front;
    return 0;
}

struct front *front_free(struct front *front)
{
    GList *link;

    if (!front)
        return NULL;
    while ((link = g_queue_pop_head_link(&front->pending)) ||
           (link = g_queue_pop_head_link(&front->held)))
        pending_free(link->data);
    forward_free(front->forward);
    provider_free(front->provider);
    sd_event_unref(front->event);
    g_free(front->ns);
    g_strfreev(front->zones);
    g_free(front);
    return NULL;
}
