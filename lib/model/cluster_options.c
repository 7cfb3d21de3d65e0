/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The options of a cluster as a value: copied, compared, freed. Acting on them is up to the
 * cluster.
 */
#include "cluster_options.h"

#include <string.h>

struct cluster_options *cluster_options_copy(const struct cluster_options *options)
{
    struct cluster_options *copy = g_new(struct cluster_options, 1);
    *copy = *options;
    copy->node_ips = g_array_copy(options->node_ips);
    copy->pod_cidrs = g_array_copy(options->pod_cidrs);
    copy->service_cidrs = g_array_copy(options->service_cidrs);
    copy->namespaces = g_strdupv(options->namespaces);
    copy->runtimes = g_strdup(options->runtimes);
    copy->node = g_strdup(options->node);
    return copy;
}

struct cluster_options *cluster_options_free(struct cluster_options *options)
{
    if (!options)
        return NULL;
    g_array_unref(options->node_ips);
    g_array_unref(options->pod_cidrs);
    g_array_unref(options->service_cidrs);
    g_strfreev(options->namespaces);
    g_free(options->runtimes);
    g_free(options->node);
    g_free(options);
    return NULL;
}

static bool arrays_equal(const GArray *a, const GArray *b)
{
    size_t size = g_array_get_element_size((GArray *)a);
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len * size) == 0);
}

static bool names_equal(char *const *a, char *const *b)
{
    return a && b ? g_strv_equal((const char *const *)a, (const char *const *)b) : a == b;
}

bool cluster_options_equal(const struct cluster_options *a, const struct cluster_options *b)
{
    return a->allocate == b->allocate && a->pod_names == b->pod_names &&
           a->endpoint_pod_names == b->endpoint_pod_names &&
           a->ignore_empty_service == b->ignore_empty_service &&
           arrays_equal(a->node_ips, b->node_ips) && arrays_equal(a->pod_cidrs, b->pod_cidrs) &&
           arrays_equal(a->service_cidrs, b->service_cidrs) &&
           names_equal(a->namespaces, b->namespaces) && g_strcmp0(a->runtimes, b->runtimes) == 0 &&
           g_strcmp0(a->node, b->node) == 0;
}
