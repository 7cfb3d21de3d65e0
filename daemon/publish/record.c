/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The contents of each kind of record. Rows of one name become one entry of a table, and the
 * entries for "any" port or protocol are created here, so that the resolver has nothing to compute.
 */
#include "record.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "lib/resolve/dashed.h"
#include "lib/util/compare.h"
#include "record_builder.h"

/* --- Endpoints and ports: rows of one name become one entry --- */

/* A row's protocol is followed by its number where each number makes an entry of its own. */
#define NUMBER_SHIFT 8
#define PROTOCOL_MASK ((1u << NUMBER_SHIFT) - 1)

struct record_row {
    const char *name; /* lower case */
    uint32_t protocol, number;
    const GArray *addresses;
};

static int compare_names(const struct record_row *a, const struct record_row *b)
{
    int order = strcmp(a->name, b->name);

    return order != 0 ? order : (a->protocol > b->protocol) - (a->protocol < b->protocol);
}

static int compare_rows(const void *a, const void *b)
{
    const struct record_row *x = a, *y = b;
    int order = compare_names(x, y);

    return order != 0 ? order : (x->addresses > y->addresses) - (x->addresses < y->addresses);
}

static void add_row(GArray *rows, const char *name, uint32_t protocol, uint32_t number,
                    const GArray *addresses)
{
    struct record_row row = {name, protocol, number, addresses};

    g_array_append_val(rows, row);
}

/* How many rows from `start` on belong to one entry. */
static guint entry_length(const GArray *rows, guint start)
{
    const struct record_row *first = &g_array_index(rows, struct record_row, start);
    guint n = 1;

    for (; start + n < rows->len && compare_names(first, first + n) == 0; n++)
        ;
    return n;
}

static guint count_entries(const GArray *rows)
{
    guint entries = 0;

    for (guint i = 0; i < rows->len; i += entry_length(rows, i))
        entries++;
    return entries;
}

/* What an entry of `n` rows answers; identical arrays count once. */
static struct kubesvc_set add_entry_set(struct record_builder *builder,
                                        const struct record_row *rows, guint n)
{
    g_autofree const GArray **arrays = g_new(const GArray *, n);
    size_t distinct = 0;

    for (guint i = 0; i < n; i++)
        if (i == 0 || rows[i].addresses != rows[i - 1].addresses)
            arrays[distinct++] = rows[i].addresses;
    return distinct == 1 ? record_builder_set(builder, arrays[0])
                         : record_builder_union(builder, arrays, distinct);
}

static bool agree_on_number(const struct record_row *rows, guint n)
{
    for (guint i = 1; i < n; i++)
        if (rows[i].number != rows[0].number)
            return false;
    return true;
}

/* A hostname may look like the dashed address of an endpoint that has none: the name then means
 * both, and as an explicit label it is found first. Returns the address as an array of one, or
 * NULL. */
static GArray *find_dashed(const char *label, GArray *unnamed)
{
    struct address address;

    if (!dashed_parse_canonical(label, strlen(label), address.bytes) ||
        !g_array_binary_search(unnamed, &address, record_compare_addresses, NULL))
        return NULL;
    return g_array_append_val(g_array_new(FALSE, FALSE, sizeof address), address);
}

static GArray *copy_sorted(const GArray *addresses)
{
    GArray *copy = g_array_new(FALSE, FALSE, sizeof(struct address));

    if (addresses != NULL && addresses->len > 0)
        g_array_append_vals(copy, addresses->data, addresses->len);
    record_sort_addresses(copy);
    return copy;
}

static struct kubesvc_span add_endpoints(struct record_builder *builder,
                                         const struct zone_service *service)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct record_row));
    g_autoptr(GArray) entries = g_array_new(FALSE, TRUE, sizeof(struct kubesvc_endpoint));
    g_autoptr(GStringChunk) names = g_string_chunk_new(256);
    guint n_endpoints = service->endpoints ? service->endpoints->len : 0;
    g_autoptr(GArray) unnamed = copy_sorted(n_endpoints > 0 ? service->unnamed : NULL);
    struct kubesvc_span table;

    for (guint i = 0; i < n_endpoints; i++) {
        const struct zone_endpoint *endpoint =
            &g_array_index(service->endpoints, struct zone_endpoint, i);
        g_autofree char *lower = g_ascii_strdown(endpoint->label, -1);
        const char *name = g_string_chunk_insert_const(names, lower);
        GArray *dashed = find_dashed(name, unnamed);

        add_row(rows, name, 0, 0, endpoint->addresses);
        if (dashed != NULL) {
            record_builder_keep(builder, dashed);
            add_row(rows, name, 0, 0, dashed);
        }
    }
    g_array_sort(rows, compare_rows);

    table = record_builder_table(builder, count_entries(rows) * sizeof(struct kubesvc_endpoint));
    for (guint i = 0, n; i < rows->len; i += n) {
        const struct record_row *row = &g_array_index(rows, struct record_row, i);
        struct kubesvc_endpoint entry;

        n = entry_length(rows, i);
        entry.label = record_builder_text(builder, row->name, strlen(row->name));
        entry.addresses = add_entry_set(builder, row, n);
        g_array_append_val(entries, entry);
    }
    record_builder_fill(builder, table, entries->data);
    return table;
}

/* A table of these rows, an entry for each name and protocol. */
static struct kubesvc_span add_port_table(struct record_builder *builder, GArray *rows)
{
    g_autoptr(GArray) entries = g_array_new(FALSE, TRUE, sizeof(struct kubesvc_port));
    struct kubesvc_span table;

    g_array_sort(rows, compare_rows);
    table = record_builder_table(builder, count_entries(rows) * sizeof(struct kubesvc_port));
    for (guint i = 0, n; i < rows->len; i += n) {
        const struct record_row *row = &g_array_index(rows, struct record_row, i);
        struct kubesvc_port entry;

        n = entry_length(rows, i);
        if (i > 0 && row[-1].name == row->name) /* of another protocol */
            entry.name = g_array_index(entries, struct kubesvc_port, entries->len - 1).name;
        else
            entry.name = record_builder_text(builder, row->name, strlen(row->name));
        entry.protocol = htole32(row->protocol & PROTOCOL_MASK);
        entry.number = htole32(agree_on_number(row, n) ? row->number : 0);
        entry.addresses = add_entry_set(builder, row, n);
        g_array_append_val(entries, entry);
    }
    record_builder_fill(builder, table, entries->data);
    return table;
}

/* Rule 47: a label that is empty after its underscore is a wildcard. */
static struct kubesvc_span add_ports(struct record_builder *builder, const GArray *ports)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct record_row));

    for (guint i = 0; i < ports->len; i++) {
        const struct record_row *port = &g_array_index(ports, struct record_row, i);

        add_row(rows, "", port->protocol, port->number, port->addresses);
        if (port->name[0] == '\0')
            continue;
        add_row(rows, port->name, port->protocol, port->number, port->addresses);
        add_row(rows, port->name, KUBESVC_PROTOCOL_ANY, port->number, port->addresses);
    }
    return add_port_table(builder, rows);
}

/* Do the entries of `ports` leave open which numbers there are? */
static bool need_numbers(GArray *ports)
{
    bool named = false, unnamed = false, agreed = true;

    g_array_sort(ports, compare_rows);
    for (guint i = 0, n; i < ports->len; i += n) {
        const struct record_row *port = &g_array_index(ports, struct record_row, i);

        n = entry_length(ports, i);
        *(port->name[0] == '\0' ? &unnamed : &named) = true;
        agreed = agreed && agree_on_number(port, n);
    }
    return (named && unnamed) || !agreed;
}

/* An entry for each number as well. */
static struct kubesvc_span add_numbers(struct record_builder *builder, const GArray *ports)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct record_row));

    for (guint i = 0; i < ports->len; i++) {
        const struct record_row *port = &g_array_index(ports, struct record_row, i);

        add_row(rows, port->name, port->protocol | port->number << NUMBER_SHIFT, port->number,
                port->addresses);
    }
    return add_port_table(builder, rows);
}

static GArray *read_ports(const GArray *ports, GStringChunk *names)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(struct record_row));

    for (guint i = 0; ports && i < ports->len; i++) {
        const struct zone_port *port = &g_array_index(ports, struct zone_port, i);
        g_autofree char *lower = g_ascii_strdown(port->name != NULL ? port->name : "", -1);

        add_row(rows, g_string_chunk_insert_const(names, lower), port->protocol, port->number,
                port->addresses);
    }
    return rows;
}

/* --- Records --- */

/* A table of names, in the order given. */
static struct kubesvc_span add_names(struct record_builder *builder, const char *const *names,
                                     size_t n)
{
    struct kubesvc_span table = record_builder_table(builder, n * sizeof table);
    g_autofree struct kubesvc_span *rows = g_new(struct kubesvc_span, n);

    for (size_t i = 0; i < n; i++)
        rows[i] = record_builder_lower(builder, names[i]);
    record_builder_fill(builder, table, rows);
    return table;
}

static const enum kubesvc_service_type service_types[] = {
    [ZONE_CLUSTER_IP] = KUBESVC_SERVICE_CLUSTER_IP,
    [ZONE_HEADLESS] = KUBESVC_SERVICE_HEADLESS,
    [ZONE_EXTERNAL_NAME] = KUBESVC_SERVICE_EXTERNAL_NAME,
};

GByteArray *record_service_new(const struct zone_service *service)
{
    g_autoptr(GStringChunk) names = g_string_chunk_new(256);
    g_autoptr(GArray) ports = read_ports(service->ports, names);
    bool numbered = need_numbers(ports);
    struct kubesvc_numbered whole = {0};
    struct kubesvc_service head = {
        .type = htole32(service_types[service->type]),
        .flags = htole32((service->hidden ? KUBESVC_SERVICE_HIDDEN : 0) |
                         (numbered ? KUBESVC_SERVICE_NUMBERED : 0)),
    };
    size_t size = numbered ? sizeof whole : sizeof head;
    struct record_builder builder;

    record_builder_begin(&builder, size);
    head.addresses = record_builder_set(&builder, service->addresses);
    head.unnamed = record_builder_set(&builder, service->unnamed);
    head.endpoints = add_endpoints(&builder, service);
    head.ports = add_ports(&builder, ports);
    if (numbered)
        whole.numbers = add_numbers(&builder, ports);
    if (service->target != NULL) {
        size_t length = strlen(service->target);

        if (g_str_has_suffix(service->target, "."))
            length--;
        head.target = record_builder_text(&builder, service->target, length);
    }
    whole.service = head;
    return record_builder_end(&builder, &whole, size);
}

GByteArray *record_namespace_new(uint32_t flags)
{
    struct kubesvc_namespace head = {htole32(flags)};

    return g_byte_array_append(g_byte_array_new(), (const guint8 *)&head, sizeof head);
}

GByteArray *record_address_new(const struct zone_address *address)
{
    struct kubesvc_address head = {.flags = htole32(address->known ? 0 : KUBESVC_ADDRESS_FOREIGN)};
    g_autofree const char **pods = g_new(const char *, address->pods->len);
    size_t n = 0;
    struct record_builder builder;

    record_builder_begin(&builder, sizeof head);
    if (address->name != NULL) {
        head.flags |= htole32(KUBESVC_ADDRESS_NAMED);
        head.name = record_builder_lower(&builder, address->name);
    }
    /* Sorted, so that the same namespaces give the same record. */
    for (guint i = 0; i < address->pods->len; i++)
        pods[i] = address->pods->pdata[i];
    if (address->pods->len > 0)
        qsort(pods, address->pods->len, sizeof *pods, compare_texts);
    for (guint i = 0; i < address->pods->len; i++)
        if (n == 0 || strcmp(pods[n - 1], pods[i]) != 0)
            pods[n++] = pods[i];
    head.pods = add_names(&builder, pods, n);
    return record_builder_end(&builder, &head, sizeof head);
}

static struct kubesvc_span add_strv(struct record_builder *builder, const char *const *names)
{
    return names ? add_names(builder, names, g_strv_length((gchar **)names))
                 : (struct kubesvc_span){0};
}

static struct kubesvc_span add_ranges(struct record_builder *builder,
                                      const struct address_range *ranges, size_t n)
{
    struct kubesvc_span table = record_builder_table(builder, n * sizeof(struct kubesvc_range));
    g_autofree struct kubesvc_range *rows = g_new0(struct kubesvc_range, n);

    for (size_t i = 0; i < n; i++) {
        memcpy(rows[i].address, ranges[i].base.bytes, sizeof rows[i].address);
        rows[i].prefix = htole32(ranges[i].prefix);
    }
    record_builder_fill(builder, table, rows);
    return table;
}

GByteArray *record_settings_new(const struct record_settings *settings)
{
    struct kubesvc_settings head = {
        .flags = htole32(settings->flags),
        .pods = htole32(settings->pods),
        .ndots = htole32(settings->ndots),
        .search_default = htole32(settings->search == NULL),
    };
    struct record_builder builder;

    record_builder_begin(&builder, sizeof head);
    head.zone = record_builder_lower(&builder, settings->zone);
    head.default_namespace = record_builder_lower(&builder, settings->default_namespace);
    head.search = add_strv(&builder, settings->search);
    head.ranges = add_ranges(&builder, settings->ranges, settings->n_ranges);
    head.zones = add_strv(&builder, settings->zones);
    return record_builder_end(&builder, &head, sizeof head);
}
