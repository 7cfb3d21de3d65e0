/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Service as a zone describes it. Every change produces a new description, from scratch, compared
 * with the last one only for what others hold on to: the addresses it claims and its leases.
 */
#include "service.h"

#include <stdio.h>
#include <string.h>

#include "claims.h"
#include "families.h"

void service_state_free(struct service_state *state)
{
    namespace_unselect(state->ns, &state->selection);
    if (state->claims)
        g_array_unref(state->claims);
    name_unref(state->owner.name);
    name_unref(state->owner.ns);
    g_free(state);
}

static void lease_key(const struct service_state *state, char key[static LEASE_KEY_MAX + 1])
{
    snprintf(key, LEASE_KEY_MAX + 1, "%s/Service/%s", state->owner.ns, state->owner.name);
}

/* Leases one address of its first family, both for a dual stack policy; ends other leases. */
static void lease(struct service_state *state, struct leases *leases, bool wanted,
                  GArray *addresses)
{
    const struct service *service = state->object;
    char key[LEASE_KEY_MAX + 1];
    lease_key(state, key);
    int first = !wanted                   ? 0
                : service->n_families > 0 ? service->families[0]
                                          : leases_first_family(leases, LEASE_SERVICE);
    bool dual = wanted && (service->family_policy == FAMILY_PREFER_DUAL ||
                           service->family_policy == FAMILY_REQUIRE_DUAL);
    const int families[2] = {first == 6 ? 6 : 4, first == 6 ? 4 : 6};
    for (unsigned i = 0; i < 2; i++) {
        struct address address;
        bool *held = &state->leased[families[i] == 6];
        if (first != 0 && (i == 0 || dual) &&
            leases_take(leases, LEASE_SERVICE, families[i], key, &address)) {
            *held = true;
            g_array_append_val(addresses, address);
        } else if (*held) {
            leases_release(leases, LEASE_SERVICE, families[i], key);
            *held = false;
        }
    }
}

static unsigned leased_families(const struct service_state *state)
{
    return (state->leased[0] ? FAMILY_BIT(4) : 0) | (state->leased[1] ? FAMILY_BIT(6) : 0);
}

unsigned service_families(const struct service_state *state, const struct service_options *options)
{
    unsigned leased = leased_families(state);
    return leased && state->object->n_families == 0 ? leased
                                                    : families_of_pods(state, options->pods);
}

static bool is_of(const struct published *published, unsigned families)
{
    return families & FAMILY_BIT(address_family(&published->address));
}

static bool any_stated(const GArray *published, unsigned families)
{
    for (guint i = 0; i < published->len; i++) {
        const struct published *entry = &g_array_index(published, struct published, i);
        if (entry->origin != ADDRESS_ALLOCATED && is_of(entry, families))
            return true;
    }
    return false;
}

static void keep_families(GArray *published, unsigned families)
{
    for (guint i = published->len; i-- > 0;)
        if (!is_of(&g_array_index(published, struct published, i), families))
            g_array_remove_index_fast(published, i);
}

/* It has no cluster IP and may be given one. */
static bool is_lacking(const struct service *service, const struct pods *pods)
{
    return !service->headless && service->cluster_ips.n == 0 && service->stated.n == 0 &&
           pods_may_allocate(pods, &service->object);
}

bool service_has_real_pods(const struct service_state *state, const struct service_options *options)
{
    return options->pods->sightings && endpoints_source(options->pods, state) == ENDPOINTS_PODS;
}

static GArray *addresses_new(void)
{
    return g_array_new(FALSE, FALSE, sizeof(struct address));
}

static void append(GArray *addresses, const struct addresses *stated)
{
    if (stated->n > 0)
        g_array_append_vals(addresses, stated->items, stated->n);
}

static void append_own(GArray *addresses, const struct service *service)
{
    if (!service->headless)
        append(addresses, service->cluster_ips.n > 0 ? &service->cluster_ips : &service->stated);
}

bool service_addresses(const struct service_state *state, const struct service_options *options,
                       GArray *addresses)
{
    char key[LEASE_KEY_MAX + 1];
    bool leased = false;
    append_own(addresses, state->object);
    lease_key(state, key);
    for (unsigned i = 0; i < 2; i++) {
        struct address address;
        if (!state->leased[i] ||
            !leases_find(options->pods->leases, LEASE_SERVICE, i == 0 ? 4 : 6, key, &address))
            continue;
        g_array_append_val(addresses, address);
        leased = true;
    }
    return leased;
}

/* What a Service answers by its own name (rules 1 and 2): its stated or leased cluster IPs, or its
 * endpoints. Returns whether it is (effectively) headless. */
static bool choose_addresses(struct service_state *state, const struct service_options *options,
                             GArray *published, GArray *addresses)
{
    const struct service *service = state->object;
    const struct pods *pods = options->pods;
    append_own(addresses, service);
    bool lacking = is_lacking(service, pods);
    unsigned families = lacking ? families_of_pods(state, options->pods) : FAMILY_BOTH;
    /* An invented cluster IP in front of real endpoints would lead nowhere. */
    bool as_headless =
        lacking && (any_stated(published, families) || service_has_real_pods(state, options));
    lease(state, pods->leases, lacking && !as_headless, addresses);
    if (lacking && addresses->len > 0 && service->n_families == 0)
        families = leased_families(state);
    keep_families(published, families);
    if (!service->headless && !as_headless)
        return false;
    for (guint i = 0; i < published->len; i++)
        g_array_append_val(addresses, g_array_index(published, struct published, i).address);
    return true;
}

static int compare_labels(gconstpointer a, gconstpointer b)
{
    const struct published *x = a, *y = b;
    if (x->label != y->label)
        return (uintptr_t)x->label < (uintptr_t)y->label ? -1 : 1;
    return address_compare(&x->address, &y->address);
}

static void endpoint_clear(gpointer data)
{
    g_array_unref(((struct zone_endpoint *)data)->addresses);
}

static void port_clear(gpointer data)
{
    g_array_unref(((struct zone_port *)data)->addresses);
}

/* `published` sorted by label. */
static GArray *endpoints_by_label(const GArray *published, GArray *unnamed)
{
    GArray *endpoints = g_array_new(FALSE, FALSE, sizeof(struct zone_endpoint));
    g_array_set_clear_func(endpoints, endpoint_clear);
    const char *last = NULL;
    for (guint i = 0; i < published->len; i++) {
        const struct published *entry = &g_array_index(published, struct published, i);
        GArray *addresses = unnamed;
        if (entry->label && entry->label != last) {
            struct zone_endpoint endpoint = {entry->label, addresses_new()};
            g_array_append_val(endpoints, endpoint);
            last = entry->label;
        }
        if (entry->label)
            addresses =
                g_array_index(endpoints, struct zone_endpoint, endpoints->len - 1).addresses;
        g_array_append_val(addresses, entry->address);
    }
    return endpoints;
}

static void add_ports(GArray *rows, const struct ports *ports, GArray *addresses)
{
    for (uint32_t i = 0; ports && i < ports->n; i++) {
        const struct port *port = &ports->items[i];
        struct zone_port row = {port->name, port->protocol, port->number, g_array_ref(addresses)};
        g_array_append_val(rows, row);
    }
}

/* The endpoints of each list of ports; there are few lists, however many ports and endpoints. */
static void add_endpoints_ports(GArray *rows, const GArray *published)
{
    g_autoptr(GHashTable) lists =
        g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_array_unref);
    for (guint i = 0; i < published->len; i++) {
        const struct published *entry = &g_array_index(published, struct published, i);
        if (!entry->ports)
            continue;
        GArray *addresses = g_hash_table_lookup(lists, entry->ports);
        if (!addresses) {
            addresses = addresses_new();
            g_hash_table_insert(lists, entry->ports, addresses);
            add_ports(rows, entry->ports, addresses);
        }
        g_array_append_val(addresses, entry->address);
    }
}

/* Rule 47: of a Service with an address of its own the ports are its own, of a headless one its
 * endpoints'. A Service or slice without ports has none that could be asked for. */
static GArray *ports_of(const struct service *service, bool headless, const GArray *published,
                        GArray *addresses)
{
    GArray *ports = g_array_new(FALSE, FALSE, sizeof(struct zone_port));
    g_array_set_clear_func(ports, port_clear);
    if (headless)
        add_endpoints_ports(ports, published);
    else
        add_ports(ports, service->ports, addresses);
    return ports;
}

static void hand_over(struct service_state *state, const struct zone_sink *sink, bool headless,
                      bool hidden, GArray *published, GArray *addresses)
{
    const struct service *service = state->object;
    g_autoptr(GArray) unnamed = addresses_new();
    g_autoptr(GArray) endpoints = endpoints_by_label(published, unnamed);
    g_autoptr(GArray) ports = ports_of(service, headless, published, addresses);
    struct zone_service zone = {
        .name = state->owner.name,
        .ns = state->owner.ns,
        .type = headless ? ZONE_HEADLESS : ZONE_CLUSTER_IP,
        .hidden = hidden,
        .addresses = addresses,
        .unnamed = unnamed,
        .endpoints = endpoints,
        .ports = ports,
    };
    sink->service(sink->userdata, &zone);
}

/* A node's address belongs to the node. */
static GArray *claims_of(const GArray *published, const GArray *cluster_ips)
{
    GArray *claims = claims_new(published->len + (cluster_ips ? cluster_ips->len : 0));
    for (guint i = 0; cluster_ips && i < cluster_ips->len; i++)
        claims_add(claims, &g_array_index(cluster_ips, struct address, i), CLAIM_CLUSTER_IP, NULL);
    for (guint i = 0; i < published->len; i++) {
        const struct published *entry = &g_array_index(published, struct published, i);
        if (entry->origin != ADDRESS_NODE)
            claims_add(claims, &entry->address, entry->named ? CLAIM_HOSTNAME : CLAIM_ENDPOINT,
                       entry->label);
    }
    return claims;
}

static void withdraw(struct service_state *state, struct reverse *reverse,
                     const struct zone_sink *sink, const struct between *between)
{
    claims_exchange(&state->claims, claims_new(0), &state->owner, reverse, between);
    sink->service_gone(sink->userdata, state->owner.ns, state->owner.name);
}

/* Rules 9, 58 and 61: the type decides; an address literal is not an answer. */
static void publish_external(struct service_state *state, const struct zone_sink *sink)
{
    const char *target = state->object->external_name;
    struct address literal;
    struct zone_service zone = {
        .name = state->owner.name,
        .ns = state->owner.ns,
        .type = ZONE_EXTERNAL_NAME,
        .hidden = !target || address_parse(&literal, target, strlen(target)),
        .target = target,
    };
    sink->service(sink->userdata, &zone);
}

/* All ready ones, or, if there is no room anyway, a single endpoint: enough to know whether any is
 * stated. */
static GArray *collect(const struct service_state *state, const struct service_options *options,
                       uint32_t room, bool *over_limit)
{
    uint64_t estimate = endpoints_estimate(options->pods, state, room);
    uint32_t limit = estimate > room ? 0 : room;
    /* if it is given cluster IPs, their families decide */
    unsigned families = is_lacking(state->object, options->pods)
                            ? FAMILY_BOTH
                            : families_of_pods(state, options->pods);
    GArray *published = endpoints_collect(options->pods, state, families, limit,
                                          estimate > room ? 1 : (uint32_t)estimate);
    *over_limit = published->len > limit;
    return published;
}

void service_publish(struct service_state *state, const struct service_options *options,
                     bool exposed, uint32_t room, struct reverse *reverse,
                     const struct zone_sink *sink)
{
    struct leases *leases = options->pods->leases;
    g_autoptr(GArray) addresses = addresses_new();
    state->n_endpoints = 0;
    state->over_limit = false;
    if (!state->object || state->object->type == SERVICE_EXTERNAL_NAME) {
        lease(state, leases, false, addresses);
        withdraw(state, reverse, sink, &options->between);
        if (state->object && exposed)
            publish_external(state, sink);
        return;
    }
    bool over_limit;
    g_autoptr(GArray) published = collect(state, options, room, &over_limit);
    bool headless = choose_addresses(state, options, published, addresses);
    if (!exposed) { /* rule 50; its lease stays, only lookups fail */
        withdraw(state, reverse, sink, &options->between);
        return;
    }
    state->over_limit = over_limit; /* which a report may show from here on */
    between_pieces(&options->between);
    if (over_limit)
        g_array_set_size(published, 0);
    if (over_limit && headless)
        g_array_set_size(addresses, 0);
    state->n_endpoints = published->len;
    g_array_sort(published, compare_labels);
    bool hidden = options->ignore_empty && !headless && published->len == 0 && !over_limit;
    /* even if hidden: CoreDNS applies the option to forward names only */
    const GArray *cluster_ips = headless ? NULL : addresses;
    claims_exchange(&state->claims, claims_of(published, cluster_ips), &state->owner, reverse,
                    &options->between);
    between_pieces(&options->between);
    hand_over(state, sink, headless, hidden, published, addresses);
}
