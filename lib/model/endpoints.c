/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The endpoints of a Service. Chooses the source (slices, pods, Endpoints) and reads it as the
 * EndpointSlice controller and CoreDNS would; knows nothing of cluster IPs, nor of names beyond the
 * endpoint's own label.
 */
#include "endpoints.h"

#include <string.h>

#include "workload.h"

struct collector {
    const struct pods *pods;
    const struct service_state *state;
    unsigned families;
    endpoint_each each;
    void *userdata;
    bool enough; /* there are as many as are wanted */
    /* The ports of the last pod, which the next one usually shares. */
    const struct ports *containers;
    struct ports *ports;
    bool has_ports;
};

/* Hostname, else with endpointPodNames the name of the pod or other target if it fits a label, else
 * the dashed address (rules 34, 35 and 42). The reference is the caller's. */
static const char *label_of(const struct collector *collector, const char *hostname,
                            const char *target)
{
    if (hostname)
        return name_intern(hostname);
    bool fits = collector->pods->endpoint_names && target && strlen(target) < 64;
    return fits ? name_intern(target) : NULL;
}

/* Of an endpoint that is not ready; without a cluster IP there is nothing to forward. */
static enum endpoint_verdict judge_terminating(const struct collector *collector, bool terminating)
{
    return terminating && !collector->state->object->headless ? ENDPOINT_TERMINATING
                                                              : ENDPOINT_NOT_READY;
}

static void add_subset(struct collector *collector, const struct endpoint_slice *slice,
                       const struct endpoint_subset *subset)
{
    for (uint32_t i = 0; i < subset->n && !collector->enough; i++) {
        const struct endpoint *endpoint = &subset->endpoints[i];
        const char *label = label_of(collector, endpoint->hostname, endpoint->target);
        struct endpoint_candidate candidate = {
            .verdict = endpoint->ready ? ENDPOINT_COUNTS /* rule 17 */
                                       : judge_terminating(collector, endpoint->terminating),
            .label = label,
            .ports = subset->ports,
            .origin = ADDRESS_STATED,
            .object = &slice->object,
            .pod = endpoint->is_pod ? endpoint->target : NULL,
            .named = endpoint->hostname != NULL,
            .ready = endpoint->ready,
        };
        for (uint32_t j = 0; j < endpoint->addresses.n; j++) { /* rule 20 */
            candidate.address = &endpoint->addresses.items[j];
            collector->each(collector->userdata, &candidate);
        }
        name_unref(label);
    }
}

static void add_slice(struct collector *collector, const struct endpoint_slice *slice)
{
    for (uint32_t i = 0; i < slice->n_subsets; i++)
        add_subset(collector, slice, &slice->subsets[i]);
}

static void add_slices(struct collector *collector, const GPtrArray *slices)
{
    for (guint i = 0; slices && i < slices->len; i++) /* rules 16 and 18: united */
        add_slice(collector, slices->pdata[i]);
}

static uint16_t target_port(const struct port *port, const struct ports *containers)
{
    if (!port->target_name)
        return port->target ? port->target : port->number;
    for (uint32_t i = 0; containers && i < containers->n; i++) {
        const struct port *container = &containers->items[i];
        if (container->name == port->target_name && container->protocol == port->protocol)
            return container->number;
    }
    return 0;
}

/* The Service's ports on a pod with these containers; a named targetPort that no container has
 * drops the port, not the pod (rule 29). The caller owns the reference. */
static struct ports *ports_of_pod(const struct service *service, const struct ports *containers)
{
    const struct ports *wanted = service->ports;
    uint32_t n = 0;
    g_autofree struct port *items = g_new0(struct port, wanted ? wanted->n : 1);
    for (uint32_t i = 0; wanted && i < wanted->n; i++) {
        uint16_t number = target_port(&wanted->items[i], containers);
        if (number != 0)
            items[n++] = (struct port){.name = wanted->items[i].name,
                                       .protocol = wanted->items[i].protocol,
                                       .number = number};
    }
    return n > 0 ? ports_new(items, n) : NULL;
}

static void forget_ports(struct collector *collector)
{
    ports_unref(collector->ports);
    collector->has_ports = false;
}

/* Valid until the next pod is examined. */
static struct ports *pod_ports(struct collector *collector, const struct pod_view *view)
{
    if (collector->has_ports && collector->containers == view->spec->ports)
        return collector->ports;
    if (collector->has_ports)
        forget_ports(collector);
    collector->containers = view->spec->ports;
    collector->ports = ports_of_pod(collector->state->object, view->spec->ports);
    collector->has_ports = true;
    return collector->ports;
}

/* Rules 25 to 28. */
static enum endpoint_verdict judge(const struct collector *collector, const struct pod_view *view,
                                   const struct address *address)
{
    if (!address)
        return ENDPOINT_NO_ADDRESS;
    if (!view->eligible)
        return ENDPOINT_ENDED;
    bool is_of_family = collector->families & FAMILY_BIT(address_family(address));
    if (!view->ready && !collector->state->object->publish_not_ready)
        return judge_terminating(collector, view->terminating && is_of_family);
    return is_of_family ? ENDPOINT_COUNTS : ENDPOINT_OTHER_FAMILY;
}

static void add_pod(struct collector *collector, const struct pod_view *view)
{
    const struct service *service = collector->state->object;
    bool named = view->hostname && view->subdomain &&
                 strcmp(view->subdomain, service->object.name) == 0; /* rule 38 */
    const char *label = label_of(collector, named ? view->hostname : NULL, view->name);
    struct endpoint_candidate candidate = {
        .label = label,
        .ports = pod_ports(collector, view),
        .origin = view->origin,
        .object = view->object,
        .pod = view->name,
        .seen = view->seen,
        .ordinal = view->ordinal,
        .named = named,
        .ready = view->ready,
    };
    for (uint32_t i = 0; i < view->n || i == 0; i++) {
        candidate.address = view->n > 0 ? &view->addresses[i] : NULL;
        candidate.verdict = judge(collector, view, candidate.address);
        collector->each(collector->userdata, &candidate);
    }
    name_unref(label);
}

static void add_workload(struct collector *collector, const struct workload_state *workload)
{
    for (uint32_t i = 0; i < workload->replicas && !collector->enough; i++) {
        struct pod_view view;
        pods_view_replica(collector->pods, workload->object, i, &view);
        if (service_selects(collector->state, &view))
            add_pod(collector, &view);
    }
}

/* Pods stated by the manifests: with an address or a status that says that they have none. Where a
 * runtime is asked, it states that for all pods. */
static bool is_stated_pod(const struct collector *collector, const struct object *object)
{
    if (object->kind != OBJECT_POD) {
        const struct workload_state *workload =
            namespace_workload(collector->state->ns, object->kind, object->name);
        return collector->pods->sightings && workload && workload->replicas > 0;
    }
    if (pods_is_allocated(collector->pods, (const struct pod *)object))
        return false;
    struct pod_view view;
    pods_view(collector->pods, (const struct pod *)object, &view);
    return service_selects(collector->state, &view);
}

static bool any_stated_pod(const struct collector *collector)
{
    const GPtrArray *groups = collector->state->selection.groups;
    for (guint i = 0; groups && i < groups->len; i++) {
        const GPtrArray *members = ((const struct group *)groups->pdata[i])->members;
        for (guint j = 0; j < members->len; j++) {
            if (is_stated_pod(collector, members->pdata[j]))
                return true;
        }
    }
    return false;
}

static void add_member(struct collector *collector, const struct object *object)
{
    if (object->kind == OBJECT_POD) {
        struct pod_view view;
        pods_view(collector->pods, (const struct pod *)object, &view);
        if (service_selects(collector->state, &view))
            add_pod(collector, &view);
        return;
    }
    const struct workload_state *workload =
        namespace_workload(collector->state->ns, object->kind, object->name);
    if (workload)
        add_workload(collector, workload);
}

static void add_members(struct collector *collector)
{
    const GPtrArray *groups = collector->state->selection.groups;
    for (guint i = 0; groups && i < groups->len; i++) {
        const GPtrArray *members = ((const struct group *)groups->pdata[i])->members;
        for (guint j = 0; j < members->len && !collector->enough; j++)
            add_member(collector, members->pdata[j]);
    }
}

static void add_stated(struct collector *collector, const struct service *service)
{
    struct endpoint_candidate candidate = {
        .verdict = ENDPOINT_COUNTS,
        .ports = service->ports,
        .origin = ADDRESS_STATED,
        .object = &service->object,
        .ready = true,
    };
    for (uint32_t i = 0; i < service->stated.n; i++) {
        candidate.address = &service->stated.items[i];
        collector->each(collector->userdata, &candidate);
    }
}

static const struct endpoint_slice *endpoints_object(const struct service_state *state)
{
    return g_hash_table_lookup(state->ns->endpoints, state->owner.name);
}

/* With a selector: slices if there are any, even empty; else stated pods, which allocated ones
 * join; else an Endpoints object; else allocated pods alone (rules 93 and 104).
 * Without: slices and mirrored Endpoints (rules 21, 22 and 32). */
static enum endpoint_source choose_source(const struct collector *collector)
{
    const struct service_state *state = collector->state;
    const struct service *service = state->object;
    if (service->type == SERVICE_EXTERNAL_NAME) /* rule 62 */
        return ENDPOINTS_NONE;
    if (service->headless && service->stated.n > 0)
        return ENDPOINTS_STATED;
    if (namespace_slices(state->ns, state->owner.name))
        return ENDPOINTS_SLICES;
    const struct endpoint_slice *endpoints = endpoints_object(state);
    if (!service->selector)
        return endpoints && !endpoints->not_mirrored ? ENDPOINTS_OBJECT : ENDPOINTS_NONE;
    return endpoints && !any_stated_pod(collector) ? ENDPOINTS_OBJECT : ENDPOINTS_PODS;
}

enum endpoint_source endpoints_source(const struct pods *pods, const struct service_state *state)
{
    return choose_source(&(struct collector){.pods = pods, .state = state});
}

static void collect(struct collector *collector)
{
    const struct service_state *state = collector->state;
    const struct endpoint_slice *endpoints = endpoints_object(state);
    switch (choose_source(collector)) {
    case ENDPOINTS_NONE: break;
    case ENDPOINTS_STATED: add_stated(collector, state->object); break;
    case ENDPOINTS_SLICES:
        add_slices(collector, namespace_slices(state->ns, state->owner.name));
        if (!state->object->selector && endpoints && !endpoints->not_mirrored)
            add_slice(collector, endpoints);
        break;
    case ENDPOINTS_OBJECT: add_slice(collector, endpoints); break;
    case ENDPOINTS_PODS: add_members(collector); break;
    }
    if (collector->has_ports)
        forget_ports(collector);
}

void endpoints_each(const struct pods *pods, const struct service_state *state, unsigned families,
                    endpoint_each each, void *userdata)
{
    collect(&(struct collector){
        .pods = pods, .state = state, .families = families, .each = each, .userdata = userdata});
}

static void published_clear(gpointer data)
{
    struct published *published = data;
    name_unref(published->label);
    ports_unref(published->ports);
}

static uint64_t count_slice(const struct endpoint_slice *slice)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < slice->n_subsets; i++)
        n += slice->subsets[i].n;
    return n;
}

static uint64_t count_slices(const GPtrArray *slices, uint64_t enough)
{
    uint64_t n = 0;
    for (guint i = 0; slices && i < slices->len && n <= enough; i++)
        n += count_slice(slices->pdata[i]);
    return n;
}

static uint64_t count_members(const struct service_state *state, uint64_t enough)
{
    const GPtrArray *groups = state->selection.groups;
    uint64_t n = 0;
    for (guint i = 0; groups && i < groups->len && n <= enough; i++) {
        const GPtrArray *members = ((const struct group *)groups->pdata[i])->members;
        for (guint j = 0; j < members->len && n <= enough; j++) {
            const struct object *object = members->pdata[j];
            const struct workload_state *workload =
                object->kind == OBJECT_POD
                    ? NULL
                    : namespace_workload(state->ns, object->kind, object->name);
            n += object->kind == OBJECT_POD ? 1 : workload ? workload->replicas : 0;
        }
    }
    return n;
}

uint64_t endpoints_estimate(const struct pods *pods, const struct service_state *state,
                            uint32_t enough)
{
    const struct endpoint_slice *endpoints = endpoints_object(state);
    uint64_t mirrored = endpoints ? count_slice(endpoints) : 0;
    switch (endpoints_source(pods, state)) {
    case ENDPOINTS_NONE: break;
    case ENDPOINTS_STATED: return state->object->stated.n;
    case ENDPOINTS_SLICES:
        return mirrored + count_slices(namespace_slices(state->ns, state->owner.name), enough);
    case ENDPOINTS_OBJECT: return mirrored;
    case ENDPOINTS_PODS: return count_members(state, enough);
    }
    return 0;
}

struct publication {
    struct collector collector;
    GArray *endpoints; /* struct published */
    uint32_t room;
};

static void publish(void *userdata, const struct endpoint_candidate *candidate)
{
    struct publication *publication = userdata;
    if (candidate->verdict != ENDPOINT_COUNTS)
        return;
    struct published published = {
        .address = *candidate->address,
        .label = name_ref(candidate->label),
        .named = candidate->named,
        .ports = ports_ref(candidate->ports),
        .origin = candidate->origin,
    };
    g_array_append_val(publication->endpoints, published);
    publication->collector.enough = publication->endpoints->len > publication->room;
}

GArray *endpoints_collect(const struct pods *pods, const struct service_state *state,
                          unsigned families, uint32_t room, uint32_t expected)
{
    struct publication publication = {
        .collector = {.pods = pods, .state = state, .families = families, .each = publish},
        .endpoints = g_array_sized_new(FALSE, FALSE, sizeof(struct published), expected),
        .room = room,
    };
    g_array_set_clear_func(publication.endpoints, published_clear);
    publication.collector.userdata = &publication;
    collect(&publication.collector);
    return publication.endpoints;
}
