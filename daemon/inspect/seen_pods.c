/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two sets of pods, made for one report: names are interned, so their addresses identify a pod.
 */
#include "seen_pods.h"

struct counting {
    enum runtime runtime; /* RUNTIMES: any */
    const void *source;   /* NULL: any */
    GHashTable *all, *taken;
};

static guint hash_pod(gconstpointer data)
{
    const struct sighting *sighting = data;

    return g_direct_hash(sighting->name) * 31 + g_direct_hash(sighting->ns);
}

static gboolean equal_pods(gconstpointer a, gconstpointer b)
{
    const struct sighting *x = a, *y = b;

    return x->name == y->name && x->ns == y->ns;
}

static void add_sighting(void *userdata, const struct sighting *sighting)
{
    struct counting *counting = userdata;

    if ((counting->runtime != RUNTIMES && sighting->runtime != counting->runtime) ||
        (counting->source && sighting->source != counting->source))
        return;
    g_hash_table_add(counting->all, (gpointer)(uintptr_t)sighting);
    if (sighting->state == SIGHTING_TAKEN)
        g_hash_table_add(counting->taken, (gpointer)(uintptr_t)sighting);
}

static struct seen_pods count(const struct cluster *cluster, enum runtime runtime,
                              const void *source)
{
    g_autoptr(GHashTable) all = g_hash_table_new(hash_pod, equal_pods);
    g_autoptr(GHashTable) taken = g_hash_table_new(hash_pod, equal_pods);
    struct counting counting = {runtime, source, all, taken};

    cluster_read_sightings(cluster, add_sighting, &counting);
    return (struct seen_pods){g_hash_table_size(all), g_hash_table_size(taken)};
}

struct seen_pods seen_pods_of_runtime(const struct cluster *cluster, enum runtime runtime)
{
    return count(cluster, runtime, NULL);
}

struct seen_pods seen_pods_of_source(const struct cluster *cluster, const void *source)
{
    return count(cluster, RUNTIMES, source);
}
