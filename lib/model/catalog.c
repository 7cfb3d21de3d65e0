/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The catalog. One table of identities that leads to the object in effect, with those that lost to
 * it chained below, best first. One table of sources with their objects. It compares whole objects
 * and reports only what changed, so that replacing a large file costs little more than reading it.
 */
#include "catalog.h"

#include <string.h>

#include "lib/util/hash.h"

struct catalog {
    catalog_changed changed;
    void *userdata;
    struct between between;
    GHashTable *identities; /* set of struct object: those in effect */
    GHashTable *sources;    /* struct source * -> GPtrArray of struct object *, which it owns */
    uint64_t n_taken;
    uint64_t n_shadowed; /* objects that are not in effect */
};

static guint identity_hash(gconstpointer data)
{
    const struct object *object = data;
    return hash_text(object->name) ^ g_direct_hash(object->ns) ^ object->kind * 0x9e3779b9u;
}

static gboolean identity_equal(gconstpointer a, gconstpointer b)
{
    const struct object *x = a, *y = b;
    return x->kind == y->kind && x->ns == y->ns && strcmp(x->name, y->name) == 0;
}

/* Positive when `a` wins over `b`. */
static int precedence(const struct object *a, const struct object *b)
{
    if (a->refused != b->refused)
        return a->refused ? -1 : 1;
    if (a->source->rank != b->source->rank)
        return a->source->rank > b->source->rank ? 1 : -1;
    int order = strcmp(a->source->path, b->source->path);
    if (order != 0)
        return order;
    return a->document > b->document ? 1 : -1;
}

struct catalog *catalog_new(catalog_changed changed, void *userdata, struct between between)
{
    struct catalog *catalog = g_new0(struct catalog, 1);
    catalog->changed = changed;
    catalog->userdata = userdata;
    catalog->between = between;
    catalog->identities = g_hash_table_new(identity_hash, identity_equal);
    catalog->sources =
        g_hash_table_new_full(g_direct_hash, g_direct_equal, (GDestroyNotify)source_unref,
                              (GDestroyNotify)g_ptr_array_unref);
    return catalog;
}

struct catalog *catalog_free(struct catalog *catalog)
{
    if (!catalog)
        return NULL;
    g_hash_table_unref(catalog->sources);
    g_hash_table_unref(catalog->identities);
    g_free(catalog);
    return NULL;
}

static void insert(struct catalog *catalog, struct object *object)
{
    struct object *head = g_hash_table_lookup(catalog->identities, object);
    catalog->n_shadowed += head != NULL;
    if (!head || precedence(object, head) > 0) {
        object->shadowed = head;
        g_hash_table_add(catalog->identities, object);
        catalog->changed(catalog->userdata, head, object);
        return;
    }
    struct object **link = &head->shadowed;
    while (*link && precedence(*link, object) > 0)
        link = &(*link)->shadowed;
    object->shadowed = *link;
    *link = object;
}

static void take_out(struct catalog *catalog, struct object *object)
{
    struct object *head = g_hash_table_lookup(catalog->identities, object);
    catalog->n_shadowed -= head != object || object->shadowed;
    if (head == object) {
        if (object->shadowed)
            g_hash_table_add(catalog->identities, object->shadowed);
        else
            g_hash_table_remove(catalog->identities, object);
        catalog->changed(catalog->userdata, object, object->shadowed);
    } else {
        struct object **link = &head->shadowed;
        while (*link != object)
            link = &(*link)->shadowed;
        *link = object->shadowed;
    }
}

static void remove_and_free(struct catalog *catalog, struct object *object)
{
    take_out(catalog, object);
    object_free(object);
}

/* The previous objects of the source, by identity. Of two with one identity in one file only one
 * can be found again; the other is simply removed and added. */
static GHashTable *take_before(struct catalog *catalog, struct source *source)
{
    GHashTable *before = g_hash_table_new(identity_hash, identity_equal);
    gpointer key, value;
    if (!g_hash_table_steal_extended(catalog->sources, source, &key, &value))
        return before;
    g_autoptr(GPtrArray) objects = value;
    g_ptr_array_set_free_func(objects, NULL);
    source_unref(key);
    for (guint i = objects->len; i-- > 0;) {
        struct object *object = objects->pdata[i];
        if (g_hash_table_contains(before, object))
            remove_and_free(catalog, object);
        else
            g_hash_table_add(before, object);
        between_pieces(&catalog->between);
    }
    return before;
}

/* Does the object keep its rank among its rivals when it moves within its file? */
static bool may_move(const struct catalog *catalog, const struct object *object, uint32_t document)
{
    const struct object *head = g_hash_table_lookup(catalog->identities, object);
    return object->document == document || (head == object && !object->shadowed);
}

/* What replaces the incoming object, NULL: nothing. */
static struct object *take(struct catalog *catalog, struct object *before, struct object *incoming)
{
    if (incoming->broken) {
        object_free(incoming);
        return before;
    }
    if (before && object_equal(before, incoming) && may_move(catalog, before, incoming->document)) {
        before->line = incoming->line;
        before->column = incoming->column;
        before->document = incoming->document;
        object_free(incoming);
        return before;
    }
    insert(catalog, incoming);
    if (before)
        remove_and_free(catalog, before);
    return incoming;
}

/* `kept`: receives missing objects that stay in effect, because they may be among the refused ones;
 * NULL: they are removed. */
static void remove_rest(struct catalog *catalog, GHashTable *before, GPtrArray *kept)
{
    GHashTableIter iter;
    gpointer object;
    g_hash_table_iter_init(&iter, before);
    while (g_hash_table_iter_next(&iter, &object, NULL)) {
        g_hash_table_iter_remove(&iter);
        if (kept)
            g_ptr_array_add(kept, object);
        else
            remove_and_free(catalog, object);
        between_pieces(&catalog->between);
    }
}

void catalog_replace(struct catalog *catalog, struct source *source, GPtrArray *objects)
{
    g_autoptr(GHashTable) before = take_before(catalog, source);
    GPtrArray *after = g_ptr_array_new_with_free_func((GDestroyNotify)object_free);
    for (guint i = 0; objects && i < objects->len; i++) {
        struct object *incoming = g_steal_pointer(&objects->pdata[i]);
        struct object *known =
            g_hash_table_size(before) > 0 ? g_hash_table_lookup(before, incoming) : NULL;
        if (known)
            g_hash_table_remove(before, known);
        struct object *taken = take(catalog, known, incoming);
        if (taken)
            g_ptr_array_add(after, taken);
        catalog->n_taken++;
        between_pieces(&catalog->between);
    }
    remove_rest(catalog, before, objects && source->n_refused > 0 ? after : NULL);
    if (objects)
        g_ptr_array_unref(objects);
    if (after->len > 0)
        g_hash_table_insert(catalog->sources, source_ref(source), after);
    else
        g_ptr_array_unref(after);
}

void catalog_move(struct catalog *catalog, struct source *from, struct source *to)
{
    gpointer key, value;
    if (!g_hash_table_steal_extended(catalog->sources, from, &key, &value))
        return;
    const GPtrArray *objects = value;
    for (guint i = 0; i < objects->len; i++) {
        take_out(catalog, objects->pdata[i]);
        object_move(objects->pdata[i], to);
        insert(catalog, objects->pdata[i]);
        between_pieces(&catalog->between);
    }
    g_hash_table_insert(catalog->sources, source_ref(to), value);
    source_unref(key);
}

uint64_t catalog_taken(const struct catalog *catalog)
{
    return catalog->n_taken;
}

struct object *catalog_find(const struct catalog *catalog, enum object_kind kind, const char *ns,
                            const char *name)
{
    struct object probe = {.kind = (uint8_t)kind, .ns = ns, .name = name};
    return g_hash_table_lookup(catalog->identities, &probe);
}

unsigned catalog_size(const struct catalog *catalog)
{
    return g_hash_table_size(catalog->identities);
}

bool catalog_has_shadowed(const struct catalog *catalog)
{
    return catalog->n_shadowed > 0;
}

void catalog_each(const struct catalog *catalog,
                  void (*each)(void *userdata, struct object *object), void *userdata)
{
    GHashTableIter iter;
    gpointer object;
    g_hash_table_iter_init(&iter, catalog->identities);
    while (g_hash_table_iter_next(&iter, &object, NULL))
        each(userdata, object);
}
