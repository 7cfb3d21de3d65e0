/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * External: a cache of what the world outside the zone says about the targets of ExternalNames, one
 * entry for each name and family, that asks where it does not know. It has no list of those who
 * wait: a search is cheap, so all that wait are simply run again when something was answered.
 */
#include "external.h"

#include <ares.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "lib/resolve/name.h"
#include "nameservers.h"
#include "reply.h"

#define EXTERNAL_ENTRIES_MAX 4096u
#define EXTERNAL_QUERIES_MAX 256u

#define SEC ((uint64_t)1000000)
#define EXTERNAL_TTL_MIN 1u
#define EXTERNAL_TTL_MAX 3600u
#define EXTERNAL_TTL_NODATA_MAX 5u

struct external {
    sd_event *event;
    struct nameservers *nameservers;
    GHashTable *entries; /* key -> struct external_entry, which owns it */
    GQueue recent;       /* entries, the least recently used first */
    unsigned n_pending;
    sd_event_source *settling;
    bool news; /* since `answered` was called last */
    void (*answered)(void *userdata);
    void *userdata;
};

struct external_entry {
    struct external *external;
    char *key;           /* the family, then the name in lower case */
    struct reply *reply; /* NULL: being asked */
    uint64_t asked, expires;
    GList turn;
};

static void external_entry_free(void *userdata)
{
    struct external_entry *entry = userdata;

    reply_free(entry->reply);
    g_free(entry->key);
    g_free(entry);
}

/* The clock of the cache; it does not move while a callback runs, so nothing that was valid expires
 * under one, and it goes on while the machine sleeps. */
static uint64_t external_now(const struct external *external)
{
    uint64_t now = 0;

    (void)sd_event_now(external->event, CLOCK_BOOTTIME, &now);
    return now;
}

/* The same where no event loop runs: in a child of the process. */
static uint64_t external_clock(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * SEC + (uint64_t)now.tv_nsec / 1000;
}

static const char *external_entry_name(const struct external_entry *entry)
{
    return entry->key + 1;
}

static enum kubesvc_family external_entry_family(const struct external_entry *entry)
{
    return (enum kubesvc_family)entry->key[0];
}

static void external_remove(struct external *external, struct external_entry *entry)
{
    g_queue_unlink(&external->recent, &entry->turn);
    g_hash_table_remove(external->entries, entry->key);
}

/* Removes what has been used least until `keep` entries are left; what is being asked stays. */
static void external_trim(struct external *external, unsigned keep)
{
    GList *link = external->recent.head;

    while (link && external->recent.length > keep) {
        struct external_entry *entry = link->data;

        link = link->next;
        if (entry->reply)
            external_remove(external, entry);
    }
}

/* Outside of every search, so that none loses what it points to. */
static int external_on_settle(sd_event_source *source, void *userdata)
{
    struct external *external = userdata;

    (void)source;
    external_trim(external, EXTERNAL_ENTRIES_MAX);
    if (external->news) {
        external->news = false;
        external->answered(external->userdata);
    }
    return 0;
}

static void external_settle(struct external *external)
{
    (void)sd_event_source_set_enabled(external->settling, SD_EVENT_ONESHOT);
}

static uint64_t external_lifetime(const struct reply *reply)
{
    uint32_t most = EXTERNAL_TTL_MIN;

    if (reply->state == EXTERNAL_FOUND)
        most = EXTERNAL_TTL_MAX;
    else if (reply->state == EXTERNAL_NODATA)
        most = EXTERNAL_TTL_NODATA_MAX;
    return CLAMP(reply->ttl, EXTERNAL_TTL_MIN, most) * SEC;
}

static void external_finish(struct external_entry *entry, struct reply *reply)
{
    struct external *external = entry->external;
    uint64_t now = external_now(external);

    /* A search may need two slow answers at the same time; so each lasts at least for as long again
     * as it took to come, or one would always have expired when the other is there. */
    entry->expires = now + external_lifetime(reply) + (now - entry->asked);
    entry->reply = reply;
    external->n_pending--;
    external->news = true;
    external_settle(external);
}

static void external_on_answer(void *userdata, const uint8_t *message, size_t size)
{
    struct external_entry *entry = userdata;
    struct reply *reply = reply_new();

    if (message)
        reply_read(reply, message, size, external_entry_name(entry), external_entry_family(entry));
    external_finish(entry, reply);
}

/* Fills the entry from the hosts file, or else asks the nameservers. */
static void external_ask(struct external_entry *entry)
{
    struct external *external = entry->external;
    const char *name = external_entry_name(entry);
    enum kubesvc_family family = external_entry_family(entry);
    struct hostent *host = nameservers_host(external->nameservers, name, family);
    struct reply *reply;

    entry->reply = reply_free(entry->reply);
    entry->asked = external_now(external);
    external->n_pending++;
    if (!host) {
        nameservers_ask(external->nameservers, name, family, external_on_answer, entry);
        return;
    }
    reply = reply_new();
    reply_read_host(reply, host, name);
    ares_free_hostent(host);
    external_finish(entry, reply);
}

static struct external_entry *external_add(struct external *external, const char *key)
{
    struct external_entry *entry = g_new(struct external_entry, 1);

    *entry = (struct external_entry){
        .external = external,
        .key = g_strdup(key),
        .turn.data = entry,
    };
    g_hash_table_insert(external->entries, entry->key, entry);
    g_queue_push_tail_link(&external->recent, &entry->turn);
    if (external->recent.length > EXTERNAL_ENTRIES_MAX)
        external_settle(external);
    return entry;
}

/* The entry for a name, which is asked for if nothing is known. NULL: too much is being asked. */
static struct external_entry *external_find(struct external *external, const char *key)
{
    struct external_entry *entry = g_hash_table_lookup(external->entries, key);
    bool known = entry && (!entry->reply || external_now(external) < entry->expires);

    if (!known && external->n_pending >= EXTERNAL_QUERIES_MAX)
        return NULL;
    if (!entry)
        entry = external_add(external, key);
    if (!known)
        external_ask(entry);
    g_queue_unlink(&external->recent, &entry->turn);
    g_queue_push_tail_link(&external->recent, &entry->turn);
    return entry;
}

/* False: no name is that long. */
static bool external_key(char key[static KUBESVC_NAME_MAX + 2], const char *target,
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

static void external_answer(const struct external_entry *entry, enum kubesvc_family family,
                            struct external_answer *answer)
{
    const struct reply *reply = entry->reply;

    *answer = (struct external_answer){
        .state = reply->state,
        .addresses = reply->addresses->data,
        .n_addresses = reply->addresses->len / (family == KUBESVC_FAMILY_INET ? 4 : 16),
        .aliases = (const char *const *)reply->aliases->pdata,
        .n_aliases = reply->aliases->len,
    };
}

void external_lookup(void *userdata, const char *target, enum kubesvc_family family,
                     struct external_answer *answer)
{
    char key[KUBESVC_NAME_MAX + 2];
    const struct external_entry *entry;

    *answer = (struct external_answer){.state = EXTERNAL_FAILED};
    if (!external_key(key, target, family))
        return;
    entry = external_find(userdata, key);
    if (!entry)
        return;
    if (!entry->reply)
        answer->state = EXTERNAL_PENDING;
    else
        external_answer(entry, family, answer);
}

void external_known(void *userdata, const char *target, enum kubesvc_family family,
                    struct external_answer *answer)
{
    const struct external *external = userdata;
    char key[KUBESVC_NAME_MAX + 2];
    const struct external_entry *entry;

    *answer = (struct external_answer){.state = EXTERNAL_FAILED};
    if (!external_key(key, target, family))
        return;
    entry = g_hash_table_lookup(external->entries, key);
    if (entry && entry->reply && external_clock() < entry->expires)
        external_answer(entry, family, answer);
}

static void external_on_change(void *userdata)
{
    external_trim(userdata, 0);
}

int external_new(struct external **externalp, sd_event *event, const GPtrArray *nameservers,
                 void (*answered)(void *userdata), void *userdata)
{
    struct external *external = g_new(struct external, 1);
    int r;

    *external = (struct external){
        .event = sd_event_ref(event),
        .entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, external_entry_free),
        .recent = G_QUEUE_INIT,
        .answered = answered,
        .userdata = userdata,
    };
    r = sd_event_add_defer(event, &external->settling, external_on_settle, external);
    if (r >= 0)
        r = sd_event_source_set_enabled(external->settling, SD_EVENT_OFF);
    if (r >= 0)
        r = nameservers_new(&external->nameservers, event, nameservers, "/etc/resolv.conf",
                            external_on_change, external);
    if (r < 0) {
        external_free(external);
        return r;
    }
    *externalp = external;
    return 0;
}

struct external *external_free(struct external *external)
{
    if (!external)
        return NULL;
    nameservers_free(external->nameservers);
    g_hash_table_unref(external->entries);
    sd_event_source_disable_unref(external->settling);
    sd_event_unref(external->event);
    g_free(external);
    return NULL;
}

int external_configure(struct external *external, const GPtrArray *nameservers)
{
    int r = nameservers_configure(external->nameservers, nameservers);

    if (!r)
        external_on_change(external);
    return r;
}
