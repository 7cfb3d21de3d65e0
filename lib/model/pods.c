/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pods as endpoints. The one place that decides what the addresses of a pod are and where they come
 * from; it keeps no state, because leases remember what was invented.
 */
#include "pods.h"

#include <stdio.h>
#include <string.h>

bool pods_may_allocate(const struct pods *pods, const struct object *object)
{
    return pods->allocate && object->source->allocate && !object->has_uid;
}

bool pods_is_open(const struct pods *pods, const struct pod *pod)
{
    return !pod->has_status && pod->spec->stated.n == 0 && !pod->spec->host_network &&
           (pods->sightings || pods_may_allocate(pods, &pod->object));
}

bool pods_is_open_workload(const struct workload *workload)
{
    return workload->template.stated.n == 0 && !workload->template.host_network;
}

bool pods_is_allocated(const struct pods *pods, const struct pod *pod)
{
    return !pods->sightings && pods_is_open(pods, pod);
}

static void replica_key(const char *ns, enum object_kind kind, const char *name, uint32_t ordinal,
                        char key[static LEASE_KEY_MAX + 1])
{
    snprintf(key, LEASE_KEY_MAX + 1, "%s/%s/%s/%u", ns, object_kind_name(kind), name, ordinal);
}

static void pod_key(const char *ns, const char *name, char key[static LEASE_KEY_MAX + 1])
{
    snprintf(key, LEASE_KEY_MAX + 1, "%s/Pod/%s", ns, name);
}

static bool find_lease(const struct pods *pods, int family, const char *key,
                       struct address *address)
{
    if (pods->look_only)
        return leases_find(pods->leases, LEASE_POD, family, key, address);
    return leases_take(pods->leases, LEASE_POD, family, key, address);
}

/* One address for each family that has a range, the first range's family first. */
static void lease(const struct pods *pods, const char *key, struct pod_view *view)
{
    int first = leases_first_family(pods->leases, LEASE_POD);
    if (first == 0)
        return;
    const int families[] = {first, first == 4 ? 6 : 4};
    for (unsigned i = 0; i < G_N_ELEMENTS(families); i++)
        if (find_lease(pods, families[i], key, &view->leased[view->n]))
            view->n++;
    view->addresses = view->leased;
    view->origin = ADDRESS_ALLOCATED;
}

static void release(const struct pods *pods, const char *key)
{
    leases_release(pods->leases, LEASE_POD, 4, key);
    leases_release(pods->leases, LEASE_POD, 6, key);
}

static void use_stated(struct pod_view *view, const struct addresses *addresses)
{
    view->addresses = addresses->items;
    view->n = addresses->n;
    view->origin = ADDRESS_STATED;
}

static void use_node(const struct pods *pods, struct pod_view *view)
{
    view->addresses = (const struct address *)(const void *)pods->node_ips->data;
    view->n = pods->node_ips->len;
    view->origin = ADDRESS_NODE;
}

/* A pod unknown to every runtime does not run. */
static void use_seen(const struct pods *pods, uint32_t index, struct pod_view *view)
{
    const struct holder_key key = {
        .kind = view->object->kind,
        .ns = view->object->ns,
        .name = view->object->name,
    };
    view->seen = sightings_find(pods->sightings, &key, index);
    view->ready = view->seen != NULL;
    if (!view->seen)
        return;
    view->addresses = view->seen->addresses;
    view->n = view->seen->n_addresses;
    view->origin = ADDRESS_SEEN;
    if (view->hostname != view->name)
        g_strlcpy(view->name, view->seen->name, sizeof view->name);
}

void pods_view(const struct pods *pods, const struct pod *pod, struct pod_view *view)
{
    memset(view, 0, offsetof(struct pod_view, leased));
    view->object = &pod->object;
    view->spec = pod->spec;
    g_strlcpy(view->name, pod->object.name, sizeof view->name);
    view->hostname = pod->spec->hostname;
    view->subdomain = pod->spec->subdomain;
    /* A manifest without status is desired state; assume it is realised. A dump states the
     * facts. */
    view->ready = pod->ready || !pod->has_status;
    if (pod->addresses.n > 0)
        use_stated(view, &pod->addresses);
    else if (pod->spec->stated.n > 0)
        use_stated(view, &pod->spec->stated);
    else if (pod->spec->host_network && !pod->has_status)
        use_node(pods, view);
    else if (pods_is_allocated(pods, pod)) {
        char key[LEASE_KEY_MAX + 1];
        pod_key(pod->object.ns, pod->object.name, key);
        lease(pods, key, view);
    } else if (pods_is_open(pods, pod)) {
        use_seen(pods, 0, view);
    }
    view->terminating = view->ready && pod->deleting;
    view->ready = view->ready && !pod->deleting; /* rule 25 */
    bool ended = pod->phase == POD_FAILED || pod->phase == POD_SUCCEEDED;
    view->eligible = view->n > 0 && !ended;                              /* rule 27 */
    view->named = !ended && !pod->deleting && pod->phase != POD_UNKNOWN; /* rule 65 */
}

void pods_view_replica(const struct pods *pods, const struct workload *workload, uint32_t index,
                       struct pod_view *view)
{
    memset(view, 0, offsetof(struct pod_view, leased));
    view->object = &workload->object;
    view->spec = &workload->template;
    view->ordinal = workload->ordinal + index;
    view->ready = true;
    snprintf(view->name, sizeof view->name, "%.*s-%u", (int)POD_NAME_MAX, workload->object.name,
             workload->ordinal + index);
    view->hostname = workload->template.hostname;
    view->subdomain = workload->template.subdomain;
    if (workload->object.kind == OBJECT_STATEFUL_SET) { /* rule 40 */
        view->hostname = view->name;
        view->subdomain = workload->service_name;
    } else if (workload->indexed)
        view->hostname = view->name;
    if (workload->template.stated.n > 0)
        use_stated(view, &workload->template.stated);
    else if (workload->template.host_network)
        use_node(pods, view);
    else if (pods->sightings)
        use_seen(pods, index, view);
    else {
        char key[LEASE_KEY_MAX + 1];
        replica_key(workload->object.ns, workload->object.kind, workload->object.name,
                    workload->ordinal + index, key);
        lease(pods, key, view);
    }
    view->eligible = view->n > 0;
    view->named = true;
}

void pods_release(const struct pods *pods, const char *ns, const char *name)
{
    char key[LEASE_KEY_MAX + 1];
    pod_key(ns, name, key);
    release(pods, key);
}

void pods_release_replica(const struct pods *pods, const char *ns, enum object_kind kind,
                          const char *name, uint32_t ordinal)
{
    char key[LEASE_KEY_MAX + 1];
    replica_key(ns, kind, name, ordinal, key);
    release(pods, key);
}

/* Without allocation a workload has no pods (rule 31), unless a runtime reports them. */
uint32_t pods_replicas(const struct pods *pods, const struct workload *workload, uint32_t wanted)
{
    bool stated = workload->template.stated.n > 0;
    return stated || pods->sightings || pods_may_allocate(pods, &workload->object) ? wanted : 0;
}

enum controller_label { LABEL_NONE, LABEL_POD_NAME, LABEL_POD_INDEX, LABEL_JOB, LABEL_JOB_INDEX };

static enum controller_label controller_label(const char *key)
{
    static const struct {
        const char *key;
        enum controller_label label;
    } keys[] = {
        {"statefulset.kubernetes.io/pod-name", LABEL_POD_NAME},
        {"apps.kubernetes.io/pod-index", LABEL_POD_INDEX},
        {"job-name", LABEL_JOB},
        {"batch.kubernetes.io/job-name", LABEL_JOB},
        {"batch.kubernetes.io/job-completion-index", LABEL_JOB_INDEX},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        if (strcmp(key, keys[i].key) == 0)
            return keys[i].label;
    return LABEL_NONE;
}

/* What the StatefulSet or Job controller would write there; false if this is not one of its
 * pods. */
static bool matches_controller(const struct pod_view *view, enum controller_label label,
                               const char *value)
{
    const struct object *object = view->object;
    char ordinal[11];
    snprintf(ordinal, sizeof ordinal, "%u", view->ordinal);
    switch (label) {
    case LABEL_POD_NAME:
        return object->kind == OBJECT_STATEFUL_SET && strcmp(value, view->name) == 0;
    case LABEL_POD_INDEX: return object->kind == OBJECT_STATEFUL_SET && strcmp(value, ordinal) == 0;
    case LABEL_JOB: return object->kind == OBJECT_JOB && strcmp(value, object->name) == 0;
    case LABEL_JOB_INDEX:
        return object->kind == OBJECT_JOB && ((const struct workload *)object)->indexed &&
               strcmp(value, ordinal) == 0;
    case LABEL_NONE: break;
    }
    return false;
}

bool pods_match(const struct labels *selector, const struct pod_view *view)
{
    for (uint32_t i = 0; i < selector->n; i++) {
        const struct label *pair = &selector->pairs[i];
        const char *value = labels_get(view->spec->labels, pair->key);
        enum controller_label label = controller_label(pair->key);
        bool equal = value && strcmp(value, pair->value) == 0;
        if (!equal && !matches_controller(view, label, pair->value))
            return false;
    }
    return true;
}

const struct labels *pods_selector(const struct labels *selector, bool *partial)
{
    g_autofree struct label *pairs = g_new(struct label, selector->n + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < selector->n; i++)
        if (controller_label(selector->pairs[i].key) == LABEL_NONE)
            pairs[n++] = selector->pairs[i];
    *partial = n < selector->n;
    return *partial ? labels_new(pairs, n) : labels_ref(selector);
}
