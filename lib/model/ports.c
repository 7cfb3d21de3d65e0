/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ports: a counted array, interned like labels, because the pods of a workload all open the same
 * ones. The table holds no reference itself and goes with its last entry.
 */
#include <string.h>

#include "lib/util/hash.h"
#include "object.h"

static GHashTable *known; /* set of struct ports */

static guint ports_hash(gconstpointer data)
{
    const struct ports *ports = data;
    guint hash = ports->n;

    for (uint32_t i = 0; i < ports->n; i++) {
        const struct port *port = &ports->items[i];

        hash = hash * 31u + g_direct_hash(port->name) + g_direct_hash(port->target_name) * 7u;
        hash = hash * 31u + port->number * 3u + port->target * 5u + port->protocol;
    }
    return hash;
}

static gboolean ports_equal(gconstpointer a, gconstpointer b)
{
    const struct ports *x = a, *y = b;

    if (x->n != y->n)
        return FALSE;
    for (uint32_t i = 0; i < x->n; i++) {
        const struct port *p = &x->items[i], *q = &y->items[i];

        /* names are interned */
        if (p->name != q->name || p->target_name != q->target_name || p->number != q->number ||
            p->target != q->target || p->protocol != q->protocol)
            return FALSE;
    }
    return TRUE;
}

static void ports_free(struct ports *ports)
{
    for (uint32_t i = 0; i < ports->n; i++) {
        name_unref(ports->items[i].name);
        name_unref(ports->items[i].target_name);
    }
    g_free(ports);
}

struct ports *ports_new(const struct port *items, size_t n)
{
    g_assert(n > 0 && n <= UINT32_MAX);
    struct ports *ports = g_malloc(sizeof *ports + n * sizeof items[0]);
    ports->references = 1;
    ports->n = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        ports->items[i] = items[i];
        ports->items[i].name = name_intern(items[i].name);
        ports->items[i].target_name = name_intern(items[i].target_name);
    }
    if (!known)
        known = g_hash_table_new(ports_hash, ports_equal);
    struct ports *twin = g_hash_table_lookup(known, ports);
    if (twin) {
        ports_free(ports);
        return ports_ref(twin);
    }
    g_hash_table_add(known, ports);
    return ports;
}

struct ports *ports_ref(struct ports *ports)
{
    if (ports)
        ports->references++;
    return ports;
}

void ports_unref(struct ports *ports)
{
    if (!ports || --ports->references > 0)
        return;
    g_hash_table_remove(known, ports);
    if (g_hash_table_size(known) == 0)
        g_clear_pointer(&known, g_hash_table_unref);
    ports_free(ports);
}
