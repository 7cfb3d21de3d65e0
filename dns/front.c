/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Header and question are checked first, then the snapshot answers; only what it leaves open makes
 * a request wait. While there is no snapshot whose answers count, names of the zone fail, and so
 * does everything else unless it can be forwarded.
 */
#include "front.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/random.h>

#include "forward.h"
#include "lib/resolve/name.h"
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
    char **zones;   /* before a snapshot says them */
    GQueue pending; /* struct pending */
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

/* --- From other servers --- */

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

    if (front->pending.length >= PENDING_MAX)
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

/* Moves the canonical name, which comes first, after the aliases. False: malformed. */
static bool order_names(char *to, const char *names, size_t size, unsigned n)
{
    const char *name = names, *end = names + size;

    for (unsigned i = 0; i < n; i++) {
        const char *nul = memchr(name, '\0', (size_t)(end - name));

        if (!nul || !name_is_valid(name, (size_t)(nul - name)))
            return false;
        name = nul + 1;
    }
    size_t first = strlen(names) + 1;

    memcpy(to, names + first, size - first);
    memcpy(to + size - first, names, first);
    return name == end;
}

static void write_found(struct pending *pending, const struct kubesvc_answer *answer,
                        const uint8_t *payload)
{
    struct front *front = pending->front;
    const struct requester *client = &pending->client;
    char names[KUBESVC_NAMES_SIZE_MAX];
    uint8_t bytes[RESPONSE_OUTSIDE_MAX];
    struct packet_question question;
    struct packet packet;
    enum packet_rcode wrong;
    uint32_t inet = le32toh(answer->inet), names_size = le32toh(answer->names_size);
    const struct response_context context = {.ttl = front->ttl, .random = draw(front)};

    if (!order_names(names, (const char *)payload, names_size, le16toh(answer->names)) ||
        packet_read(&question, client->request, client->request_size, &wrong) != PACKET_GOOD ||
        (question.type == PACKET_A) != (inet > 0)) {
        reply_rcode(pending, PACKET_SERVFAIL);
        return;
    }
    packet_begin(&packet, &question, bytes, room_of(client, &question, sizeof bytes));
    response_write_outside(&context, &packet, names, le16toh(answer->names), payload + names_size,
                           inet > 0 ? inet : le32toh(answer->inet6));
    reply(pending, bytes, packet_end(&packet));
}

/* Is it consistent in itself? */
static bool answer_is_sound(const struct kubesvc_answer *answer, size_t size)
{
    uint32_t inet = le32toh(answer->inet), inet6 = le32toh(answer->inet6);
    uint32_t names_size = le32toh(answer->names_size);

    return answer->status != KUBESVC_STATUS_FOUND ||
           ((answer->flags & KUBESVC_ANSWER_WITHHELD) == 0 && le16toh(answer->names) >= 2 &&
            le16toh(answer->names) <= KUBESVC_NAMES_MAX && names_size <= KUBESVC_NAMES_SIZE_MAX &&
            (inet == 0) != (inet6 == 0) && inet <= EXCHANGE_ADDRESSES_MAX &&
            inet6 <= EXCHANGE_ADDRESSES_MAX &&
            size == names_size + (size_t)inet * 4 + (size_t)inet6 * 16);
}

static void on_found_out(void *userdata, const struct exchange_response *response)
{
    struct pending *pending = userdata;
    struct kubesvc_answer answer = {.status = KUBESVC_STATUS_TRY_AGAIN};
    gsize size;

    pending->exchange = NULL;
    if (response->error == 0 && response->type == KUBESVC_RESPONSE_ANSWER &&
        response->size >= sizeof answer)
        memcpy(&answer, response->payload, sizeof answer);
    if (answer.status == KUBESVC_STATUS_TRY_AGAIN ||
        !answer_is_sound(&answer, response->size - sizeof answer)) {
        reply_rcode(pending, PACKET_SERVFAIL);
    } else if (answer.status == KUBESVC_STATUS_FOUND) {
        write_found(pending, &answer, response->payload + sizeof answer);
    } else {
        const uint8_t *without = g_bytes_get_data(pending->without, &size);

        reply(pending, without, size);
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

    if (front->pending.length >= PENDING_MAX || !has_share(front, client))
        return FRONT_IGNORED;
    size_t size = packet_end(packet);

    pending = pending_new(front, client, packet->bytes, size);
    return wait_for(front, pending,
                    exchange_name(&pending->exchange, front->event, provider_path(front->provider),
                                  alias, family, on_found_out, pending) >= 0);
}

/* --- The whole --- */

/* Without a snapshot: is the name one that no other nameserver may be asked for? */
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
        return FRONT_IGNORED;
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

void front_forget(struct front *front, const void *connection)
{
    for (GList *link = front->pending.head, *next; link; link = next) {
        struct pending *pending = link->data;

        next = link->next;
        if (pending->client.connection != connection)
            continue;
        g_queue_unlink(&front->pending, link);
        pending_free(pending);
    }
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
    if (getrandom(&front->random, sizeof front->random, GRND_NONBLOCK) < 0)
        front->random = (uint64_t)g_get_monotonic_time();
    int r = provider_new(&front->provider, event, options->socket, ready, userdata);

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
    while ((link = g_queue_pop_head_link(&front->pending)))
        pending_free(link->data);
    forward_free(front->forward);
    provider_free(front->provider);
    sd_event_unref(front->event);
    g_free(front->ns);
    g_strfreev(front->zones);
    g_free(front);
    return NULL;
}
