/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses and their users. One entry for each address that is stated or claimed, with a list of
 * claims; the best claim names the address, independent of order, and always with a name that
 * resolves forward, because only Services that answer make claims (except for those hidden by
 * ignoreEmptyService).
 */
#include "reverse.h"

#include <limits.h>
#include <string.h>

#include "labels.h"
#include "lib/resolve/dashed.h"
#include "lib/util/hash.h"

/* There are as many as endpoints and pods: storing the kind in the owner's lowest bits saves a
 * third of the memory. */
struct claim {
    struct claim *next;
    uintptr_t owner_and_kind;
    const char *label;
};

_Static_assert(_Alignof(struct claim_owner) > CLAIM_POD, "no room for the kind of a claim");

struct reverse_entry {
    struct address address; /* first: what it is found by */
    uint32_t stated;
    bool dirty;
    struct claim *claims; /* the last of a ring, the first follows it */
};

struct reverse {
    GHashTable *entries; /* struct reverse_entry, by address */
    GPtrArray *dirty;    /* struct reverse_entry * */
};

static uintptr_t join(const struct claim_owner *owner, enum claim_kind kind)
{
    return (uintptr_t)owner | kind;
}

static const struct claim_owner *owner_of(const struct claim *claim)
{
    return (const struct claim_owner *)(claim->owner_and_kind & ~(uintptr_t)CLAIM_POD);
}

static enum claim_kind kind_of(const struct claim *claim)
{
    return (enum claim_kind)(claim->owner_and_kind & CLAIM_POD);
}

static void claim_free(struct claim *claim)
{
    name_unref(claim->label);
    g_free(claim);
}

static struct claim *first_claim(const struct reverse_entry *entry)
{
    return entry->claims ? entry->claims->next : NULL;
}

static struct claim *next_claim(const struct reverse_entry *entry, const struct claim *claim)
{
    return claim == entry->claims ? NULL : claim->next;
}

static void entry_free(gpointer data)
{
    struct reverse_entry *entry = data;
    struct claim *claim = first_claim(entry), *next;
    for (; claim; claim = next) {
        next = next_claim(entry, claim);
        claim_free(claim);
    }
    g_free(entry);
}

struct reverse *reverse_new(void)
{
    struct reverse *reverse = g_new0(struct reverse, 1);
    reverse->entries = g_hash_table_new_full(hash_address, equal_address, entry_free, NULL);
    reverse->dirty = g_ptr_array_new();
    return reverse;
}

struct reverse *reverse_free(struct reverse *reverse)
{
    if (!reverse)
        return NULL;
    g_ptr_array_unref(reverse->dirty);
    g_hash_table_unref(reverse->entries);
    g_free(reverse);
    return NULL;
}

static struct reverse_entry *find(const struct reverse *reverse, const struct address *address)
{
    return g_hash_table_lookup(reverse->entries, address);
}

static struct reverse_entry *touch(struct reverse *reverse, const struct address *address)
{
    struct reverse_entry *entry = find(reverse, address);
    if (!entry) {
        entry = g_new0(struct reverse_entry, 1);
        entry->address = *address;
        g_hash_table_add(reverse->entries, entry);
    }
    if (!entry->dirty) {
        entry->dirty = true;
        g_ptr_array_add(reverse->dirty, entry);
    }
    return entry;
}

bool reverse_state(struct reverse *reverse, const struct address *address, bool stated)
{
    struct reverse_entry *entry = touch(reverse, address);
    if (stated)
        return entry->stated++ == 0;
    return --entry->stated == 0;
}

bool reverse_is_stated(const struct reverse *reverse, const struct address *address)
{
    const struct reverse_entry *entry = find(reverse, address);
    return entry && entry->stated > 0;
}

void reverse_claim(struct reverse *reverse, const struct address *address, enum claim_kind kind,
                   const struct claim_owner *owner, const char *label)
{
    struct reverse_entry *entry = touch(reverse, address);
    struct claim *claim = g_new(struct claim, 1), *last = entry->claims;
    *claim = (struct claim){.owner_and_kind = join(owner, kind), .label = name_ref(label)};
    claim->next = last ? last->next : claim;
    if (last)
        last->next = claim;
    entry->claims = claim;
}

/* Large numbers of claims usually go in the order in which they came: that of the Services'
 * names. */
void reverse_unclaim(struct reverse *reverse, const struct address *address, enum claim_kind kind,
                     const struct claim_owner *owner, const char *label)
{
    struct reverse_entry *entry = touch(reverse, address);
    struct claim *before = entry->claims;
    for (struct claim *claim = first_claim(entry); claim; claim = next_claim(entry, claim)) {
        if (claim->owner_and_kind != join(owner, kind) || claim->label != label) {
            before = claim;
            continue;
        }
        before->next = claim->next;
        if (claim == entry->claims)
            entry->claims = claim == before ? NULL : before;
        claim_free(claim);
        return;
    }
}

static char *claim_text(const struct claim *claim, const struct address *address)
{
    const struct claim_owner *owner = owner_of(claim);
    if (kind_of(claim) == CLAIM_CLUSTER_IP)
        return g_strconcat(owner->name, ".", owner->ns, NULL);
    char dashed[DASHED_MAX];
    if (!claim->label)
        dashed_format(address->bytes, dashed);
    return g_strconcat(claim->label ? claim->label : dashed, ".", owner->name, ".", owner->ns,
                       NULL);
}

/* Kinds are in the order in which they are preferred: cluster IPs before endpoints (rule 67),
 * hostnames before other labels (rule 70); but clusters often use the same addresses, and then the
 * name of the main zone comes first. */
static unsigned rank_of(const struct claim *claim)
{
    bool other = strchr(owner_of(claim)->ns, '@');

    return kind_of(claim) + (other ? CLAIM_POD : 0);
}

static char *best_name(const struct reverse_entry *entry)
{
    char *best = NULL;
    unsigned best_rank = UINT_MAX;
    for (const struct claim *claim = first_claim(entry); claim; claim = next_claim(entry, claim)) {
        unsigned rank = rank_of(claim);
        if (kind_of(claim) == CLAIM_POD || rank > best_rank)
            continue;
        char *text = claim_text(claim, &entry->address);
        if (rank < best_rank || strcmp(text, best) < 0) {
            g_free(best);
            best = g_steal_pointer(&text);
            best_rank = rank;
        }
        g_free(text);
    }
    return best;
}

static void hand_over(const struct reverse_entry *entry, const struct zone_sink *sink)
{
    g_autofree char *name = best_name(entry);
    g_autoptr(GPtrArray) pods = g_ptr_array_new();
    for (const struct claim *claim = first_claim(entry); claim; claim = next_claim(entry, claim))
        if (kind_of(claim) == CLAIM_POD && !g_ptr_array_find(pods, owner_of(claim)->ns, NULL))
            g_ptr_array_add(pods, (gpointer)owner_of(claim)->ns);
    struct zone_address address = {
        .address = entry->address, .known = entry->stated > 0, .name = name, .pods = pods};
    sink->address(sink->userdata, &address);
}

void reverse_flush(struct reverse *reverse, const struct zone_sink *sink,
                   const struct between *between)
{
    if (reverse->dirty->len == 0)
        return;
    while (reverse->dirty->len > 0) {
        struct reverse_entry *entry =
            g_ptr_array_remove_index_fast(reverse->dirty, reverse->dirty->len - 1);
        entry->dirty = false;
        if (entry->claims || entry->stated > 0) {
            hand_over(entry, sink);
        } else {
            sink->address_gone(sink->userdata, &entry->address);
            g_hash_table_remove(reverse->entries, entry);
        }
        between_pieces(between);
    }
    /* A large load must not leave its list allocated. */
    g_ptr_array_unref(reverse->dirty);
    reverse->dirty = g_ptr_array_new();
}
