/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The line of a Service. Its ports by name, and for each of them the endpoints that have a port of
 * that name: those that are ready, and those that terminate but still serve.
 */
#include "backend_line.h"

#include "backends.h"
#include "lib/util/address.h"

struct backend_target {
    struct address address;
    uint16_t port;
};

static int compare_targets(gconstpointer a, gconstpointer b)
{
    const struct backend_target *x = a, *y = b;
    int order = address_compare(&x->address, &y->address);

    return order != 0 ? order : x->port - y->port;
}

struct backend_port {
    GArray *ready, *terminating; /* struct backend_target */
};

static void backend_port_free(void *data)
{
    struct backend_port *backend = data;

    g_array_unref(backend->ready);
    g_array_unref(backend->terminating);
    g_free(backend);
}

/* Names are interned. */
static guint port_hash(gconstpointer data)
{
    const struct port *port = data;

    return g_direct_hash(port->name) * 3u + port->protocol;
}

static gboolean port_equal(gconstpointer a, gconstpointer b)
{
    const struct port *x = a, *y = b;

    return x->name == y->name && x->protocol == y->protocol;
}

struct backend_collection {
    GHashTable *ports; /* struct port -> struct backend_port */
    uint32_t each;     /* what an endpoint takes of the room */
    uint32_t size, room;
};

/* The endpoint's ports of the same names, as kube-proxy finds them. */
static void add_targets(void *userdata, const struct endpoint_candidate *candidate)
{
    struct backend_collection *collection = userdata;
    const struct ports *ports = candidate->ports;
    bool terminating = candidate->verdict == ENDPOINT_TERMINATING;

    if (candidate->verdict != ENDPOINT_COUNTS && !terminating)
        return;
    for (uint32_t i = 0; ports && i < ports->n && collection->size <= collection->room; i++) {
        const struct port *port = &ports->items[i];
        const struct backend_port *backend = g_hash_table_lookup(collection->ports, port);
        struct backend_target target = {.address = *candidate->address, .port = port->number};

        if (port->number == 0 || !backend)
            continue;
        g_array_append_val(terminating ? backend->terminating : backend->ready, target);
        collection->size += collection->each;
    }
}

static GHashTable *ports_new_of(const struct ports *ports)
{
    GHashTable *backend_ports =
        g_hash_table_new_full(port_hash, port_equal, NULL, backend_port_free);

    for (uint32_t i = 0; ports && i < ports->n; i++) {
        const struct port *port = &ports->items[i];
        struct backend_port *backend;

        if (g_hash_table_contains(backend_ports, port))
            continue;
        backend = g_new(struct backend_port, 1);
        backend->ready = g_array_new(FALSE, FALSE, sizeof(struct backend_target));
        backend->terminating = g_array_new(FALSE, FALSE, sizeof(struct backend_target));
        g_hash_table_insert(backend_ports, (void *)(uintptr_t)port, backend);
    }
    return backend_ports;
}

/* Sorted, so that equal ones give equal lines, and each once, so that all get equal shares. */
static void write_targets(struct json *json, const char *key, GArray *targets)
{
    g_array_sort(targets, compare_targets);
    json_open_list(json, key);
    for (guint i = 0; i < targets->len; i++) {
        const struct backend_target *target = &g_array_index(targets, struct backend_target, i);

        if (i > 0 && compare_targets(target - 1, target) == 0)
            continue;
        json_open(json, NULL);
        json_address(json, "address", &target->address);
        json_number(json, "port", target->port);
        json_close(json);
    }
    json_close_list(json);
}

static void write_port(struct json *json, const struct port *port,
                       const struct backend_port *backend)
{
    json_open(json, NULL);
    json_text(json, "name", port->name);
    json_protocol(json, port->protocol);
    json_number(json, "port", port->number);
    write_targets(json, "endpoints", backend->ready);
    if (backend->terminating->len > 0)
        write_targets(json, "terminating", backend->terminating);
    json_close(json);
}

/* One pass over the endpoints, however many ports there are. */
static void write_ports(struct json *json, const struct inspect_context *context,
                        const struct service_state *state, struct backend_line *line, uint32_t room)
{
    const struct ports *ports = state->object->ports;
    struct backend_collection collection = {
        .each = state->object->affinity > 0 ? BACKENDS_STICKY : 1,
        .size = ports ? ports->n : 0,
        .room = room,
    };
    bool fits = collection.size <= room;

    collection.ports = ports_new_of(fits ? ports : NULL);
    if (fits)
        cluster_read_endpoints(context->cluster, state, add_targets, &collection);
    line->over_limit = collection.size > room;
    line->size = line->over_limit ? 0 : collection.size;
    json_open_list(json, "ports");
    for (uint32_t i = 0; ports && i < ports->n && !line->over_limit; i++)
        write_port(json, &ports->items[i], g_hash_table_lookup(collection.ports, &ports->items[i]));
    json_close_list(json);
    g_hash_table_unref(collection.ports);
}

static void write_service(struct json *json, const struct inspect_context *context,
                          const struct service_state *state, const struct service_view *view,
                          struct backend_line *line, uint32_t room)
{
    const struct service *service = state->object;

    json_open(json, NULL);
    json_text(json, "event", "service");
    json_text(json, "namespace", service->object.ns);
    json_text(json, "name", service->object.name);
    json_address_array(json, "clusterIPs", view->addresses);
    json_text(json, "origin", view->origin == SERVICE_ADDRESS_ALLOCATED ? "allocated" : "stated");
    json_bool(json, "forwarded", backends_is_forwarded(context, state, view));
    if (service->affinity > 0)
        json_number(json, "affinitySeconds", service->affinity);
    write_ports(json, context, state, line, room);
    json_close_line(json);
}

struct backend_line *backend_line_new(const struct inspect_context *context,
                                      const struct service_state *state, uint32_t room)
{
    struct backend_line *line = NULL;
    struct service_view view;

    if (!cluster_read_is_exposed(context->cluster, state->ns))
        return NULL;
    cluster_read_service_open(context->cluster, state, &view);
    if (view.addresses->len > 0) {
        GString *text = g_string_new(NULL);
        struct json *json = json_new(false, json_to_string, text);

        line = g_new0(struct backend_line, 1);
        write_service(json, context, state, &view, line, room);
        json_free(json);
        line->text = g_string_free(text, FALSE);
    }
    cluster_read_service_close(&view);
    return line;
}

void backend_line_free(void *data)
{
    struct backend_line *line = data;

    if (line)
        g_free(line->text);
    g_free(line);
}
