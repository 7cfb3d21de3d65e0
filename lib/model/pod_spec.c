/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pod specs, interned: the pods of a workload share it entirely, and there may be a hundred
 * thousand of them. The table holds no reference itself and goes with its last entry.
 */
#include <string.h>

#include "object.h"

/* Everything a spec points to is interned itself, except stated addresses, which are rare. */
static guint spec_hash(gconstpointer data)
{
    const struct pod_spec *spec = data;
    guint hash = g_direct_hash(spec->labels);

    hash = hash * 31u + g_direct_hash(spec->hostname);
    hash = hash * 31u + g_direct_hash(spec->subdomain);
    return hash * 31u + g_direct_hash(spec->ports) + spec->stated.n;
}

static gboolean spec_equal(gconstpointer a, gconstpointer b)
{
    return pod_specs_equal(a, b);
}

static GHashTable *known; /* set of struct pod_spec; NULL while there is none */

struct pod_spec *pod_spec_intern(const struct pod_spec *spec)
{
    if (!known)
        known = g_hash_table_new(spec_hash, spec_equal);
    struct pod_spec *twin = g_hash_table_lookup(known, spec);
    if (twin) {
        struct pod_spec copy = *spec;
        pod_spec_clear(&copy);
        twin->references++;
        return twin;
    }
    twin = g_memdup2(spec, sizeof *spec);
    twin->references = 1;
    g_hash_table_add(known, twin);
    return twin;
}

void pod_spec_unref(struct pod_spec *spec)
{
    if (!spec || --spec->references > 0)
        return;
    g_hash_table_remove(known, spec);
    if (g_hash_table_size(known) == 0)
        g_clear_pointer(&known, g_hash_table_unref);
    pod_spec_clear(spec);
    g_free(spec);
}
