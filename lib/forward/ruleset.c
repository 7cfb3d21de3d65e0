/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ruleset: every piece of the table with the Services that need it. Two Services may need the
 * same piece, such as a cluster IP or a hairpin; if they disagree about one, because both state
 * a cluster IP, the first in order of namespace and name has it. What was touched since the table
 * was last brought up to date is compared with what the table has.
 */
#include "ruleset.h"

#include <string.h>

#include "items.h"

struct ruleset_claim {
    const struct member *member;
    const char *value; /* the item's */
};

struct slot {
    struct item item; /* its value is what the table has, NULL: it is not there */
    GArray *claims;   /* struct ruleset_claim, by the order of the members */
};

struct member { /* a Service */
    char *id;   /* "namespace/name" */
    GPtrArray *items;
    bool stale;
};

struct ruleset {
    GHashTable *members; /* id -> struct member */
    GHashTable *slots;   /* set of struct slot */
    GHashTable *touched; /* those of them since the last ruleset_settle */
};

static guint slot_hash(gconstpointer data)
{
    const struct slot *slot = data;

    return g_str_hash(slot->item.key) * 31u + g_str_hash(slot->item.set) + slot->item.kind;
}

static gboolean slot_equal(gconstpointer a, gconstpointer b)
{
    const struct item *x = &((const struct slot *)a)->item, *y = &((const struct slot *)b)->item;

    return x->kind == y->kind && strcmp(x->set, y->set) == 0 && strcmp(x->key, y->key) == 0;
}

static void slot_free(void *data)
{
    struct slot *slot = data;

    g_free(slot->item.key);
    g_free(slot->item.value);
    g_array_unref(slot->claims);
    g_free(slot);
}

static void member_free(void *data)
{
    struct member *member = data;

    g_free(member->id);
    g_ptr_array_unref(member->items);
    g_free(member);
}

struct ruleset *ruleset_new(void)
{
    struct ruleset *ruleset = g_new(struct ruleset, 1);

    *ruleset = (struct ruleset){
        .members = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, member_free),
        .slots = g_hash_table_new_full(slot_hash, slot_equal, slot_free, NULL),
        .touched = g_hash_table_new(NULL, NULL),
    };
    return ruleset;
}

struct ruleset *ruleset_free(struct ruleset *ruleset)
{
    if (!ruleset)
        return NULL;
    g_hash_table_unref(ruleset->touched);
    g_hash_table_unref(ruleset->slots);
    g_hash_table_unref(ruleset->members);
    g_free(ruleset);
    return NULL;
}

unsigned ruleset_size(const struct ruleset *ruleset)
{
    return g_hash_table_size(ruleset->members);
}

/* --- Claims --- */

static struct slot *slot_of(struct ruleset *ruleset, const struct item *item)
{
    struct slot sought = {.item = *item}, *slot = g_hash_table_lookup(ruleset->slots, &sought);

    if (slot)
        return slot;
    slot = g_new0(struct slot, 1);
    slot->item = *item;
    slot->item.key = g_strdup(item->key);
    slot->item.value = NULL;
    slot->claims = g_array_new(FALSE, FALSE, sizeof(struct ruleset_claim));
    g_hash_table_add(ruleset->slots, slot);
    return slot;
}

/* Most slots have one claim, or many that agree. */
static guint claim_place(const struct slot *slot, const struct member *member)
{
    guint low = 0, high = slot->claims->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (strcmp(g_array_index(slot->claims, struct ruleset_claim, middle).member->id,
                   member->id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void claim(struct ruleset *ruleset, const struct member *member, const struct item *item)
{
    struct slot *slot = slot_of(ruleset, item);
    struct ruleset_claim claim = {member, item->value};

    g_array_insert_val(slot->claims, claim_place(slot, member), claim);
    g_hash_table_add(ruleset->touched, slot);
}

static void unclaim(struct ruleset *ruleset, const struct member *member, const struct item *item)
{
    struct slot *slot = slot_of(ruleset, item);
    guint place = claim_place(slot, member);

    g_array_remove_index(slot->claims, place);
    g_hash_table_add(ruleset->touched, slot);
}

static void drop(struct ruleset *ruleset, struct member *member)
{
    for (guint i = 0; i < member->items->len; i++)
        unclaim(ruleset, member, member->items->pdata[i]);
    g_hash_table_remove(ruleset->members, member->id);
}

void ruleset_set(struct ruleset *ruleset, const struct forward_service *service)
{
    struct member *member = g_new0(struct member, 1), *before;

    member->id = g_strdup_printf("%s/%s", service->ns, service->name);
    member->items = items_of(service);
    before = g_hash_table_lookup(ruleset->members, member->id);
    if (before)
        drop(ruleset, before);
    g_hash_table_insert(ruleset->members, member->id, member);
    for (guint i = 0; i < member->items->len; i++)
        claim(ruleset, member, member->items->pdata[i]);
}

void ruleset_remove(struct ruleset *ruleset, const char *ns, const char *name)
{
    g_autofree char *id = g_strdup_printf("%s/%s", ns, name);
    struct member *member = g_hash_table_lookup(ruleset->members, id);

    if (member)
        drop(ruleset, member);
}

void ruleset_mark(struct ruleset *ruleset)
{
    GHashTableIter iter;
    void *member;

    g_hash_table_iter_init(&iter, ruleset->members);
    while (g_hash_table_iter_next(&iter, NULL, &member))
        ((struct member *)member)->stale = true;
}

void ruleset_sweep(struct ruleset *ruleset)
{
    g_autoptr(GPtrArray) stale = g_ptr_array_new();
    GHashTableIter iter;
    void *member;

    g_hash_table_iter_init(&iter, ruleset->members);
    while (g_hash_table_iter_next(&iter, NULL, &member))
        if (((const struct member *)member)->stale)
            g_ptr_array_add(stale, member);
    for (guint i = 0; i < stale->len; i++)
        drop(ruleset, stale->pdata[i]);
}

/* --- Commands --- */

/* What the table is to have; NULL: the slot is not to be there. */
static const char *wanted(const struct slot *slot)
{
    return slot->claims->len > 0 ? g_array_index(slot->claims, struct ruleset_claim, 0).value
                                 : NULL;
}

/* Slots to update, from `has` (or nothing, if the table is recreated). */
struct difference {
    GPtrArray *slots; /* const struct slot *, sorted */
    bool whole;
    GString *text;
};

static const char *has(const struct difference *difference, const struct slot *slot)
{
    return difference->whole ? NULL : slot->item.value;
}

static int compare_slots(gconstpointer a, gconstpointer b)
{
    const struct item *x = &(*(const struct slot *const *)a)->item;
    const struct item *y = &(*(const struct slot *const *)b)->item;
    int order = strcmp(x->set, y->set);

    return order != 0 ? order : strcmp(x->key, y->key);
}

static void collect(struct difference *difference, GHashTable *slots)
{
    GHashTableIter iter;
    void *slot;

    difference->slots = g_ptr_array_new();
    g_hash_table_iter_init(&iter, slots);
    while (g_hash_table_iter_next(&iter, &slot, NULL))
        if (g_strcmp0(has(difference, slot), wanted(slot)) != 0)
            g_ptr_array_add(difference->slots, slot);
    g_ptr_array_sort(difference->slots, compare_slots);
}

typedef void (*write_slot)(const struct difference *difference, const struct slot *slot);

static void each(const struct difference *difference, enum item_kind kind, write_slot write)
{
    for (guint i = 0; i < difference->slots->len; i++) {
        const struct slot *slot = difference->slots->pdata[i];

        if (slot->item.kind == kind)
            write(difference, slot);
    }
}

static void declare_set(const struct difference *difference, const struct slot *slot)
{
    if (wanted(slot) && !has(difference, slot))
        g_string_append_printf(difference->text, "add set " RULESET_TABLE " %s { %s }\n",
                               slot->item.key, wanted(slot));
}

static void declare_chain(const struct difference *difference, const struct slot *slot)
{
    if (wanted(slot) && !has(difference, slot))
        g_string_append_printf(difference->text, "add chain " RULESET_TABLE " %s\n",
                               slot->item.key);
}

static void empty_chain(const struct difference *difference, const struct slot *slot)
{
    if (has(difference, slot))
        g_string_append_printf(difference->text, "flush chain " RULESET_TABLE " %s\n",
                               slot->item.key);
}

static void fill_chain(const struct difference *difference, const struct slot *slot)
{
    g_auto(GStrv) rules = wanted(slot) ? g_strsplit(wanted(slot), "\n", -1) : NULL;

    for (char **rule = rules; rule && **rule; rule++)
        g_string_append_printf(difference->text, "add rule " RULESET_TABLE " %s %s\n",
                               slot->item.key, *rule);
}

static void delete_chain(const struct difference *difference, const struct slot *slot)
{
    if (!wanted(slot))
        g_string_append_printf(difference->text, "delete chain " RULESET_TABLE " %s\n",
                               slot->item.key);
}

static void delete_set(const struct difference *difference, const struct slot *slot)
{
    if (!wanted(slot))
        g_string_append_printf(difference->text, "delete set " RULESET_TABLE " %s\n",
                               slot->item.key);
}

/* The elements of each set in one command: `verb` is "add", with what is wanted, or "delete", with
 * what was there. */
static void write_elements(const struct difference *difference, const char *verb)
{
    bool adds = strcmp(verb, "add") == 0;
    const char *set = NULL;

    for (guint i = 0; i < difference->slots->len; i++) {
        const struct slot *slot = difference->slots->pdata[i];
        const char *value = adds ? wanted(slot) : has(difference, slot);

        if (slot->item.kind != ITEM_ELEMENT || !value)
            continue;
        if (set && strcmp(set, slot->item.set) == 0)
            g_string_append(difference->text, ",\n\t");
        else
            g_string_append_printf(difference->text, "%s%s element " RULESET_TABLE " %s {\n\t",
                                   set ? "\n}\n" : "", verb, slot->item.set);
        set = slot->item.set;
        g_string_append_printf(difference->text, "%s%s%s", slot->item.key, *value ? " : " : "",
                               value);
    }
    if (set)
        g_string_append(difference->text, "\n}\n");
}

/* Nothing is used before it exists, and nothing is deleted while it is used. */
static void write_difference(const struct difference *difference)
{
    each(difference, ITEM_SET, declare_set);
    each(difference, ITEM_CHAIN, declare_chain);
    write_elements(difference, "delete");
    each(difference, ITEM_CHAIN, empty_chain);
    each(difference, ITEM_CHAIN, fill_chain);
    write_elements(difference, "add");
    each(difference, ITEM_CHAIN, delete_chain);
    each(difference, ITEM_SET, delete_set);
}

/* Only the first packet of a connection comes here; the others follow its translation. That of
 * every connection of the host does, so those that are not for a Service pass as few expressions as
 * possible. A client whose only route is ours has the cluster IP as its source: a reset to it must
 * not be refused in turn, and what leaves the host so gets another source. */
static const char frame[] =
    "add table " RULESET_TABLE "\n"
    "delete table " RULESET_TABLE "\n"
    "table " RULESET_TABLE " {\n"
    "\tmap services4 { type ipv4_addr . inet_proto . inet_service : verdict; }\n"
    "\tmap services6 { type ipv6_addr . inet_proto . inet_service : verdict; }\n"
    "\tset cluster-ips4 { type ipv4_addr; }\n"
    "\tset cluster-ips6 { type ipv6_addr; }\n"
    "\tset hairpins4 { type ipv4_addr . ipv4_addr; }\n"
    "\tset hairpins6 { type ipv6_addr . ipv6_addr; }\n"
    "\tchain refuse {\n"
    "\t\tct state != new return\n"
    "\t\tmeta l4proto tcp reject with tcp reset\n"
    "\t\tmeta l4proto { udp, sctp } reject with icmpx type port-unreachable\n"
    "\t}\n"
    "\tchain services {\n"
    "\t\tip daddr . meta l4proto . th dport vmap @services4\n"
    "\t\tip6 daddr . meta l4proto . th dport vmap @services6\n"
    "\t\tip daddr @cluster-ips4 goto refuse\n"
    "\t\tip6 daddr @cluster-ips6 goto refuse\n"
    "\t}\n"
    "\tchain prerouting { type nat hook prerouting priority dstnat; jump services; }\n"
    "\tchain output { type nat hook output priority -100; jump services; }\n"
    "\tchain masquerades {\n"
    "\t\tip saddr . ip daddr @hairpins4 masquerade\n"
    "\t\tip6 saddr . ip6 daddr @hairpins6 masquerade\n"
    "\t\tip saddr @cluster-ips4 masquerade\n"
    "\t\tip6 saddr @cluster-ips6 masquerade\n"
    "\t}\n"
    "\tchain postrouting {\n"
    "\t\ttype nat hook postrouting priority srcnat;\n"
    "\t\toif != lo ct status dnat jump masquerades\n"
    "\t}\n"
    "}\n";

char *ruleset_whole(const struct ruleset *ruleset)
{
    struct difference difference = {.whole = true, .text = g_string_new(frame)};

    collect(&difference, ruleset->slots);
    write_difference(&difference);
    g_ptr_array_unref(difference.slots);
    return g_string_free(difference.text, FALSE);
}

char *ruleset_changes(const struct ruleset *ruleset)
{
    struct difference difference = {.text = g_string_new(NULL)};

    collect(&difference, ruleset->touched);
    write_difference(&difference);
    g_ptr_array_unref(difference.slots);
    char *text = g_string_free(difference.text, FALSE);
    return *text ? text : (g_free(text), NULL);
}

bool ruleset_has_sets(const struct ruleset *ruleset)
{
    GHashTableIter iter;
    void *slot;

    g_hash_table_iter_init(&iter, ruleset->slots);
    while (g_hash_table_iter_next(&iter, &slot, NULL))
        if (((const struct slot *)slot)->item.kind == ITEM_SET && wanted(slot))
            return true;
    return false;
}

bool ruleset_has_set(const struct ruleset *ruleset, const char *name)
{
    const struct slot sought = {
        .item = {.kind = ITEM_SET, .set = "", .key = (char *)(uintptr_t)name}};
    const struct slot *slot = g_hash_table_lookup(ruleset->slots, &sought);

    return slot && wanted(slot);
}

void ruleset_flows(const struct ruleset *ruleset, ruleset_flow each_flow, void *userdata)
{
    GHashTableIter iter;
    void *key;

    g_hash_table_iter_init(&iter, ruleset->touched);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const struct slot *slot = key;

        if (slot->item.kind == ITEM_FLOW && g_strcmp0(slot->item.value, wanted(slot)) != 0)
            each_flow(userdata, &slot->item.address, slot->item.port,
                      wanted(slot) ? wanted(slot) : "");
    }
}

void ruleset_settle(struct ruleset *ruleset)
{
    GHashTableIter iter;
    void *key;

    g_hash_table_iter_init(&iter, ruleset->touched);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        struct slot *slot = key;
        const char *value = wanted(slot);

        g_free(slot->item.value);
        slot->item.value = g_strdup(value);
        if (!value)
            g_hash_table_remove(ruleset->slots, slot);
    }
    g_hash_table_remove_all(ruleset->touched);
}
