/*
 * The endpoints of a Service. Chooses the source (slices, pods, Endpoints) and reads it as the
 * EndpointSlice controller and CoreDNS would; knows nothing of cluster IPs and of names beyond the
 * endpoint's own label.
 */
#include "endpoints.h"

#include <string.h>

#include "workload.h"

struct collector {
    const struct endpoint_options *options;
    const struct service_state *state;
    unsigned families;
    GArray *out;
};

static void published_clear(gpointer data)
{
    struct published *published = data;
    name_unref(published->label);
    ports_unref(published->ports);
}

static void publish(struct collector *collector, const struct address *address, const char *label,
                    struct ports *ports, enum address_origin origin)
{
    struct published published = {
        .address = *address, .label = name_ref(label), .ports = ports_ref(ports), .origin = origin};
    g_array_append_val(collector->out, published);
}

/* Hostname, else with endpointPodNames the pod's name if it fits a label, else the dashed address
 * (rules 34, 35 and 42). The reference is the caller's. */
static const char *label_of(const struct collector *collector, const char *hostname,
                            const char *pod_name)
{
    if (hostname)
        return name_intern(hostname, strlen(hostname));
    if (!collector->options->pod_names || !pod_name)
        return NULL;
    size_t length = strlen(pod_name);
    return length < 64 ? name_intern(pod_name, length) : NULL;
}

static void add_subset(struct collector *collector, const struct endpoint_subset *subset)
{
    for (uint32_t i = 0; i < subset->n; i++) {
        const struct endpoint *endpoint = &subset->endpoints[i];
        if (!endpoint->ready) /* rule 17 */
            continue;
        const char *label = label_of(collector, endpoint->hostname, endpoint->pod_name);
        for (uint32_t j = 0; j < endpoint->addresses.n; j++) /* rule 20 */
            publish(collector, &endpoint->addresses.items[j], label, subset->ports, ADDRESS_STATED);
        name_unref(label);
    }
}

static void add_slice(struct collector *collector, const struct endpoint_slice *slice)
{
    for (uint32_t i = 0; i < slice->n_subsets; i++)
        add_subset(collector, &slice->subsets[i]);
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

/* The Service's ports as this pod has them; a named targetPort that no container has drops the
 * port, not the pod (rule 29). The reference is the caller's. */
static struct ports *pod_ports(const struct service *service, const struct ports *containers)
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

static void add_pod(struct collector *collector, const struct pod_view *view)
{
    const struct service *service = collector->state->object;
    if (!view->eligible || !(view->ready || service->publish_not_ready)) /* rules 25 to 27 */
        return;
    bool named = view->hostname && view->subdomain &&
                 strcmp(view->subdomain, service->object.name) == 0; /* rule 38 */
    const char *label = label_of(collector, named ? view->hostname : NULL, view->name);
    struct ports *ports = pod_ports(service, view->spec->ports);
    for (uint32_t i = 0; i < view->n; i++) {
        const struct address *address = &view->addresses[i];
        if (collector->families & FAMILY_BIT(address_family(address))) /* rule 28 */
            publish(collector, address, label, ports, view->origin);
    }
    ports_unref(ports);
    name_unref(label);
}

static bool is_selected(const struct collector *collector, const struct pod_view *view)
{
    return !collector->state->partial || pods_match(collector->state->object->selector, view);
}

static void add_workload(struct collector *collector, const struct workload_state *workload)
{
    for (uint32_t i = 0; i < workload->replicas; i++) {
        struct pod_view view;
        pods_view_replica(collector->options->pods, workload->object, i, &view);
        if (is_selected(collector, &view))
            add_pod(collector, &view);
    }
}

/* Pods the files state: with an address of theirs or a status that says that they have none. */
static bool is_stated_pod(const struct collector *collector, const struct object *object)
{
    if (object->kind != OBJECT_POD ||
        pods_is_allocated(collector->options->pods, (const struct pod *)object))
        return false;
    struct pod_view view;
    pods_view(collector->options->pods, (const struct pod *)object, &view);
    return is_selected(collector, &view);
}

static bool any_stated_pod(const struct collector *collector)
{
    const GPtrArray *groups = collector->state->selection.groups;
    for (guint i = 0; groups && i < groups->len; i++) {
        const GPtrArray *members = ((const struct group *)groups->pdata[i])->members;
        for (guint j = 0; j < members->len; j++)
            if (is_stated_pod(collector, members->pdata[j]))
                return true;
    }
    return false;
}

static void add_member(struct collector *collector, const struct object *object)
{
    if (object->kind == OBJECT_POD) {
        struct pod_view view;
        pods_view(collector->options->pods, (const struct pod *)object, &view);
        if (is_selected(collector, &view))
            add_pod(collector, &view);
        return;
    }
    const struct workload_state *workload =
        g_hash_table_lookup(collector->state->namespace->workloads,
                            &(struct owner){.kind = object->kind, .name = object->name});
    if (workload)
        add_workload(collector, workload);
}

static void add_members(struct collector *collector)
{
    const GPtrArray *groups = collector->state->selection.groups;
    for (guint i = 0; groups && i < groups->len; i++) {
        const GPtrArray *members = ((const struct group *)groups->pdata[i])->members;
        for (guint j = 0; j < members->len; j++)
            add_member(collector, members->pdata[j]);
    }
}

static void add_stated(struct collector *collector, const struct addresses *addresses)
{
    for (uint32_t i = 0; i < addresses->n; i++)
        publish(collector, &addresses->items[i], NULL, collector->state->object->ports,
                ADDRESS_STATED);
}

/* With a selector: slices if there are any, even empty; else stated pods, which allocated ones
 * join; else an Endpoints object; else allocated pods alone (rule 93 and design.md section 4). */
static void collect_selected(struct collector *collector, const GPtrArray *slices,
                             const struct endpoint_slice *endpoints)
{
    if (slices)
        add_slices(collector, slices);
    else if (endpoints && !any_stated_pod(collector))
        add_slice(collector, endpoints);
    else
        add_members(collector);
}

GArray *endpoints_collect(const struct endpoint_options *options, const struct service_state *state,
                          unsigned families)
{
    struct collector collector = {
        .options = options,
        .state = state,
        .families = families,
        .out = g_array_new(FALSE, FALSE, sizeof(struct published)),
    };
    g_array_set_clear_func(collector.out, published_clear);
    const struct service *service = state->object;
    if (service->type == SERVICE_EXTERNAL_NAME) /* rule 62 */
        return collector.out;
    const GPtrArray *slices = namespace_slices(state->namespace, state->owner.name);
    const struct endpoint_slice *endpoints =
        g_hash_table_lookup(state->namespace->endpoints, service->object.name);
    if (service->headless && service->stated.n > 0)
        add_stated(&collector, &service->stated);
    else if (service->selector)
        collect_selected(&collector, slices, endpoints);
    else { /* rules 21, 22 and 32 */
        add_slices(&collector, slices);
        if (endpoints && !endpoints->not_mirrored)
            add_slice(&collector, endpoints);
    }
    return collector.out;
}
