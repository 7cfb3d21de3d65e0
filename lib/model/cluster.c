/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cluster: its lifetime and its options. Objects are added by index.c; reconcile.c computes
 * what follows from them.
 */
#include "cluster.h"

#include <string.h>

#include "index.h"
#include "lib/util/hash.h"

static void object_changed(void *userdata, struct object *before, struct object *after)
{
    struct cluster *cluster = userdata;
    if (before)
        index_object(cluster, before, false);
    if (after)
        index_object(cluster, after, true);
}

static bool is_stated(void *userdata, const struct address *address)
{
    const struct cluster *cluster = userdata;
    return reverse_is_stated(cluster->reverse, address);
}

static void lease_changed(void *userdata, enum lease_event event, const struct lease *lease)
{
    const struct cluster *cluster = userdata;
    cluster->lease_changed(cluster->userdata, event, lease);
}

struct cluster *cluster_new(const struct zone_sink *sink, cluster_lease_changed changed,
                            void *userdata, struct between between)
{
    struct cluster *cluster = g_new0(struct cluster, 1);
    cluster->sink = *sink;
    cluster->lease_changed = changed;
    cluster->userdata = userdata;
    cluster->between = between;
    cluster->catalog = catalog_new(object_changed, cluster, between);
    cluster->leases = leases_new(&(struct leases_callbacks){
        .changed = lease_changed, .stated = is_stated, .userdata = cluster});
    cluster->reverse = reverse_new();
    cluster->sightings = sightings_new(&(struct sightings_callbacks){
        .changed = index_holder, .stated = index_address, .userdata = cluster});
    cluster->namespaces = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)namespace_free);
    cluster->pods.leases = cluster->leases;
    cluster->service_options.pods = &cluster->pods;
    cluster->service_options.between = between;
    cluster->endpoints.over = g_hash_table_new(NULL, NULL);
    cluster->replicas.over = g_hash_table_new(NULL, NULL);
    dirty_queue_init(&cluster->dirty);
    return cluster;
}

struct cluster *cluster_free(struct cluster *cluster)
{
    if (!cluster)
        return NULL;
    g_hash_table_unref(cluster->namespaces);
    g_hash_table_unref(cluster->endpoints.over);
    g_hash_table_unref(cluster->replicas.over);
    cluster->sightings = sightings_free(cluster->sightings);
    cluster->reverse = reverse_free(cluster->reverse);
    cluster->leases = leases_free(cluster->leases);
    cluster->catalog = catalog_free(cluster->catalog);
    cluster->options = cluster_options_free(cluster->options);
    dirty_queue_clear(&cluster->dirty);
    g_free(cluster);
    return NULL;
}

struct leases *cluster_leases(struct cluster *cluster)
{
    return cluster->leases;
}

static void take_pod_out(void *userdata, struct object *object)
{
    if (object->kind == OBJECT_POD)
        index_object(userdata, object, false);
}

static void take_pod_in(void *userdata, struct object *object)
{
    if (object->kind == OBJECT_POD)
        index_object(userdata, object, true);
}

/* Everything must be recomputed; pod names are dropped, because whether they are kept may
 * change. */
static void restart(struct cluster *cluster)
{
    GHashTableIter namespaces, iter;
    gpointer entry, state;
    g_hash_table_iter_init(&namespaces, cluster->namespaces);
    while (g_hash_table_iter_next(&namespaces, NULL, &entry)) {
        struct ns *ns = entry;
        dirty_queue_namespace(&cluster->dirty, ns);
        g_hash_table_iter_init(&iter, ns->services);
        while (g_hash_table_iter_next(&iter, NULL, &state))
            dirty_queue_service(&cluster->dirty, state);
        g_hash_table_iter_init(&iter, ns->workloads);
        while (g_hash_table_iter_next(&iter, NULL, &state)) {
            index_withdraw_replicas(cluster, state);
            dirty_queue_workload(&cluster->dirty, state);
        }
        g_hash_table_iter_init(&iter, ns->bare_pods);
        while (g_hash_table_iter_next(&iter, NULL, &state)) {
            index_withdraw_pod(cluster, state);
            dirty_queue_pod(&cluster->dirty, state);
        }
    }
}

void cluster_configure(struct cluster *cluster, const struct cluster_options *wanted)
{
    if (cluster->options && cluster_options_equal(cluster->options, wanted))
        return;
    struct cluster_options *options = cluster_options_copy(wanted);
    /* What Pods put into the indexes depends on the options, so they are removed under the old
     * ones. */
    catalog_each(cluster->catalog, take_pod_out, cluster);
    restart(cluster);
    cluster_options_free(cluster->options);
    cluster->options = options;
    cluster->pods.node_ips = options->node_ips;
    cluster->pods.allocate = options->allocate;
    cluster->pods.sightings = options->runtimes ? cluster->sightings : NULL;
    sightings_set_node(cluster->sightings, options->node);
    cluster->pods.endpoint_names = options->endpoint_pod_names;
    cluster->service_options.ignore_empty = options->ignore_empty_service;
    leases_set_ranges(cluster->leases, LEASE_POD, options->pod_cidrs);
    leases_set_ranges(cluster->leases, LEASE_SERVICE, options->service_cidrs);
    catalog_each(cluster->catalog, take_pod_in, cluster);
}

bool cluster_exposes(const struct cluster *cluster, const char *ns)
{
    const char *const *exposed = (const char *const *)cluster->options->namespaces;
    if (!exposed)
        return true;
    g_autofree char *label = g_strndup(ns, strcspn(ns, "@"));
    return g_strv_contains(exposed, label);
}

void cluster_observe(struct cluster *cluster,
                     void (*at)(void *userdata, const struct source *source), void *userdata)
{
    cluster->at = at;
    cluster->at_userdata = userdata;
}

void cluster_replace(struct cluster *cluster, struct source *source, GPtrArray *objects)
{
    catalog_replace(cluster->catalog, source, objects);
}

void cluster_move(struct cluster *cluster, struct source *from, struct source *to)
{
    catalog_move(cluster->catalog, from, to);
}

void cluster_see(struct cluster *cluster, const void *file, GPtrArray *sightings)
{
    sightings_replace(cluster->sightings, file, sightings);
}

uint64_t cluster_taken(const struct cluster *cluster)
{
    return catalog_taken(cluster->catalog);
}

unsigned cluster_size(const struct cluster *cluster)
{
    return catalog_size(cluster->catalog);
}
