/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The interning table of names and label sets. It is the only state of the process without an
 * owner: a hundred thousand pods share a handful of label sets, and comparing labels is comparing
 * pointers. It holds no reference itself: unreferenced entries go, and with the last entry the
 * table. Only one thread handles manifests, so there is no lock.
 */
#include "labels.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/hash.h"

#define NAME_STACK 256

struct name {
    unsigned references;
    char text[];
};

static struct name *name_of(const char *text)
{
    return (struct name *)(void *)((char *)(uintptr_t)text - offsetof(struct name, text));
}

/* The tables exist while they have entries. */
static gpointer table_find(GHashTable *table, gconstpointer probe)
{
    return table ? g_hash_table_lookup(table, probe) : NULL;
}

static void table_remove(GHashTable **tablep, gconstpointer item)
{
    g_hash_table_remove(*tablep, item);
    if (g_hash_table_size(*tablep) == 0)
        g_clear_pointer(tablep, g_hash_table_unref);
}

static GHashTable *names; /* set of texts of struct name */

static const char *intern_text(const char *text, size_t length)
{
    const char *known;
    struct name *name;

    known = table_find(names, text);
    if (known)
        return name_ref(known);
    name = g_malloc(sizeof *name + length + 1);
    name->references = 1;
    memcpy(name->text, text, length + 1);
    if (!names)
        names = g_hash_table_new(hash_text, g_str_equal);
    g_hash_table_add(names, name->text);
    return name->text;
}

const char *name_intern(const char *text)
{
    return text ? intern_text(text, strlen(text)) : NULL;
}

const char *name_intern_bytes(const char *text, size_t length)
{
    char stack[NAME_STACK];
    g_autofree char *heap = NULL;

    length = strnlen(text, length);
    if (length >= sizeof stack) {
        heap = g_strndup(text, length);
        return intern_text(heap, length);
    }
    memcpy(stack, text, length);
    stack[length] = '\0';
    return intern_text(stack, length);
}

const char *name_ref(const char *name)
{
    if (name)
        name_of(name)->references++;
    return name;
}

void name_unref(const char *name)
{
    if (!name || --name_of(name)->references > 0)
        return;
    table_remove(&names, name);
    g_free(name_of(name));
}

static guint set_hash(gconstpointer key)
{
    const struct labels *labels = key;
    guint hash = labels->n;

    for (uint32_t i = 0; i < labels->n; i++) {
        hash = hash * 31 + g_direct_hash(labels->pairs[i].key);
        hash = hash * 31 + g_direct_hash(labels->pairs[i].value);
    }
    return hash;
}

static gboolean set_equal(gconstpointer a, gconstpointer b)
{
    const struct labels *x = a, *y = b;

    return x->n == y->n && memcmp(x->pairs, y->pairs, x->n * sizeof x->pairs[0]) == 0;
}

static GHashTable *sets; /* set of struct labels */

static int compare_keys(const void *a, const void *b)
{
    const struct label *x = a, *y = b;

    return x->key == y->key ? 0 : strcmp(x->key, y->key);
}

static int compare_for_sort(gconstpointer a, gconstpointer b, gpointer unused)
{
    (void)unused;
    return compare_keys(a, b);
}

static bool is_sorted(const struct labels *labels)
{
    for (uint32_t i = 1; i < labels->n; i++) {
        if (compare_keys(&labels->pairs[i - 1], &labels->pairs[i]) > 0)
            return false;
    }
    return true;
}

/* Releases earlier pairs with the same key as a later one. */
static uint32_t drop_overridden(struct label *pairs, uint32_t n)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (i + 1 < n && pairs[i].key == pairs[i + 1].key) {
            name_unref(pairs[i].key);
            name_unref(pairs[i].value);
            continue;
        }
        pairs[kept++] = pairs[i];
    }
    return kept;
}

static void set_free(struct labels *labels)
{
    for (uint32_t i = 0; i < labels->n; i++) {
        name_unref(labels->pairs[i].key);
        name_unref(labels->pairs[i].value);
    }
    g_free(labels);
}

const struct labels *labels_new(const struct label *pairs, size_t n)
{
    struct labels *labels, *known;

    g_assert(n <= UINT32_MAX);
    labels = g_malloc(sizeof *labels + n * sizeof labels->pairs[0]);
    labels->references = 1;
    labels->n = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        labels->pairs[i].key = name_intern(pairs[i].key);
        labels->pairs[i].value = name_intern(pairs[i].value);
    }
    /* a stable sort: of several pairs with one key the last stays last */
    if (!is_sorted(labels))
        g_qsort_with_data(labels->pairs, (gint)n, sizeof labels->pairs[0], compare_for_sort, NULL);
    labels->n = drop_overridden(labels->pairs, labels->n);

    known = table_find(sets, labels);
    if (known) {
        set_free(labels);
        return labels_ref(known);
    }
    if (!sets)
        sets = g_hash_table_new(set_hash, set_equal);
    g_hash_table_add(sets, labels);
    return labels;
}

const struct labels *labels_ref(const struct labels *labels)
{
    if (labels)
        ((struct labels *)(uintptr_t)labels)->references++;
    return labels;
}

void labels_unref(const struct labels *labels)
{
    struct labels *mutable = (struct labels *)(uintptr_t)labels;

    if (!labels || --mutable->references > 0)
        return;
    table_remove(&sets, labels);
    set_free(mutable);
}

const char *labels_get(const struct labels *labels, const char *key)
{
    const struct label wanted = {.key = key}, *found = NULL;

    if (labels)
        found = bsearch(&wanted, labels->pairs, labels->n, sizeof wanted, compare_keys);
    return found ? found->value : NULL;
}

bool labels_match(const struct labels *selector, const struct labels *labels)
{
    uint32_t at = 0, n = labels ? labels->n : 0;

    if (selector == labels)
        return true;
    for (uint32_t i = 0; i < selector->n; i++) {
        const struct label *wanted = &selector->pairs[i];

        while (at < n && labels->pairs[at].key != wanted->key &&
               strcmp(labels->pairs[at].key, wanted->key) < 0)
            at++;
        if (at == n || labels->pairs[at].key != wanted->key ||
            labels->pairs[at].value != wanted->value)
            return false;
    }
    return true;
}
