/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Upstream: a cache of answers from outside the zone for the targets of ExternalNames, one entry
 * for each name and family, that queries what it does not know. It keeps no list of waiting
 * searches: a search is cheap, so all of them simply run again after each answer.
 */
#include "upstream.h"

#include <ares.h>
#include <stdbool.h>
#include <string.h>

#include "dns_client.h"
#include "dns_message.h"
#include "lib/resolve/name.h"

#define UPSTREAM_ENTRIES_MAX 4096u
#define UPSTREAM_QUERIES_MAX 256u

#define SEC ((uint64_t)1000000)
#define UPSTREAM_TTL_MIN 1u
#define UPSTREAM_TTL_MAX 3600u
#define UPSTREAM_TTL_NODATA_MAX 5u

struct upstream {
    sd_event *event;
    struct dns_client *dns_client;
    GHashTable *entries; /* key -> struct upstream_entry, which owns it */
    GQueue recent;       /* entries, the least recently used first */
    unsigned n_pending;
    sd_event_source *settling;
    bool news; /* since the last call of `answered` */
    void (*answered)(void *userdata);
    void *userdata;
};

struct upstream_entry {
    struct upstream *upstream;
    char *key;                 /* the family, then the name in lower case */
    struct dns_message *reply; /* NULL: query in progress */
    uint64_t asked, expires;
    GList turn;
};

static void upstream_entry_free(void *userdata)
{
    struct upstream_entry *entry = userdata;

    dns_message_free(entry->reply);
    g_free(entry->key);
    g_free(entry);
}

/* The clock of the cache; it does not advance during a callback, so nothing valid expires under
 * one, and it continues while the machine sleeps. */
static uint64_t upstream_now(const struct upstream *upstream)
{
    uint64_t now = 0;

    (void)sd_event_now(upstream->event, CLOCK_BOOTTIME, &now);
    return now;
}

static const char *upstream_entry_name(const struct upstream_entry *entry)
{
    return entry->key + 1;
}

static enum kubesvc_family upstream_entry_family(const struct upstream_entry *entry)
{
    return (enum kubesvc_family)entry->key[0];
}

static void upstream_remove(struct upstream *upstream, struct upstream_entry *entry)
{
    g_queue_unlink(&upstream->recent, &entry->turn);
    g_hash_table_remove(upstream->entries, entry->key);
}

/* Removes the least recently used until `keep` entries are left; pending ones stay. */
static void upstream_trim(struct upstream *upstream, unsigned keep)
{
    GList *link = upstream->recent.head;

    while (link && upstream->recent.length > keep) {
        struct upstream_entry *entry = link->data;

        link = link->next;
        if (entry->reply)
            upstream_remove(upstream, entry);
    }
}

/* Outside of every search, so that none loses the data it points to. */
static int upstream_on_settle(sd_event_source *source, void *userdata)
{
    struct upstream *upstream = userdata;

    (void)source;
    upstream_trim(upstream, UPSTREAM_ENTRIES_MAX);
    if (upstream->news) {
        upstream->news = false;
        upstream->answered(upstream->userdata);
    }
    return 0;
}

static void upstream_settle(struct upstream *upstream)
{
    (void)sd_event_source_set_enabled(upstream->settling, SD_EVENT_ONESHOT);
}

static uint64_t upstream_lifetime(const struct dns_message *reply)
{
    uint32_t most = UPSTREAM_TTL_MIN;

    if (reply->state == EXTERNAL_FOUND)
        most = UPSTREAM_TTL_MAX;
    else if (reply->state == EXTERNAL_NODATA)
        most = UPSTREAM_TTL_NODATA_MAX;
    return CLAMP(reply->ttl, UPSTREAM_TTL_MIN, most) * SEC;
}

static void upstream_finish(struct upstream_entry *entry, struct dns_message *reply)
{
    struct upstream *upstream = entry->upstream;
    uint64_t now = upstream_now(upstream);

    /* A search may need two slow answers at the same time; so each is valid for at least as long as
     * it took to arrive, or one would always have expired when the other arrives. */
    entry->expires = now + upstream_lifetime(reply) + (now - entry->asked);
    entry->reply = reply;
    upstream->n_pending--;
    upstream->news = true;
    upstream_settle(upstream);
}

static void upstream_on_answer(void *userdata, const uint8_t *message, size_t size)
{
    struct upstream_entry *entry = userdata;
    struct dns_message *reply = dns_message_new();

    if (message)
        dns_message_read(reply, message, size, upstream_entry_name(entry),
                         upstream_entry_family(entry));
    upstream_finish(entry, reply);
}

/* Fills the entry from the hosts file, or else queries the nameservers. */
static void upstream_ask(struct upstream_entry *entry)
{
    struct upstream *upstream = entry->upstream;
    const char *name = upstream_entry_name(entry);
    enum kubesvc_family family = upstream_entry_family(entry);
    struct hostent *host = dns_client_host(upstream->dns_client, name, family);
    struct dns_message *reply;

    entry->reply = dns_message_free(entry->reply);
    entry->asked = upstream_now(upstream);
    upstream->n_pending++;
    if (!host) {
        dns_client_ask(upstream->dns_client, name, family, upstream_on_answer, entry);
        return;
    }
    reply = dns_message_new();
    dns_message_read_host(reply, host, name);
    ares_free_hostent(host);
    upstream_finish(entry, reply);
}

static struct upstream_entry *upstream_add(struct upstream *upstream, const char *key)
{
    struct upstream_entry *entry = g_new(struct upstream_entry, 1);

    *entry = (struct upstream_entry){
        .upstream = upstream,
        .key = g_strdup(key),
        .turn.data = entry,
    };
    g_hash_table_insert(upstream->entries, entry->key, entry);
    g_queue_push_tail_link(&upstream->recent, &entry->turn);
    if (upstream->recent.length > UPSTREAM_ENTRIES_MAX)
        upstream_settle(upstream);
    return entry;
}

/* The entry for a name, with a query started if nothing is known. NULL: too many are pending. */
static struct upstream_entry *upstream_find(struct upstream *upstream, const char *key)
{
    struct upstream_entry *entry = g_hash_table_lookup(upstream->entries, key);
    bool known = entry && (!entry->reply || upstream_now(upstream) < entry->expires);

    if (!known && upstream->n_pending >= UPSTREAM_QUERIES_MAX)
        return NULL;
    if (!entry)
        entry = upstream_add(upstream, key);
    if (!known)
        upstream_ask(entry);
    g_queue_unlink(&upstream->recent, &entry->turn);
    g_queue_push_tail_link(&upstream->recent, &entry->turn);
    return entry;
}

/* False: too long for a name. */
static bool upstream_key(char key[static KUBESVC_NAME_MAX + 2], const char *target,
                         enum kubesvc_family family)
{
    size_t length = strlen(target);

    if (length > KUBESVC_NAME_MAX)
        return false;
    key[0] = (char)family;
    for (size_t i = 0; i < length; i++)
        key[i + 1] = name_fold(target[i]);
    key[length + 1] = '\0';
    return true;
}

static void upstream_answer(const struct upstream_entry *entry, enum kubesvc_family family,
                            struct external_answer *answer)
{
    const struct dns_message *reply = entry->reply;

    *answer = (struct external_answer){
        .state = reply->state,
        .addresses = reply->addresses->data,
        .n_addresses = reply->addresses->len / (family == KUBESVC_FAMILY_INET ? 4 : 16),
        .aliases = (const char *const *)reply->aliases->pdata,
        .n_aliases = reply->aliases->len,
    };
}

void upstream_lookup(void *userdata, const char *target, enum kubesvc_family family,
                     struct external_answer *answer)
{
    char key[KUBESVC_NAME_MAX + 2];
    const struct upstream_entry *entry;

    *answer = (struct external_answer){.state = EXTERNAL_FAILED};
    if (!upstream_key(key, target, family))
        return;
    entry = upstream_find(userdata, key);
    if (!entry)
        return;
    if (!entry->reply)
        answer->state = EXTERNAL_PENDING;
    else
        upstream_answer(entry, family, answer);
}

void upstream_known(void *userdata, const char *target, enum kubesvc_family family,
                    struct external_answer *answer)
{
    const struct upstream *upstream = userdata;
    char key[KUBESVC_NAME_MAX + 2];
    const struct upstream_entry *entry;

    *answer = (struct external_answer){.state = EXTERNAL_FAILED};
    if (!upstream_key(key, target, family))
        return;
    entry = g_hash_table_lookup(upstream->entries, key);
    if (entry && entry->reply && upstream_now(upstream) < entry->expires)
        upstream_answer(entry, family, answer);
}

static void upstream_on_change(void *userdata)
{
    upstream_trim(userdata, 0);
}

int upstream_new(struct upstream **upstreamp, sd_event *event, const GPtrArray *nameservers,
                 void (*answered)(void *userdata), void *userdata)
{
    struct upstream *upstream = g_new(struct upstream, 1);

    *upstream = (struct upstream){
        .event = sd_event_ref(event),
        .entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, upstream_entry_free),
        .recent = G_QUEUE_INIT,
        .answered = answered,
        .userdata = userdata,
    };
    int r = sd_event_add_defer(event, &upstream->settling, upstream_on_settle, upstream);
    if (r >= 0)
        r = sd_event_source_set_enabled(upstream->settling, SD_EVENT_OFF);
    if (r >= 0)
        r = dns_client_new(&upstream->dns_client, event, nameservers, "/etc/resolv.conf",
                           upstream_on_change, upstream);
    if (r < 0) {
        upstream_free(upstream);
        return r;
    }
    *upstreamp = upstream;
    return 0;
}

struct upstream *upstream_free(struct upstream *upstream)
{
    if (!upstream)
        return NULL;
    dns_client_free(upstream->dns_client);
    g_hash_table_unref(upstream->entries);
    sd_event_source_disable_unref(upstream->settling);
    sd_event_unref(upstream->event);
    g_free(upstream);
    return NULL;
}

int upstream_configure(struct upstream *upstream, const GPtrArray *nameservers)
{
    int r = dns_client_configure(upstream->dns_client, nameservers);

    if (!r)
        upstream_on_change(upstream);
    return r;
}
