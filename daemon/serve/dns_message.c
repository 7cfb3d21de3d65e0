/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DNS message: reads the way from the requested name over CNAMEs to its addresses. The
 * message is untrusted: only what lies on that way is used, records about other names are not, and
 * names that no host can have are not passed on to programs.
 */
#include "dns_message.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <string.h>

#include "lib/resolve/name.h"

struct message_record {
    char *owner;
    uint16_t type;
    uint32_t ttl;
    const uint8_t *data;
    uint16_t length;
};

struct dns_reader {
    const uint8_t *data;
    size_t size, position;
};

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

static void record_clear(void *userdata)
{
    struct message_record *record = userdata;

    g_free(record->owner);
}

static uint16_t get_u16(const uint8_t *data)
{
    return (uint16_t)(data[0] << 8 | data[1]);
}

static uint32_t get_u32(const uint8_t *data)
{
    return (uint32_t)get_u16(data) << 16 | get_u16(data + 2);
}

/* The name at `data`, which lies in the message, or NULL. */
static char *message_name(const struct dns_reader *message, const uint8_t *data, size_t *usedp)
{
    char *expanded, *name;
    long used;

    if (data >= message->data + message->size ||
        ares_expand_name(data, message->data, (int)message->size, &expanded, &used) != ARES_SUCCESS)
        return NULL;
    name = g_strdup(expanded);
    ares_free_string(expanded);
    *usedp = (size_t)used;
    return name;
}

/* `size` more bytes, or NULL. */
static const uint8_t *message_take(struct dns_reader *message, size_t size)
{
    const uint8_t *data = message->data + message->position;

    if (message->size - message->position < size)
        return NULL;
    message->position += size;
    return data;
}

static char *message_take_name(struct dns_reader *message)
{
    size_t used = 0;
    g_autofree char *name = message_name(message, message->data + message->position, &used);

    return name && message_take(message, used) ? g_steal_pointer(&name) : NULL;
}

static bool message_take_record(struct dns_reader *message, struct message_record *record)
{
    g_autofree char *owner = message_take_name(message);
    const uint8_t *fixed = owner ? message_take(message, NS_RRFIXEDSZ) : NULL;

    if (!fixed)
        return false;
    record->type = get_u16(fixed);
    record->ttl = get_u32(fixed + 4);
    if (record->ttl > INT32_MAX) /* RFC 2181, section 8 */
        record->ttl = 0;
    record->length = get_u16(fixed + 8);
    record->data = message_take(message, record->length);
    if (!record->data)
        return false;
    record->owner = g_steal_pointer(&owner);
    return true;
}

static GArray *message_take_records(struct dns_reader *message, unsigned n)
{
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct message_record));

    g_array_set_clear_func(records, record_clear);
    for (unsigned i = 0; i < n; i++) {
        struct message_record record;

        if (!message_take_record(message, &record))
            return NULL;
        g_array_append_val(records, record);
    }
    return g_steal_pointer(&records);
}

static bool record_is(const struct message_record *record, uint16_t type, const char *owner)
{
    return record->type == type &&
           name_equal(record->owner, strlen(record->owner), owner, strlen(owner));
}

static void dns_message_add_addresses(struct dns_message *reply, const GArray *answers,
                                      const char *owner, enum kubesvc_family family)
{
    uint16_t type = family == KUBESVC_FAMILY_INET ? ns_t_a : ns_t_aaaa;
    uint16_t size = family == KUBESVC_FAMILY_INET ? NS_INADDRSZ : NS_IN6ADDRSZ;

    for (unsigned i = 0; i < answers->len; i++) {
        const struct message_record *record = &g_array_index(answers, struct message_record, i);

        if (!record_is(record, type, owner) || record->length != size)
            continue;
        g_byte_array_append(reply->addresses, record->data, size);
        reply->ttl = MIN(reply->ttl, record->ttl);
    }
}

/* The name that `owner` is an alias of; it is among the reply's aliases then. NULL: none. */
static const char *dns_message_add_alias(struct dns_message *reply,
                                         const struct dns_reader *message, const GArray *answers,
                                         const char *owner)
{
    for (unsigned i = 0; i < answers->len; i++) {
        const struct message_record *record = &g_array_index(answers, struct message_record, i);
        size_t used;
        char *target;

        if (!record_is(record, ns_t_cname, owner))
            continue;
        target = message_name(message, record->data, &used);
        if (!target || !name_is_valid(target, strlen(target))) {
            g_free(target);
            return NULL;
        }
        g_ptr_array_add(reply->aliases, target);
        reply->ttl = MIN(reply->ttl, record->ttl);
        return target;
    }
    return NULL;
}

/* How long to cache a name's absence: RFC 2308, section 5. */
static uint32_t negative_ttl(const GArray *authorities)
{
    for (unsigned i = 0; i < authorities->len; i++) {
        const struct message_record *record = &g_array_index(authorities, struct message_record, i);

        if (record->type == ns_t_soa && record->length >= sizeof(uint32_t))
            return MIN(record->ttl, get_u32(record->data + record->length - sizeof(uint32_t)));
    }
    return UINT32_MAX;
}

void dns_message_read(struct dns_message *reply, const uint8_t *data, size_t size, const char *name,
                      enum kubesvc_family family)
{
    struct dns_reader message = {.data = data, .size = size};
    const uint8_t *header = message_take(&message, NS_HFIXEDSZ);
    g_autoptr(GArray) answers = NULL;
    g_autoptr(GArray) authorities = NULL;

    if (!header || size > NS_MAXMSG)
        return;
    for (unsigned i = 0; i < get_u16(header + 4); i++) {
        g_autofree char *question = message_take_name(&message);

        if (!question || !message_take(&message, NS_QFIXEDSZ))
            return;
    }
    answers = message_take_records(&message, get_u16(header + 6));
    authorities = answers ? message_take_records(&message, get_u16(header + 8)) : NULL;
    if (!authorities)
        return;

    for (unsigned links = 0; name && links <= KUBESVC_CHAIN_MAX; links++) {
        dns_message_add_addresses(reply, answers, name, family);
        if (reply->addresses->len > 0) {
            reply->state = EXTERNAL_FOUND;
            return;
        }
        name = dns_message_add_alias(reply, &message, answers, name);
    }
    reply->state = EXTERNAL_NODATA;
    reply->ttl = negative_ttl(authorities);
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
