/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The exchange is lib/util's, turned by an event loop of its own for as long as it takes.
 */
#include "dns_query.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <glib.h>
#include <resolv.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "lib/util/dns_exchange.h"

#define TRIES 2
#define TRY_USEC G_USEC_PER_SEC
#define EDNS_SIZE 1232
#define MESSAGE_MAX (NS_HFIXEDSZ + NS_MAXCDNAME + NS_QFIXEDSZ + 11)

struct dns_outcome {
    bool over;
    uint8_t *answer; /* NULL: it could not be reached */
    size_t size;
};

static uint8_t *put_u16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

/* 0: not a valid DNS name. */
static size_t make_question(uint8_t message[static MESSAGE_MAX], const char *name, unsigned type)
{
    uint8_t *at = message + NS_HFIXEDSZ;

    memset(message, 0, MESSAGE_MAX);
    message[2] = 1;               /* RD */
    message[5] = message[11] = 1; /* a question, and OPT in the additional section */
    if (ns_name_pton(name, at, NS_MAXCDNAME) < 0)
        return 0;
    while (*at)
        at += 1 + *at;
    at++;
    at = put_u16(put_u16(at, type), ns_c_in);
    at++; /* the root */
    at = put_u16(put_u16(at, ns_t_opt), EDNS_SIZE);
    at += 6; /* version, flags, no options */
    return (size_t)(at - message);
}

static void on_answer(void *userdata, uint8_t *message, size_t size)
{
    struct dns_outcome *outcome = userdata;

    outcome->over = true;
    outcome->answer = size > 0 ? g_memdup2(message, size) : NULL;
    outcome->size = size;
}

static int wait_for(sd_event *event, struct dns_exchange *exchange,
                    const struct dns_outcome *outcome)
{
    for (int i = 0; i < TRIES && !outcome->over; i++) {
        gint64 end = g_get_monotonic_time() + TRY_USEC, left;

        if (i > 0 && !dns_exchange_repeat(exchange))
            return -ECONNREFUSED;
        while (!outcome->over && (left = end - g_get_monotonic_time()) > 0) {
            int r = sd_event_run(event, (uint64_t)left);

            if (r < 0)
                return r;
        }
    }
    if (!outcome->over)
        return -ETIMEDOUT;
    return outcome->answer ? 0 : -ECONNREFUSED;
}

static int ask_by(bool tcp, const union endpoint *server, const uint8_t *message, size_t size,
                  struct dns_outcome *outcome)
{
    g_autofree uint8_t *buffer = g_malloc(DNS_MESSAGE_MAX);
    struct dns_exchange *exchange = NULL;
    sd_event *event = NULL;
    int r = sd_event_new(&event);

    if (r < 0)
        return r;
    *outcome = (struct dns_outcome){0};
    exchange = dns_exchange_new(event, tcp, server, message, size, buffer, on_answer, outcome);
    r = exchange ? wait_for(event, exchange, outcome) : -ECONNREFUSED;
    dns_exchange_free(exchange);
    sd_event_unref(event);
    return r;
}

int dns_query_ask(const union endpoint *server, const char *name, unsigned type, uint8_t **answerp,
                  size_t *sizep)
{
    uint8_t message[MESSAGE_MAX];
    size_t size = make_question(message, name, type);
    struct dns_outcome outcome;
    int r = size > 0 ? ask_by(false, server, message, size, &outcome) : -EINVAL;

    if (r == 0 && outcome.answer[2] & 2) {
        g_free(outcome.answer);
        r = ask_by(true, server, message, size, &outcome);
    }
    if (r == 0) {
        *answerp = outcome.answer;
        *sizep = outcome.size;
    }
    return r;
}

const char *dns_query_rcode(unsigned rcode)
{
    static const char *const texts[] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                        "NXDOMAIN", "NOTIMP",  "REFUSED"};
    return rcode < G_N_ELEMENTS(texts) ? texts[rcode] : "an unknown error";
}

bool dns_query_name(const uint8_t *message, size_t size, const uint8_t *at,
                    char text[static DNS_TEXT_MAX])
{
    return ns_name_uncompress(message, message + size, at, text, DNS_TEXT_MAX) >= 0;
}

bool dns_query_records(const uint8_t *message, size_t size, dns_query_record tell, void *userdata)
{
    const uint8_t *at = message + NS_HFIXEDSZ, *end = message + size;
    unsigned n = (unsigned)message[6] << 8 | message[7];

    if (size < NS_HFIXEDSZ || ns_name_skip(&at, end) < 0 || end - at < NS_QFIXEDSZ)
        return n == 0;
    at += NS_QFIXEDSZ;
    for (; n > 0; n--) {
        struct dns_record record;

        if (ns_name_skip(&at, end) < 0 || end - at < NS_RRFIXEDSZ)
            return false;
        record.type = (unsigned)at[0] << 8 | at[1];
        record.size = (size_t)at[8] << 8 | at[9];
        at += NS_RRFIXEDSZ;
        if ((size_t)(end - at) < record.size)
            return false;
        record.data = at;
        at += record.size;
        tell(userdata, message, size, &record);
    }
    return true;
}
