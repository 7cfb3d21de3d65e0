/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is followed of a cluster: the resources, where the API has them, and which of an object's
 * fields are kept. The fields are those that lib/manifest reads and no others; above all no
 * managedFields, which are a third of an object.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum resource { RESOURCE_SERVICES, RESOURCE_SLICES, RESOURCE_NAMESPACES, RESOURCE_PODS };
#define N_RESOURCES 4u

struct keep {
    const char *key;          /* NULL ends a level */
    const struct keep *inner; /* of what is in here; NULL: everything */
};

struct resource_type {
    const char *name;        /* "services", as in paths and RBAC rules */
    const char *group;       /* "discovery.k8s.io", "" for the core group */
    const char *prefix;      /* "/api/v1" */
    const char *api_version; /* of the objects */
    const char *kind;
    const struct keep *fields;
    bool namespaced;
};

extern const struct resource_type resource_types[N_RESOURCES];

/* "/api/v1/namespaces/NS/services?", to which a query is appended; of_namespace NULL: of all. */
GString *resource_path(const struct resource_type *type, const char *of_namespace);
void resource_path_query(GString *path, const char *key, const char *value);

/* "endpointslices.discovery.k8s.io in namespace NS"; free with g_free. */
char *resource_title(const struct resource_type *type, const char *of_namespace);
