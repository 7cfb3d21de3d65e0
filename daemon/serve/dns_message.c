/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DNS message: reads the way from the requested name over CNAMEs to its addresses. The
 * message is untrusted: only what lies on that way is used, records about other names are not, and
 * names that no host can have are not passed on to programs.
 */
#include "dns_message.h"

#include <arpa/nameser.h>
#include <resolv.h>
#include <string.h>

#include "lib/resolve/name.h"

struct dns_message *dns_message_new(void)
{
    struct dns_message *reply = g_new(struct dns_message, 1);

    *reply = (struct dns_message){
        .state = EXTERNAL_FAILED,
        .ttl = UINT32_MAX,
        .addresses = g_byte_array_new(),
        .aliases = g_ptr_array_new_with_free_func(g_free),
    };
    return reply;
}

struct dns_message *dns_message_free(struct dns_message *reply)
{
    if (!reply)
        return NULL;
    g_byte_array_unref(reply->addresses);
    g_ptr_array_unref(reply->aliases);
    g_free(reply);
    return NULL;
}

/* A record damaged anywhere makes the others doubtful. */
static bool is_sound(ns_msg *message)
{
    static const ns_sect sections[] = {ns_s_an, ns_s_ns};
    ns_rr record;

    for (size_t s = 0; s < G_N_ELEMENTS(sections); s++)
        for (int i = 0; i < ns_msg_count(*message, sections[s]); i++)
            if (ns_parserr(message, sections[s], i, &record) < 0)
                return false;
    return true;
}

static bool record_is(const ns_rr *record, ns_type type, const char *owner)
{
    return ns_rr_type(*record) == type &&
           name_equal(record->name, strlen(record->name), owner, strlen(owner));
}

static uint32_t record_ttl(const ns_rr *record)
{
    return ns_rr_ttl(*record) <= INT32_MAX ? ns_rr_ttl(*record) : 0; /* RFC 2181, section 8 */
}

static void dns_message_add_addresses(struct dns_message *reply, ns_msg *message, const char *owner,
                                      enum kubesvc_family family)
{
    ns_type type = family == KUBESVC_FAMILY_INET ? ns_t_a : ns_t_aaaa;
    uint16_t size = family == KUBESVC_FAMILY_INET ? NS_INADDRSZ : NS_IN6ADDRSZ;
    ns_rr record;

    for (int i = 0; ns_parserr(message, ns_s_an, i, &record) == 0; i++) {
        if (!record_is(&record, type, owner) || ns_rr_rdlen(record) != size)
            continue;
        g_byte_array_append(reply->addresses, ns_rr_rdata(record), size);
        reply->ttl = MIN(reply->ttl, record_ttl(&record));
    }
}

/* The name that `owner` is an alias of; it is among the reply's aliases then. NULL: none. */
static const char *dns_message_add_alias(struct dns_message *reply, ns_msg *message,
                                         const char *owner)
{
    char target[NS_MAXDNAME];
    ns_rr record;

    for (int i = 0; ns_parserr(message, ns_s_an, i, &record) == 0; i++) {
        if (!record_is(&record, ns_t_cname, owner))
            continue;
        if (dn_expand(ns_msg_base(*message), ns_msg_end(*message), ns_rr_rdata(record), target,
                      sizeof target) < 0 ||
            !name_is_valid(target, strlen(target)))
            return NULL;
        g_ptr_array_add(reply->aliases, g_strdup(target));
        reply->ttl = MIN(reply->ttl, record_ttl(&record));
        return reply->aliases->pdata[reply->aliases->len - 1];
    }
    return NULL;
}

/* How long to cache a name's absence: RFC 2308, section 5. */
static uint32_t negative_ttl(ns_msg *message)
{
    ns_rr record;

    for (int i = 0; ns_parserr(message, ns_s_ns, i, &record) == 0; i++) {
        const uint8_t *end = ns_rr_rdata(record) + ns_rr_rdlen(record);

        if (ns_rr_type(record) == ns_t_soa && ns_rr_rdlen(record) >= NS_INT32SZ)
            return MIN(record_ttl(&record), (uint32_t)ns_get32(end - NS_INT32SZ));
    }
    return UINT32_MAX;
}

void dns_message_read(struct dns_message *reply, const uint8_t *data, size_t size, const char *name,
                      enum kubesvc_family family)
{
    ns_msg message;

    if (size > NS_MAXMSG || ns_initparse(data, (int)size, &message) < 0 || !is_sound(&message))
        return;
    for (unsigned links = 0; name && links <= KUBESVC_CHAIN_MAX; links++) {
        dns_message_add_addresses(reply, &message, name, family);
        if (reply->addresses->len > 0) {
            reply->state = EXTERNAL_FOUND;
            return;
        }
        name = dns_message_add_alias(reply, &message, name);
    }
    reply->state = EXTERNAL_NODATA;
    reply->ttl = negative_ttl(&message);
}

void dns_message_read_host(struct dns_message *reply, const struct hostent *host, const char *name)
{
    size_t length = strlen(host->h_name);

    for (char **address = host->h_addr_list; *address; address++)
        g_byte_array_append(reply->addresses, (const uint8_t *)*address, (guint)host->h_length);
    if (reply->addresses->len == 0)
        return;
    reply->state = EXTERNAL_FOUND;
    reply->ttl = 0; /* the file may change at any time */
    if (!name_equal(host->h_name, length, name, strlen(name)) &&
        name_is_valid(host->h_name, length))
        g_ptr_array_add(reply->aliases, g_strdup(host->h_name));
}
