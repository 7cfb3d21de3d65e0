/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stub resolver's part: the search list, both families, what the answers have in them.
 */
#include "dns_answer.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <string.h>

#include "ask.h"
#include "dns_query.h"
#include "value.h"
#include <kubesvc/limits.h>

#define NDOTS 5u

enum dns_result { RESULT_FOUND, RESULT_NODATA, RESULT_NXDOMAIN, RESULT_FAILED };

static void take_record(void *userdata, const uint8_t *message, size_t size,
                        const struct dns_record *record)
{
    struct other_answer *answer = userdata;
    char text[DNS_TEXT_MAX];

    if (record->type == ns_t_a && record->size == NS_INADDRSZ)
        inet_ntop(AF_INET, record->data, text, sizeof text);
    else if (record->type == ns_t_aaaa && record->size == NS_IN6ADDRSZ)
        inet_ntop(AF_INET6, record->data, text, sizeof text);
    else if (record->type == ns_t_cname || record->type == ns_t_ptr) {
        if (!dns_query_name(message, size, record->data, text))
            return;
        /* Of several pointers the first, as libc; of a chain of aliases the last. */
        if (record->type == ns_t_cname || !answer->canonical) {
            g_free(answer->canonical);
            answer->canonical = g_strdup(text);
        }
        return;
    } else
        return;
    other_answer_add(answer, text);
}

static enum dns_result fail(struct other_answer *answer, const char *error, enum dns_result result)
{
    g_free(answer->error);
    answer->error = g_strdup(error);
    return result;
}

static enum dns_result ask_type(struct other_answer *answer, const union endpoint *server,
                                const char *name, unsigned type)
{
    g_autofree uint8_t *message = NULL;
    guint addresses = answer->addresses->len;
    size_t size;
    int r = dns_query_ask(server, name, type, &message, &size);

    if (r < 0)
        return fail(answer, g_strerror(-r), r == -EINVAL ? RESULT_NXDOMAIN : RESULT_FAILED);
    unsigned rcode = message[3] & 15u;
    if (rcode != ns_r_noerror)
        return fail(answer, dns_query_rcode(rcode),
                    rcode == ns_r_nxdomain ? RESULT_NXDOMAIN : RESULT_FAILED);
    if (!dns_query_records(message, size, take_record, answer))
        return fail(answer, "malformed answer", RESULT_FAILED);
    if (type == ns_t_ptr ? answer->canonical != NULL : answer->addresses->len > addresses)
        return RESULT_FOUND;
    return fail(answer, "NOERROR without an address", RESULT_NODATA);
}

static enum dns_result ask_families(struct other_answer *answer, const union endpoint *server,
                                    const char *name, const char *family)
{
    enum dns_result inet = RESULT_NXDOMAIN, inet6 = RESULT_NXDOMAIN;

    g_clear_pointer(&answer->canonical, g_free);
    if (strcmp(family, "inet6") != 0)
        inet = ask_type(answer, server, name, ns_t_a);
    if (strcmp(family, "inet") != 0 && inet != RESULT_FAILED)
        inet6 = ask_type(answer, server, name, ns_t_aaaa);
    if (inet == RESULT_FAILED || inet6 == RESULT_FAILED)
        return RESULT_FAILED;
    if (inet == RESULT_FOUND || inet6 == RESULT_FOUND) {
        g_clear_pointer(&answer->error, g_free);
        if (!answer->canonical)
            answer->canonical = g_strdup(name);
        return RESULT_FOUND;
    }
    return MIN(inet, inet6);
}

static unsigned count_dots(const char *name)
{
    unsigned n = 0;

    for (; *name; name++)
        n += *name == '.';
    return n;
}

/* As libc searches: the name itself first if it has dots enough, else last. */
static void search_name(struct other_answer *answer, const union endpoint *server, const char *name,
                        const char *const *search, const char *family)
{
    bool absolute = g_str_has_suffix(name, ".") || !search;
    bool first = absolute || count_dots(name) >= NDOTS;
    g_autofree char *nodata = NULL;
    enum dns_result result = first ? ask_families(answer, server, name, family) : RESULT_NXDOMAIN;

    for (size_t i = 0; !absolute && search[i] && result > RESULT_FOUND && result < RESULT_FAILED;
         i++) {
        g_autofree char *candidate = g_strdup_printf("%s.%s", name, search[i]);

        if (result == RESULT_NODATA && !nodata)
            nodata = g_strdup(answer->error);
        result = ask_families(answer, server, candidate, family);
    }
    if (!first && (result == RESULT_NODATA || result == RESULT_NXDOMAIN)) {
        if (result == RESULT_NODATA && !nodata)
            nodata = g_strdup(answer->error);
        result = ask_families(answer, server, name, family);
    }
    if (nodata && result == RESULT_NXDOMAIN) {
        g_free(answer->error);
        answer->error = g_steal_pointer(&nodata);
    }
}

/* "1.0.0.127.in-addr.arpa"; NULL: not an address. */
static char *reverse_name(const char *text)
{
    struct address address;
    GString *name;

    if (!address_parse(&address, text, strlen(text)))
        return NULL;
    name = g_string_new(NULL);
    if (address_is_inet(&address)) {
        for (int i = 15; i >= 12; i--)
            g_string_append_printf(name, "%u.", address.bytes[i]);
        g_string_append(name, "in-addr.arpa");
        return g_string_free(name, FALSE);
    }
    for (int i = 15; i >= 0; i--)
        g_string_append_printf(name, "%x.%x.", address.bytes[i] & 15u, address.bytes[i] >> 4);
    g_string_append(name, "ip6.arpa");
    return g_string_free(name, FALSE);
}

struct other_answer *dns_answer_new(const union endpoint *server, const char *name,
                                    const char *const *search, const char *family)
{
    struct other_answer *answer = other_answer_new("DNS");
    g_autofree char *reverse = reverse_name(name);

    if (reverse)
        (void)ask_type(answer, server, reverse, ns_t_ptr);
    else
        search_name(answer, server, name, search, family);
    return answer;
}

void dns_answer_server(const struct arguments *arguments, union endpoint *server)
{
    value_auto yajl_val config = NULL;

    (void)ask_quietly(arguments, (const char *[]){"config", NULL}, &config);
    yajl_val dns = value_get(value_setting(config, "dns"), "value");
    const char *text = value_element_text(dns, "listen", 0);
    if (!text || !endpoint_parse(server, text, ENDPOINT_DNS))
        (void)endpoint_parse(server, KUBESVC_DNS_LISTEN, ENDPOINT_DNS);
}
