/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Labels: a set of key=value pairs, sorted by key. Sets and their strings are interned and counted,
 * because all pods of a workload carry the same one: equal sets are the same pointer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct label {
    const char *key, *value; /* interned: equal strings are the same pointer */
};

struct labels {
    unsigned references; /* private */
    uint32_t n;
    struct label pairs[]; /* ascending by strcmp of keys */
};

/* Interns a set; of duplicate keys the last counts. `pairs` may be unsorted; its strings are
 * copied. n may be 0: an empty set, never NULL. Free the reference with labels_unref. */
const struct labels *labels_new(const struct label *pairs, size_t n);
const struct labels *labels_ref(const struct labels *labels);
void labels_unref(const struct labels *labels); /* NULL is allowed */

/* The value of a key, NULL if there is none. `key` need not be interned. */
const char *labels_get(const struct labels *labels, const char *key);

/* Are all pairs of `selector` in `labels`? An empty selector matches everything. */
bool labels_match(const struct labels *selector, const struct labels *labels);

/* A plain interned and counted string, equal strings are the same pointer. NULL stays NULL. Of
 * `length` bytes it ends at the first NUL. */
const char *name_intern(const char *text);
const char *name_intern_bytes(const char *text, size_t length);
const char *name_ref(const char *name);
void name_unref(const char *name);
