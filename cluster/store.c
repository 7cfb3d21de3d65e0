/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store: a table of objects, and of groups with their objects in a fixed order, so that the
 * same objects always give the same file. Whether anything has changed is decided by the trimmed
 * text: a heartbeat in managedFields or a new resourceVersion writes nothing.
 */
#include "store.h"

#include <string.h>

#define FEEDS_MAX 4096u

struct store_group;

struct stored_object {
    struct stored_object *next; /* in its group, by resource and name */
    struct store_group *group;
    size_t length;
    uint32_t generation;
    uint16_t feed;
    uint8_t resource;
    uint32_t text; /* where it begins in `key` */
    char key[];    /* "RESOURCE/NAMESPACE/NAME", and the text behind it */
};

struct store_group {
    struct stored_object *first;
    bool changed;
    char path[];
};

struct store {
    GHashTable *objects; /* key -> struct stored_object */
    GHashTable *groups;  /* path -> struct store_group */
    GPtrArray *changed;  /* struct store_group */
    unsigned counts[N_RESOURCES];
    GArray *generations; /* uint32_t, by feed */
};

struct store *store_new(void)
{
    struct store *store = g_new0(struct store, 1);

    store->objects = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    store->groups = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    store->changed = g_ptr_array_new();
    store->generations = g_array_new(FALSE, TRUE, sizeof(uint32_t));
    return store;
}

struct store *store_free(struct store *store)
{
    if (!store)
        return NULL;
    g_ptr_array_unref(store->changed);
    g_hash_table_unref(store->objects);
    g_hash_table_unref(store->groups);
    g_array_unref(store->generations);
    g_free(store);
    return NULL;
}

static uint32_t *generation_of(struct store *store, unsigned feed)
{
    if (feed >= store->generations->len)
        g_array_set_size(store->generations, feed + 1);
    return &g_array_index(store->generations, uint32_t, feed);
}

static void group_change(struct store *store, struct store_group *group)
{
    if (group->changed)
        return;
    group->changed = true;
    g_ptr_array_add(store->changed, group);
}

static struct store_group *group_get(struct store *store, const char *path)
{
    struct store_group *group = g_hash_table_lookup(store->groups, path);
    size_t size = strlen(path) + 1;

    if (group)
        return group;
    group = g_malloc0(sizeof *group + size);
    memcpy(group->path, path, size);
    g_hash_table_insert(store->groups, group->path, group);
    return group;
}

static void group_add(struct store_group *group, struct stored_object *object)
{
    struct stored_object **place = &group->first;

    while (*place && strcmp((*place)->key, object->key) < 0)
        place = &(*place)->next;
    object->next = *place;
    *place = object;
    object->group = group;
}

static void group_remove(struct store_group *group, struct stored_object *object)
{
    struct stored_object **place = &group->first;

    while (*place != object)
        place = &(*place)->next;
    *place = object->next;
}

static void object_drop(struct store *store, struct stored_object *object)
{
    group_remove(object->group, object);
    group_change(store, object->group);
    store->counts[object->resource]--;
}

static char *key_of(const struct store_object *object)
{
    return g_strdup_printf("%u/%s/%s", object->resource, object->ns, object->name);
}

bool store_put(struct store *store, const struct store_object *stated)
{
    g_autofree char *key = key_of(stated);
    size_t size = strlen(key) + 1;
    struct stored_object *old = g_hash_table_lookup(store->objects, key), *object;
    uint32_t generation = *generation_of(store, stated->feed);

    g_assert(stated->feed < FEEDS_MAX);
    if (old && old->length == stated->length &&
        memcmp(old->key + old->text, stated->text, old->length) == 0 &&
        strcmp(old->group->path, stated->group) == 0) {
        old->generation = generation;
        return true;
    }
    if (old)
        object_drop(store, old);
    else if (g_hash_table_size(store->objects) >= STORE_OBJECTS_MAX)
        return false;
    object = g_malloc(sizeof *object + size + stated->length);
    *object = (struct stored_object){
        .length = stated->length,
        .generation = generation,
        .feed = (uint16_t)stated->feed,
        .resource = (uint8_t)stated->resource,
        .text = (uint32_t)size,
    };
    memcpy(object->key, key, size);
    memcpy(object->key + size, stated->text, stated->length);
    g_hash_table_replace(store->objects, object->key, object);
    group_add(group_get(store, stated->group), object);
    group_change(store, object->group);
    store->counts[stated->resource]++;
    return true;
}

void store_remove(struct store *store, const struct store_object *stated)
{
    g_autofree char *key = key_of(stated);
    struct stored_object *object = g_hash_table_lookup(store->objects, key);

    if (!object)
        return;
    object_drop(store, object);
    g_hash_table_remove(store->objects, key);
}

void store_begin_list(struct store *store, unsigned feed)
{
    ++*generation_of(store, feed);
}

void store_end_list(struct store *store, unsigned feed)
{
    uint32_t generation = *generation_of(store, feed);
    GHashTableIter iter;
    void *value;

    g_hash_table_iter_init(&iter, store->objects);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct stored_object *object = value;

        if (object->feed != feed || object->generation == generation)
            continue;
        object_drop(store, object);
        g_hash_table_iter_remove(&iter);
    }
}

unsigned store_count(const struct store *store, enum resource resource)
{
    return store->counts[resource];
}

bool store_render(const struct store *store, const char *path, GString *text)
{
    const struct store_group *group = g_hash_table_lookup(store->groups, path);

    if (!group || !group->first)
        return false;
    g_string_append(text, "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[");
    for (const struct stored_object *object = group->first; object; object = object->next) {
        g_string_append(text, object == group->first ? "\n" : ",\n");
        g_string_append_len(text, object->key + object->text, (gssize)object->length);
    }
    g_string_append(text, "\n]}\n");
    return true;
}

unsigned store_take_changed(struct store *store, store_handler handled, void *userdata)
{
    unsigned left = 0;

    for (unsigned i = 0; i < store->changed->len; i++) {
        struct store_group *group = store->changed->pdata[i];

        if (!handled(userdata, group->path)) {
            store->changed->pdata[left++] = group;
            continue;
        }
        group->changed = false;
        if (!group->first)
            g_hash_table_remove(store->groups, group->path);
    }
    g_ptr_array_set_size(store->changed, (int)left);
    return left;
}

void store_change_all(struct store *store)
{
    GHashTableIter iter;
    void *value;

    g_hash_table_iter_init(&iter, store->groups);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        group_change(store, value);
}

bool store_has_group(const struct store *store, const char *path)
{
    const struct store_group *group = g_hash_table_lookup(store->groups, path);

    return group && group->first;
}
