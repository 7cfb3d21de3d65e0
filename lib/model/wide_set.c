/*
 * Parts are GLib's tables, chosen by bits of the hash that those do not look at first. They come
 * into being one by one, so that a small set costs little.
 */
#include "wide_set.h"

void wide_set_init(struct wide_set *set, GHashFunc hash, GEqualFunc equal, GDestroyNotify destroy)
{
    *set = (struct wide_set){.hash = hash, .equal = equal, .destroy = destroy};
}

void wide_set_clear(struct wide_set *set)
{
    for (unsigned i = 0; i < WIDE_SET_PARTS; i++)
        g_clear_pointer(&set->parts[i], g_hash_table_unref);
    set->size = 0;
}

guint wide_set_size(const struct wide_set *set)
{
    return set->size;
}

/* Many hashes are addresses in memory, whose upper bits are all the same. */
static unsigned part_of(const struct wide_set *set, gconstpointer item)
{
    return (set->hash(item) * 0x9e3779b1u >> 16) % WIDE_SET_PARTS;
}

gpointer wide_set_find(const struct wide_set *set, gconstpointer probe)
{
    GHashTable *part = set->parts[part_of(set, probe)];

    return part ? g_hash_table_lookup(part, probe) : NULL;
}

void wide_set_add(struct wide_set *set, gpointer item)
{
    GHashTable **part = &set->parts[part_of(set, item)];

    if (!*part)
        *part = g_hash_table_new_full(set->hash, set->equal, set->destroy, NULL);
    if (g_hash_table_replace(*part, item, item))
        set->size++;
}

void wide_set_remove(struct wide_set *set, gconstpointer probe)
{
    GHashTable *part = set->parts[part_of(set, probe)];

    if (part && g_hash_table_remove(part, probe))
        set->size--;
}

void wide_set_iter_init(struct wide_set_iter *iter, const struct wide_set *set)
{
    *iter = (struct wide_set_iter){.set = (struct wide_set *)set};
}

gpointer wide_set_next(struct wide_set_iter *iter)
{
    gpointer item;

    for (;;) {
        if (iter->in_part && g_hash_table_iter_next(&iter->of_part, &item, NULL))
            return item;
        iter->in_part = false;
        if (iter->next_part == WIDE_SET_PARTS)
            return NULL;
        GHashTable *part = iter->set->parts[iter->next_part++];
        if (!part)
            continue;
        g_hash_table_iter_init(&iter->of_part, part);
        iter->in_part = true;
    }
}

void wide_set_iter_remove(struct wide_set_iter *iter)
{
    g_hash_table_iter_remove(&iter->of_part);
    iter->set->size--;
}
