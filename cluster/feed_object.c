/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which file an object belongs to. The names in it come from the network and become names of
 * files, so only those that Kubernetes itself would accept do.
 */
#include "feed_object.h"

#include <glib.h>
#include <string.h>

#include "lib/util/log.h"
#include "lib/yaml/fields.h"

#define FILE_NAME_MAX 240u /* bytes: NAME_MAX, less what is added while it is written */

static bool is_name(const char *text)
{
    return *text && dns_subdomain_is_valid(text);
}

/* NULL: none. */
static char *group_of(enum resource resource, const struct trim_object *object)
{
    const char *name = resource == RESOURCE_SLICES ? object->service : object->name;

    if (!is_name(name) || strlen(name) > FILE_NAME_MAX)
        return NULL;
    if (resource == RESOURCE_NAMESPACES)
        return g_strdup_printf("%s/_namespace.json", name);
    return g_strdup_printf(resource == RESOURCE_PODS ? "%s/_pod.%s.json" : "%s/%s.json", object->ns,
                           name);
}

void feed_object_take(struct store *store, unsigned feed, enum resource resource,
                      const struct trim_object *object)
{
    g_autofree char *group = NULL;
    struct store_object stated = {
        .resource = resource,
        .feed = feed,
        .ns = object->ns,
        .name = object->name,
        .text = object->text,
        .length = object->length,
    };

    if (!is_name(object->name) || (resource_types[resource].namespaced && !is_name(object->ns)))
        return;
    group = object->event == TRIM_DELETED ? NULL : group_of(resource, object);
    stated.group = group;
    if (!group)
        store_remove(store, &stated);
    else if (!store_put(store, &stated))
        log_warning("%s %s/%s: more than %u objects; leaving it out", resource_types[resource].kind,
                    object->ns, object->name, STORE_OBJECTS_MAX);
}
