/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Repacking. A host is an address together with the uid of its targetRef; most are mentioned once,
 * and only the others need more than one table lookup.
 */
#include "repack.h"

#include <string.h>

#include "lib/util/hash.h"

#define NONE UINT32_MAX

/* Per host. A cluster allows no more ports in a slice either; beyond that, lists of ports are used
 * as a whole. */
#define PORTS_MAX 100u

struct repack_state { /* of a host at one port, or at one list of ports */
    struct port port;
    struct ports *list;
    bool ready;
};

struct packing {
    GArray *mentions;
    GHashTable *by_ports; /* struct ports * -> GArray of struct endpoint */
    GPtrArray *lists;     /* the keys, in the order in which they came */
};

static guint host_hash(gconstpointer data)
{
    const struct mention *mention = data;
    return hash_address(&mention->endpoint.addresses.items[0]) ^ hash_text(mention->uid);
}

static gboolean host_equal(gconstpointer a, gconstpointer b)
{
    const struct mention *x = a, *y = b;
    return address_compare(&x->endpoint.addresses.items[0], &y->endpoint.addresses.items[0]) == 0 &&
           strcmp(x->uid, y->uid) == 0;
}

/* Links the mentions of each host to its first one. */
static void find_repeated(struct packing *packing)
{
    g_autoptr(GHashTable) hosts = g_hash_table_new(host_hash, host_equal);
    for (guint i = 0; i < packing->mentions->len; i++) {
        struct mention *mention = &g_array_index(packing->mentions, struct mention, i);
        struct mention *first = g_hash_table_lookup(hosts, mention);
        mention->next = NONE;
        mention->repeated = first != NULL;
        if (!first) {
            g_hash_table_add(hosts, mention);
            continue;
        }
        mention->next = first->next;
        first->next = i;
    }
}

static void add(struct packing *packing, struct ports *ports, struct endpoint endpoint)
{
    GArray *endpoints = g_hash_table_lookup(packing->by_ports, ports);
    if (!endpoints) {
        endpoints = g_array_new(FALSE, FALSE, sizeof(struct endpoint));
        g_hash_table_insert(packing->by_ports, ports, endpoints);
        g_ptr_array_add(packing->lists, ports_ref(ports));
    }
    g_array_append_val(endpoints, endpoint);
}

static struct endpoint copy_of(const struct endpoint *endpoint)
{
    struct endpoint copy = *endpoint;
    copy.hostname = g_strdup(endpoint->hostname);
    copy.target = name_ref(endpoint->target);
    copy.addresses.items =
        g_memdup2(endpoint->addresses.items, endpoint->addresses.n * sizeof(struct address));
    return copy;
}

static void note(GArray *states, const struct port *port, struct ports *list, bool ready)
{
    for (guint i = 0; i < states->len; i++) {
        struct repack_state *state = &g_array_index(states, struct repack_state, i);
        if (state->list != list ||
            (port && (state->port.name != port->name || state->port.number != port->number ||
                      state->port.protocol != port->protocol)))
            continue;
        state->ready &= ready;
        return;
    }
    struct repack_state state = {.list = list, .ready = ready};
    if (port)
        state.port = *port;
    g_array_append_val(states, state);
}

/* The mentions by their lists of ports: usually there is one. */
static GArray *states_of_lists(const struct packing *packing, const struct mention *first)
{
    GArray *states = g_array_new(FALSE, FALSE, sizeof(struct repack_state));
    for (const struct mention *mention = first; mention;
         mention = mention->next == NONE
                       ? NULL
                       : &g_array_index(packing->mentions, struct mention, mention->next)) {
        note(states, NULL, mention->ports, mention->endpoint.ready);
    }
    return states;
}

/* The same by port, or NULL if there are too many or it would make no difference. */
static GArray *states_of_ports(const GArray *lists)
{
    uint64_t n = 0;
    for (guint i = 0; i < lists->len; i++) {
        const struct ports *ports = g_array_index(lists, struct repack_state, i).list;
        n += ports ? ports->n : 1;
    }
    if (lists->len == 1 || n > PORTS_MAX)
        return NULL;
    GArray *states = g_array_new(FALSE, FALSE, sizeof(struct repack_state));
    for (guint i = 0; i < lists->len; i++) {
        const struct repack_state *list = &g_array_index(lists, struct repack_state, i);
        if (!list->list)
            note(states, &(struct port){0}, NULL, list->ready);
        for (uint32_t j = 0; list->list && j < list->list->n; j++)
            note(states, &list->list->items[j], NULL, list->ready);
    }
    return states;
}

/* The host at all its ports where it is ready, or where it is not. A port without a protocol yields
 * none. */
static void add_at_ports(struct packing *packing, const GArray *states, bool ready,
                         const struct endpoint *endpoint)
{
    g_autoptr(GArray) ports = g_array_new(FALSE, FALSE, sizeof(struct port));
    bool any = false;
    for (guint i = 0; i < states->len; i++) {
        const struct repack_state *state = &g_array_index(states, struct repack_state, i);
        if (state->ready != ready)
            continue;
        any = true;
        if (state->port.protocol != 0)
            g_array_append_val(ports, state->port);
    }
    if (!any)
        return;
    struct ports *list =
        ports->len > 0 ? ports_new((const struct port *)(void *)ports->data, ports->len) : NULL;
    struct endpoint copy = copy_of(endpoint);
    copy.ready = ready;
    add(packing, list, copy);
    ports_unref(list);
}

static void add_at_lists(struct packing *packing, const GArray *states,
                         const struct endpoint *endpoint)
{
    for (guint i = 0; i < states->len; i++) {
        const struct repack_state *state = &g_array_index(states, struct repack_state, i);
        struct endpoint copy = copy_of(endpoint);
        copy.ready = state->ready;
        add(packing, state->list, copy);
    }
}

static void endpoint_clear(struct endpoint *endpoint)
{
    g_free(endpoint->addresses.items);
    g_free(endpoint->hostname);
    name_unref(endpoint->target);
}

static void add_host(struct packing *packing, struct mention *first)
{
    if (first->next == NONE) {
        add(packing, first->ports, first->endpoint);
        return;
    }
    g_autoptr(GArray) lists = states_of_lists(packing, first);
    g_autoptr(GArray) ports = states_of_ports(lists);
    if (ports) {
        add_at_ports(packing, ports, true, &first->endpoint);
        add_at_ports(packing, ports, false, &first->endpoint);
    } else {
        add_at_lists(packing, lists, &first->endpoint);
    }
    endpoint_clear(&first->endpoint);
}

static void take_subsets(const struct packing *packing, struct endpoint_slice *slice)
{
    slice->n_subsets = packing->lists->len;
    slice->subsets = g_new0(struct endpoint_subset, MAX(slice->n_subsets, 1));
    for (uint32_t i = 0; i < slice->n_subsets; i++) {
        struct ports *ports = packing->lists->pdata[i];
        GArray *endpoints = g_hash_table_lookup(packing->by_ports, ports);
        slice->subsets[i].ports = ports;
        slice->subsets[i].n = endpoints->len;
        slice->subsets[i].endpoints = (struct endpoint *)(void *)g_array_free(endpoints, FALSE);
    }
}

void repack_subsets(GArray *mentions, struct endpoint_slice *slice)
{
    g_autoptr(GHashTable) by_ports = g_hash_table_new(NULL, NULL);
    g_autoptr(GPtrArray) lists = g_ptr_array_new();
    struct packing packing = {mentions, by_ports, lists};
    find_repeated(&packing);
    for (guint i = 0; i < mentions->len; i++) {
        struct mention *mention = &g_array_index(mentions, struct mention, i);
        if (mention->repeated)
            endpoint_clear(&mention->endpoint);
        else
            add_host(&packing, mention);
    }
    take_subsets(&packing, slice);
}
