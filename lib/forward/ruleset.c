/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ruleset: every piece of the table with the Services that need it. Two Services may need the
 * same piece, such as a cluster IP or a hairpin; if they disagree about one, because both state
 * a cluster IP, the first in order of namespace and name has it. What was touched since the table
 * was last brought up to date is compared with what the table has.
 */
#include "ruleset.h"

#include <string.h>

#include "commands.h"
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

/* The slot of an item, whose claims change now. */
static struct slot *touch(struct ruleset *ruleset, const struct item *item)
{
    struct slot sought = {.item = *item}, *slot = g_hash_table_lookup(ruleset->slots, &sought);

    if (!slot) {
        slot = g_new0(struct slot, 1);
        slot->item = *item;
        slot->item.key = g_strdup(item->key);
        slot->item.value = NULL;
        slot->claims = g_array_new(FALSE, FALSE, sizeof(struct ruleset_claim));
        g_hash_table_add(ruleset->slots, slot);
    }
    g_hash_table_add(ruleset->touched, slot);
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
    struct slot *slot = touch(ruleset, item);
    struct ruleset_claim claim = {member, item->value};

    g_array_insert_val(slot->claims, claim_place(slot, member), claim);
}

static void unclaim(struct ruleset *ruleset, const struct member *member)
{
    for (guint i = 0; i < member->items->len; i++) {
        struct slot *slot = touch(ruleset, member->items->pdata[i]);

        g_array_remove_index(slot->claims, claim_place(slot, member));
    }
}

void ruleset_set(struct ruleset *ruleset, const struct forward_service *service)
{
    struct member *member = g_new0(struct member, 1);

    member->id = g_strdup_printf("%s/%s", service->ns, service->name);
    member->items = items_of(service);
    ruleset_remove(ruleset, service->ns, service->name);
    g_hash_table_insert(ruleset->members, member->id, member);
    for (guint i = 0; i < member->items->len; i++)
        claim(ruleset, member, member->items->pdata[i]);
}

void ruleset_remove(struct ruleset *ruleset, const char *ns, const char *name)
{
    g_autofree char *id = g_strdup_printf("%s/%s", ns, name);
    const struct member *member = g_hash_table_lookup(ruleset->members, id);

    if (!member)
        return;
    unclaim(ruleset, member);
    g_hash_table_remove(ruleset->members, id);
}

void ruleset_mark(struct ruleset *ruleset)
{
    GHashTableIter iter;
    void *member;

    g_hash_table_iter_init(&iter, ruleset->members);
    while (g_hash_table_iter_next(&iter, NULL, &member))
        ((struct member *)member)->stale = true;
}

static gboolean drop_stale(void *id, void *value, void *userdata)
{
    const struct member *member = value;

    (void)id;
    if (member->stale)
        unclaim(userdata, member);
    return member->stale;
}

void ruleset_sweep(struct ruleset *ruleset)
{
    g_hash_table_foreach_remove(ruleset->members, drop_stale, ruleset);
}

/* --- The table --- */

/* What the table is to have; NULL: the slot is not to be there. */
static const char *wanted(const struct slot *slot)
{
    return slot->claims->len > 0 ? g_array_index(slot->claims, struct ruleset_claim, 0).value
                                 : NULL;
}

/* `whole`: the table is created from scratch, without any of the slots. */
static char *write_commands(GHashTable *slots, bool whole)
{
    g_autoptr(GArray) changes = g_array_new(FALSE, FALSE, sizeof(struct change));
    GString *text = g_string_new(whole ? commands_frame : NULL);
    GHashTableIter iter;
    void *key;

    g_hash_table_iter_init(&iter, slots);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const struct slot *slot = key;
        struct change change = {&slot->item, whole ? NULL : slot->item.value, wanted(slot)};

        if (g_strcmp0(change.before, change.after) != 0)
            g_array_append_val(changes, change);
    }
    commands_write(text, changes);
    return g_string_free(text, FALSE);
}

char *ruleset_whole(const struct ruleset *ruleset)
{
    return write_commands(ruleset->slots, true);
}

char *ruleset_changes(const struct ruleset *ruleset)
{
    g_autofree char *text = write_commands(ruleset->touched, false);

    return *text ? g_steal_pointer(&text) : NULL;
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
