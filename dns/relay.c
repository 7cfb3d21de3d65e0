/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Relay: which server is asked when. A server asked earlier may still answer until the end, because
 * slow is not dead; lib/util/dns_exchange.c sends and receives.
 */
#include "relay.h"

#include <arpa/nameser.h>
#include <glib.h>
#include <string.h>

#include "lib/util/dns_exchange.h"
#include "lib/util/timer.h"

/* The first time by UDP; in all, three times this for each server. */
#define TIMEOUT_USEC (1600 * G_TIME_SPAN_MILLISECOND)
#define TIMEOUT_MIN_USEC (400 * G_TIME_SPAN_MILLISECOND)
#define UDP_ROUNDS 2u

struct attempt {
    struct relay *relay;
    union endpoint server;
    struct dns_exchange *exchange; /* NULL: not asked yet, or failed */
    bool over;                     /* has failed in a way that asking again does not mend */
};

struct relay {
    struct relay_context *context;
    bool tcp;
    sd_event_source *timer;
    struct attempt attempts[FORWARD_SERVERS_MAX];
    size_t n, turn;        /* the next server is turn % n */
    struct attempt *asked; /* whom the timer runs for; NULL: none yet */
    uint8_t *refusal;      /* an answer reporting a server failure: better than none */
    size_t refusal_size;
    relay_done done;
    void *userdata;
    size_t size;
    uint8_t message[];
};

static unsigned rcode_of(const uint8_t *message)
{
    return message[3] & 0x0fu;
}

static void relay_finish(struct relay *relay, uint8_t *message, size_t size)
{
    (void)sd_event_source_set_enabled(relay->timer, SD_EVENT_OFF);
    if (size > 0)
        memcpy(message, relay->message, 2);
    relay->done(relay->userdata, message, size);
}

static bool relay_next(struct relay *relay);

/* Continues with the next server; if there is none, the relay ends. */
static void relay_go_on(struct relay *relay)
{
    if (!relay_next(relay))
        relay_finish(relay, relay->refusal, relay->refusal_size);
}

/* The server cannot be reached (size 0), or says that it failed or will not answer. */
static void relay_refuse(struct attempt *attempt, const uint8_t *message, size_t size)
{
    struct relay *relay = attempt->relay;

    if (size > 0) {
        g_free(relay->refusal);
        relay->refusal = g_memdup2(message, size);
        relay->refusal_size = size;
    }
    upstreams_report(relay->context->upstreams, &attempt->server, size > 0);
    attempt->over = true;
    attempt->exchange = dns_exchange_free(attempt->exchange);
    if (attempt == relay->asked)
        relay_go_on(relay);
}

static void on_exchanged(void *userdata, uint8_t *message, size_t size)
{
    struct attempt *attempt = userdata;
    struct relay *relay = attempt->relay;
    unsigned rcode = size > 0 ? rcode_of(message) : ns_r_servfail;

    if (rcode == ns_r_servfail || rcode == ns_r_notimpl || rcode == ns_r_refused) {
        relay_refuse(attempt, message, size);
        return;
    }
    upstreams_report(relay->context->upstreams, &attempt->server, true);
    relay_finish(relay, message, size);
}

static bool attempt_ask(struct attempt *attempt)
{
    struct relay *relay = attempt->relay;

    if (!attempt->exchange)
        attempt->exchange =
            dns_exchange_new(relay->context->event, relay->tcp, &attempt->server, relay->message,
                             relay->size, relay->context->buffer, on_exchanged, attempt);
    else if (!dns_exchange_repeat(attempt->exchange))
        attempt->exchange = dns_exchange_free(attempt->exchange);
    attempt->over = !attempt->exchange;
    return attempt->exchange;
}

static void relay_arm(struct relay *relay, size_t round)
{
    gint64 share = MAX(TIMEOUT_USEC / (gint64)relay->n, TIMEOUT_MIN_USEC);
    gint64 times = relay->tcp ? 3 : 1 << round;

    (void)timer_start(relay->timer, (uint64_t)(share * times));
}

/* Asks the next server; false: all had their turns. */
static bool relay_next(struct relay *relay)
{
    size_t rounds = relay->tcp ? 1 : UDP_ROUNDS;

    while (relay->turn < relay->n * rounds) {
        size_t turn = relay->turn++;
        struct attempt *attempt = relay->attempts + turn % relay->n;

        if (!attempt->over && attempt_ask(attempt)) {
            relay->asked = attempt;
            relay_arm(relay, turn / relay->n);
            return true;
        }
    }
    return false;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct relay *relay = userdata;

    (void)source;
    (void)usec;
    if (relay->asked)
        upstreams_report(relay->context->upstreams, &relay->asked->server, false);
    relay_go_on(relay);
    return 0;
}

static void relay_clear(struct relay *relay)
{
    for (size_t i = 0; i < relay->n; i++)
        dns_exchange_free(relay->attempts[i].exchange);
    relay->n = relay->turn = 0;
    relay->asked = NULL;
}

static bool relay_start(struct relay *relay)
{
    union endpoint servers[FORWARD_SERVERS_MAX];

    relay_clear(relay);
    relay->n = upstreams_list(relay->context->upstreams, servers);
    for (size_t i = 0; i < relay->n; i++)
        relay->attempts[i] = (struct attempt){.relay = relay, .server = servers[i]};
    return relay_next(relay);
}

void relay_restart(struct relay *relay)
{
    if (relay_start(relay))
        return;
    /* Told from the event loop, as every end. */
    (void)timer_start(relay->timer, 0);
}

struct relay *relay_new(struct relay_context *context, bool tcp, const uint8_t *message,
                        size_t size, relay_done done, void *userdata)
{
    struct relay *relay = g_malloc(sizeof *relay + size);

    *relay = (struct relay){
        .context = context,
        .tcp = tcp,
        .done = done,
        .userdata = userdata,
        .size = size,
    };
    memcpy(relay->message, message, size);
    if (sd_event_add_time_relative(context->event, &relay->timer, CLOCK_MONOTONIC, 0, 1000,
                                   on_timer, relay) < 0 ||
        !relay_start(relay))
        return relay_free(relay);
    return relay;
}

struct relay *relay_free(struct relay *relay)
{
    if (!relay)
        return NULL;
    relay_clear(relay);
    sd_event_source_disable_unref(relay->timer);
    g_free(relay->refusal);
    g_free(relay);
    return NULL;
}

const union endpoint *relay_asked_from(const struct relay *relay, const union endpoint *source)
{
    for (size_t i = 0; i < relay->n; i++) {
        const struct attempt *attempt = relay->attempts + i;

        if (attempt->exchange && dns_exchange_is_from(attempt->exchange, source))
            return &attempt->server;
    }
    return NULL;
}

const union endpoint *relay_asked_at(const struct relay *relay, const struct address *address)
{
    for (size_t i = 0; i < MIN(relay->n, relay->turn); i++) {
        struct address asked;

        endpoint_address(&relay->attempts[i].server, &asked);
        if (address_compare(&asked, address) == 0)
            return &relay->attempts[i].server;
    }
    return NULL;
}
