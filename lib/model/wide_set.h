/*
 * A set of things that may be very many, in as many parts as keep it from ever taking long: a hash
 * table that grows moves all it holds at once, which for a large store is many milliseconds.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define WIDE_SET_PARTS 32u

struct wide_set { /* its size is wide_set_size's to tell */
    GHashFunc hash;
    GEqualFunc equal;
    GDestroyNotify destroy;            /* of what is removed or replaced; may be NULL */
    GHashTable *parts[WIDE_SET_PARTS]; /* NULL while there is nothing in it */
    guint size;
};

void wide_set_init(struct wide_set *set, GHashFunc hash, GEqualFunc equal, GDestroyNotify destroy);
void wide_set_clear(struct wide_set *set); /* it can be used again */

guint wide_set_size(const struct wide_set *set);

/* What is equal to `probe`, or NULL. */
gpointer wide_set_find(const struct wide_set *set, gconstpointer probe);

/* Takes the place of what was equal to it. */
void wide_set_add(struct wide_set *set, gpointer item);

/* Nothing happens if there is nothing equal to `probe`. */
void wide_set_remove(struct wide_set *set, gconstpointer probe);

/* Through all of it in no order, while nothing changes but by wide_set_iter_remove, which takes out
 * what was returned last. */
struct wide_set_iter {
    struct wide_set *set;
    GHashTableIter of_part;
    unsigned next_part;
    bool in_part;
};
void wide_set_iter_init(struct wide_set_iter *iter, const struct wide_set *set);
gpointer wide_set_next(struct wide_set_iter *iter); /* NULL at the end */
void wide_set_iter_remove(struct wide_set_iter *iter);
