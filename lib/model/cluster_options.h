/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The part of the configuration that concerns a cluster: a plain value.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct cluster_options {
    GArray *node_ips;                  /* struct address */
    GArray *pod_cidrs, *service_cidrs; /* struct address_range */
    char **namespaces;                 /* exposed ones; NULL: all */
    char *runtimes;                    /* the runtimes asked, "podman or cni"; NULL: none */
    char *node;                        /* this node's name; NULL: unknown */
    bool allocate;                     /* at all; sources may still not */
    bool pod_names;                    /* keep pods' names (pods: verified) */
    bool endpoint_pod_names, ignore_empty_service;
};

struct cluster_options *cluster_options_copy(const struct cluster_options *options);
struct cluster_options *cluster_options_free(struct cluster_options *options); /* returns NULL */
bool cluster_options_equal(const struct cluster_options *a, const struct cluster_options *b);
