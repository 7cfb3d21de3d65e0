/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Backends. Keeps the line last sent for each Service; after a publish the lines of Services that
 * may have changed are rebuilt, and only changed lines are sent. A new follower receives the
 * kept lines, so that all of them are in the same state at any time.
 */
#include "backends.h"

#include <string.h>

#include "copies.h"

struct backends {
    GHashTable *lines; /* "namespace/name", "" for the ranges -> line; NULL: no program follows */
    GHashTable *noted; /* "namespace/name": may have changed since the last publish */
    bool all;          /* any may have changed, and nothing was sent yet */
    backends_told told;
    void *userdata;
};

struct backends *backends_new(backends_told told, void *userdata)
{
    struct backends *backends = g_new0(struct backends, 1);

    backends->noted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    backends->told = told;
    backends->userdata = userdata;
    return backends;
}

struct backends *backends_free(struct backends *backends)
{
    if (!backends)
        return NULL;
    g_clear_pointer(&backends->lines, g_hash_table_unref);
    g_hash_table_unref(backends->noted);
    g_free(backends);
    return NULL;
}

void backends_note(struct backends *backends, const char *ns, const char *name)
{
    if (backends->lines && !backends->all)
        g_hash_table_add(backends->noted, g_strdup_printf("%s/%s", ns, name));
}

/* --- Lines --- */

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

/* The endpoint's ports of the same names, as kube-proxy finds them. */
static void add_targets(void *userdata, const struct endpoint_candidate *candidate)
{
    GHashTable *backend_ports = userdata;
    const struct ports *ports = candidate->ports;
    bool terminating = candidate->verdict == ENDPOINT_TERMINATING;

    if (candidate->verdict != ENDPOINT_COUNTS && !terminating)
        return;
    for (uint32_t i = 0; ports && i < ports->n; i++) {
        const struct port *port = &ports->items[i];
        const struct backend_port *backend = g_hash_table_lookup(backend_ports, port);
        struct backend_target target = {.address = *candidate->address, .port = port->number};

        if (port->number != 0 && backend)
            g_array_append_val(terminating ? backend->terminating : backend->ready, target);
    }
}

/* struct port -> struct backend_port: one pass over the endpoints, however many ports there are. */
static GHashTable *collect_ports(const struct inspect_context *context,
                                 const struct service_state *state)
{
    const struct ports *ports = state->object->ports;
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
    cluster_read_endpoints(context->cluster, state, add_targets, backend_ports);
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

static void write_ports(struct json *json, const struct inspect_context *context,
                        const struct service_state *state)
{
    const struct ports *ports = state->object->ports;
    g_autoptr(GHashTable) backend_ports = collect_ports(context, state);

    json_open_list(json, "ports");
    for (uint32_t i = 0; ports && i < ports->n; i++)
        write_port(json, &ports->items[i], g_hash_table_lookup(backend_ports, &ports->items[i]));
    json_close_list(json);
}

bool backends_is_forwarded(const struct inspect_context *context, const struct service_state *state,
                           enum service_origin origin)
{
    if (origin != SERVICE_ADDRESS_STATED)
        return origin == SERVICE_ADDRESS_ALLOCATED;
    return context->config->proxy_all && !copies_is_part(state->object->object.source->path);
}

static void write_service(struct json *json, const struct inspect_context *context,
                          const struct service_state *state, const struct service_view *view)
{
    const struct service *service = state->object;

    json_open(json, NULL);
    json_text(json, "event", "service");
    json_text(json, "namespace", service->object.ns);
    json_text(json, "name", service->object.name);
    json_address_array(json, "clusterIPs", view->addresses);
    json_text(json, "origin", view->origin == SERVICE_ADDRESS_ALLOCATED ? "allocated" : "stated");
    json_bool(json, "forwarded", backends_is_forwarded(context, state, view->origin));
    if (service->affinity > 0)
        json_number(json, "affinitySeconds", service->affinity);
    write_ports(json, context, state);
    json_close_line(json);
}

/* NULL: there is nothing to forward to, or from. */
static char *line_of(const struct inspect_context *context, const struct service_state *state)
{
    struct service_view view;

    if (!cluster_read_is_exposed(context->cluster, state->ns))
        return NULL;
    cluster_read_service_open(context->cluster, state, &view);
    GString *line = view.addresses->len > 0 ? g_string_new(NULL) : NULL;
    if (line) {
        struct json *json = json_new(false, json_to_string, line);

        write_service(json, context, state, &view);
        json_free(json);
    }
    cluster_read_service_close(&view);
    return line ? g_string_free(line, FALSE) : NULL;
}

static char *ranges_line(const struct inspect_context *context)
{
    GString *line = g_string_new(NULL);
    struct json *json = json_new(false, json_to_string, line);

    json_open(json, NULL);
    json_text(json, "event", "ranges");
    json_ranges(json, "serviceCIDRs", context->config->service_cidrs);
    json_close_line(json);
    json_free(json);
    return g_string_free(line, FALSE);
}

static char *marked_line(const char *event, const char *ns, const char *name)
{
    GString *line = g_string_new(NULL);
    struct json *json = json_new(false, json_to_string, line);

    json_open(json, NULL);
    json_text(json, "event", event);
    json_text(json, "namespace", ns);
    json_text(json, "name", name);
    json_close_line(json);
    json_free(json);
    return g_string_free(line, FALSE);
}

/* --- What differs --- */

struct round {
    struct backends *backends;
    const struct inspect_context *context;
    GString *changed, *removed;
};

/* Takes ownership of `key` and `line`; `line` NULL: none. */
static void compare(struct round *round, char *key, char *line)
{
    GHashTable *lines = round->backends->lines;
    const char *before = g_hash_table_lookup(lines, key);

    if (g_strcmp0(before, line) == 0) {
        g_free(key);
        g_free(line);
        return;
    }
    if (line) {
        g_string_append(round->changed, line);
        g_hash_table_replace(lines, key, line);
        return;
    }
    const char *slash = strchr(key, '/');
    g_autofree char *ns = g_strndup(key, (gsize)(slash - key));
    g_autofree char *removed = marked_line("removed", ns, slash + 1);
    g_string_append(round->removed, removed);
    g_hash_table_remove(lines, key);
    g_free(key);
}

static void compare_noted(struct round *round, const char *key)
{
    const char *slash = strchr(key, '/');
    g_autofree char *name = g_strndup(key, (gsize)(slash - key));
    const struct ns *ns = cluster_read_namespace(round->context->cluster, name);
    const struct service_state *state = ns ? cluster_read_service(ns, slash + 1) : NULL;

    compare(round, g_strdup(key), state ? line_of(round->context, state) : NULL);
}

static void note_service(void *userdata, const struct service_state *state)
{
    backends_note(userdata, state->object->object.ns, state->object->object.name);
}

static void note_namespace(void *userdata, const struct ns *ns)
{
    cluster_read_services(ns, note_service, userdata);
}

/* Those there are, and those that there were. */
static void note_all(struct backends *backends, const struct inspect_context *context)
{
    GHashTableIter iter;
    void *key;

    backends->all = false;
    cluster_read_namespaces(context->cluster, note_namespace, backends);
    g_hash_table_iter_init(&iter, backends->lines);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        if (*(const char *)key)
            g_hash_table_add(backends->noted, g_strdup(key));
}

/* The lines since the last round, free with g_free; NULL: none. */
static char *go_round(struct backends *backends, const struct inspect_context *context)
{
    struct round round = {backends, context, g_string_new(NULL), g_string_new(NULL)};
    GHashTableIter iter;
    void *key;

    compare(&round, g_strdup(""), ranges_line(context));
    if (backends->all)
        note_all(backends, context);
    g_hash_table_iter_init(&iter, backends->noted);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        compare_noted(&round, key);
    g_hash_table_remove_all(backends->noted);
    g_string_append(round.changed, round.removed->str);
    g_string_free(round.removed, TRUE);
    if (round.changed->len == 0) {
        g_string_free(round.changed, TRUE);
        return NULL;
    }
    g_autofree char *end = marked_line("end", NULL, NULL);
    g_string_append(round.changed, end);
    return g_string_free(round.changed, FALSE);
}

void backends_published(struct backends *backends, const struct inspect_context *context)
{
    char *lines = backends->lines ? go_round(backends, context) : NULL;

    if (lines)
        backends->told(backends->userdata, lines);
}

void backends_reconfigure(struct backends *backends)
{
    backends->all = backends->lines != NULL;
}

/* --- Followers --- */

void backends_follow(struct backends *backends, const struct report *report)
{
    const struct inspect_context *context = report->context;
    g_autofree char *end = marked_line("end", NULL, NULL);
    GHashTableIter iter;
    void *line;

    if (!backends->lines) {
        backends->lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        backends->all = true;
    }
    if (g_hash_table_size(backends->lines) == 0 && context->loaded && !context->at_work)
        g_free(go_round(backends, context));
    if (g_hash_table_size(backends->lines) == 0)
        return;
    g_hash_table_iter_init(&iter, backends->lines);
    while (g_hash_table_iter_next(&iter, NULL, &line))
        frame_writer_write(&report->job->frames, line, strlen(line));
    frame_writer_write(&report->job->frames, end, strlen(end));
}

void backends_rest(struct backends *backends)
{
    g_clear_pointer(&backends->lines, g_hash_table_unref);
    g_hash_table_remove_all(backends->noted);
    backends->all = false;
}
