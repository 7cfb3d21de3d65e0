/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Objects: their lifetime and their names. Relations between objects belong to the catalog and the
 * endpoints; an object is the content of one document of a manifest, and is immutable.
 */
#include "object.h"

#include <string.h>

static const struct {
    const char *name;
    size_t size;
} kinds[OBJECT_KINDS] = {
    [OBJECT_SERVICE] = {"Service", sizeof(struct service)},
    [OBJECT_ENDPOINT_SLICE] = {"EndpointSlice", sizeof(struct endpoint_slice)},
    [OBJECT_ENDPOINTS] = {"Endpoints", sizeof(struct endpoint_slice)},
    [OBJECT_POD] = {"Pod", sizeof(struct pod)},
    [OBJECT_NAMESPACE] = {"Namespace", sizeof(struct object)},
    [OBJECT_AUTOSCALER] = {"HorizontalPodAutoscaler", sizeof(struct autoscaler)},
    [OBJECT_MENTION] = {"other objects", sizeof(struct object)},
    [OBJECT_DEPLOYMENT] = {"Deployment", sizeof(struct workload)},
    [OBJECT_REPLICA_SET] = {"ReplicaSet", sizeof(struct workload)},
    [OBJECT_REPLICATION_CONTROLLER] = {"ReplicationController", sizeof(struct workload)},
    [OBJECT_STATEFUL_SET] = {"StatefulSet", sizeof(struct workload)},
    [OBJECT_DAEMON_SET] = {"DaemonSet", sizeof(struct workload)},
    [OBJECT_JOB] = {"Job", sizeof(struct workload)},
    [OBJECT_CRON_JOB] = {"CronJob", sizeof(struct workload)},
};

struct source *source_new(const char *path, unsigned rank, bool allocate)
{
    struct source *source = g_new0(struct source, 1);

    source->references = 1;
    source->path = g_strdup(path);
    source->rank = rank;
    source->allocate = allocate;
    return source;
}

struct source *source_ref(struct source *source)
{
    source->references++;
    return source;
}

void source_set_refused(struct source *source, uint32_t n_refused, const struct usage *least)
{
    if (source->account) {
        source->account->n_refusing -= source->n_refused > 0;
        source->account->n_refusing += n_refused > 0;
    }
    source->n_refused = n_refused;
    source->least = *least;
}

bool source_has_room(const struct source *source)
{
    return source->n_refused > 0 && !usage_exceeds(&source->account->used, &source->least);
}

void source_unref(struct source *source)
{
    if (!source || --source->references > 0)
        return;
    source_set_refused(source, 0, &(struct usage){0});
    account_unref(source->account);
    g_free(source->path);
    g_free(source);
}

const char *object_kind_name(enum object_kind kind)
{
    return kind < OBJECT_KINDS ? kinds[kind].name : "object";
}

char *object_describe(const struct object *object)
{
    if (object->kind == OBJECT_NAMESPACE)
        return g_strdup_printf("Namespace %s", object->name);
    return g_strdup_printf("%s %s/%s", object_kind_name(object->kind), object->ns, object->name);
}

struct object *object_new(enum object_kind kind, struct source *source, const char *ns,
                          const char *name)
{
    /* The name follows the object: one allocation for both matters with 150,000 pods. */
    size_t size = kinds[kind].size, name_size = strlen(name) + 1;
    struct object *object = g_malloc0(size + name_size);

    object->kind = (uint8_t)kind;
    object->source = source_ref(source);
    object->ns = name_intern(ns, strlen(ns));
    object->name = memcpy((char *)object + size, name, name_size);
    if (kind == OBJECT_POD)
        ((struct pod *)object)->owner.kind = OBJECT_KINDS;
    else if (object_is_workload(object))
        ((struct workload *)object)->owner.kind = OBJECT_KINDS;
    return object;
}

static void service_clear(struct service *service)
{
    labels_unref(service->selector);
    labels_unref(service->labels);
    g_free(service->cluster_ips.items);
    g_free(service->stated.items);
    ports_unref(service->ports);
    g_free(service->external_name);
}

static void endpoint_slice_clear(struct endpoint_slice *slice)
{
    name_unref(slice->service);
    for (uint32_t i = 0; i < slice->n_subsets; i++) {
        struct endpoint_subset *subset = &slice->subsets[i];

        ports_unref(subset->ports);
        for (uint32_t j = 0; j < subset->n; j++) {
            g_free(subset->endpoints[j].addresses.items);
            g_free(subset->endpoints[j].hostname);
            name_unref(subset->endpoints[j].target);
        }
        g_free(subset->endpoints);
    }
    g_free(slice->subsets);
}

void pod_spec_clear(struct pod_spec *spec)
{
    labels_unref(spec->labels);
    name_unref(spec->hostname);
    name_unref(spec->subdomain);
    ports_unref(spec->ports);
    g_free(spec->stated.items);
}

static void workload_clear(struct workload *workload)
{
    pod_spec_clear(&workload->template);
    name_unref(workload->owner.name);
    labels_unref(workload->labels);
    labels_unref(workload->selector);
    for (uint32_t i = 0; i < workload->n_requirements; i++) {
        struct requirement *requirement = &workload->requirements[i];

        name_unref(requirement->key);
        for (const char **value = requirement->values; value && *value; value++)
            name_unref(*value);
        g_free(requirement->values);
    }
    g_free(workload->requirements);
    name_unref(workload->service_name);
}

void object_free(struct object *object)
{
    if (!object)
        return;
    object_discharge(object);
    if (object->kind == OBJECT_SERVICE)
        service_clear((struct service *)object);
    else if (object->kind == OBJECT_ENDPOINT_SLICE || object->kind == OBJECT_ENDPOINTS)
        endpoint_slice_clear((struct endpoint_slice *)object);
    else if (object_is_workload(object))
        workload_clear((struct workload *)object);
    else if (object->kind == OBJECT_AUTOSCALER)
        name_unref(((struct autoscaler *)object)->target.name);
    else if (object->kind == OBJECT_POD) {
        struct pod *pod = (struct pod *)object;

        pod_spec_unref(pod->spec);
        name_unref(pod->owner.name);
        if (pod->addresses.items != &pod->only)
            g_free(pod->addresses.items);
    }
    name_unref(object->ns);
    source_unref(object->source);
    g_free(object);
}

static bool requirement_matches(const struct requirement *requirement, const struct labels *labels)
{
    const char *value = labels_get(labels, requirement->key);
    bool listed = false;

    /* both sides are interned */
    for (const char **wanted = requirement->values; value && wanted && *wanted; wanted++)
        listed |= *wanted == value;
    switch (requirement->operator) {
    case REQUIREMENT_IN: return listed;
    case REQUIREMENT_NOT_IN: return !listed;
    case REQUIREMENT_EXISTS: return value != NULL;
    case REQUIREMENT_DOES_NOT_EXIST: return value == NULL;
    }
    return false;
}

bool workload_selects(const struct workload *workload, const struct labels *labels)
{
    bool by_labels = workload->selector && workload->selector->n > 0;

    if (!by_labels && workload->n_requirements == 0)
        return false;
    if (by_labels && !labels_match(workload->selector, labels))
        return false;
    for (uint32_t i = 0; i < workload->n_requirements; i++) {
        if (!requirement_matches(&workload->requirements[i], labels))
            return false;
    }
    return true;
}

bool dns_label_is_valid(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return length >= 1 && length <= 63 && text[length] == '\0' && text[0] != '-' &&
           text[length - 1] != '-';
}
