/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Service's pieces: for each IP and port an element that leads to a chain, and the chain. With
 * affinity there are also a chain and a set of clients for each endpoint, as in kube-proxy.
 */
#include "items.h"

#include <string.h>

#include "lib/resolve/dashed.h"

#define ZONE_ROOM 40u

struct item_place {
    const struct forward_service *service;
    const struct forward_port *port;
    GPtrArray *items;
    GPtrArray *targets; /* struct forward_target *: those of its family that get connections */
    const struct address *ip;
    int family;
    char *key; /* "10.96.0.1 . tcp . 80" */
};

static const char *protocol_name(enum forward_protocol protocol)
{
    static const char *const names[] = {
        [FORWARD_TCP] = "tcp", [FORWARD_UDP] = "udp", [FORWARD_SCTP] = "sctp"};

    return names[protocol];
}

static const char *family_word(const struct item_place *place)
{
    return place->family == 4 ? "ip" : "ip6";
}

/* `key` and `value` pass on. */
static struct item *add(const struct item_place *place, enum item_kind kind, const char *set,
                        char *key, char *value)
{
    struct item *item = g_new0(struct item, 1);

    item->kind = kind;
    item->set = set;
    item->key = key;
    item->value = value;
    g_ptr_array_add(place->items, item);
    return item;
}

static void item_free(void *data)
{
    struct item *item = data;

    g_free(item->key);
    g_free(item->value);
    g_free(item);
}

static char *target_text(const struct forward_target *target)
{
    char text[ADDRESS_TEXT_MAX];

    address_format(&target->address, text);
    return g_strdup_printf("%s . %u", text, target->port);
}

static char *target_rule(const struct item_place *place, const struct forward_target *target)
{
    bool inet = place->family == 4;
    char text[ADDRESS_TEXT_MAX];

    address_format(&target->address, text);
    return g_strdup_printf("meta l4proto %s dnat %s to %s%s%s:%u\n",
                           protocol_name(place->port->protocol), family_word(place),
                           inet ? "" : "[", text, inet ? "" : "]", target->port);
}

/* One rule: the number of an endpoint, and from it the endpoint. */
static char *pick_rule(const struct item_place *place)
{
    if (place->targets->len == 1)
        return target_rule(place, place->targets->pdata[0]);
    GString *rule = g_string_new(NULL);

    g_string_append_printf(rule, "meta l4proto %s dnat %s to numgen random mod %u map {",
                           protocol_name(place->port->protocol), family_word(place),
                           place->targets->len);
    for (guint i = 0; i < place->targets->len; i++) {
        g_autofree char *target = target_text(place->targets->pdata[i]);

        g_string_append_printf(rule, "%s %u : %s", i > 0 ? "," : "", i, target);
    }
    g_string_append(rule, " }\n");
    return g_string_free(rule, FALSE);
}

/* The name of an endpoint's chain, and of the set of its sticky clients. The timeout is part of it
 * because the timeout of a set cannot change. */
static char *session_name(const struct item_place *place, const char *chain,
                          const struct forward_target *target)
{
    char label[DASHED_MAX];

    dashed_format(target->address.bytes, label);
    return g_strdup_printf("%s/%s/%u/%us", chain, label, target->port, place->service->affinity);
}

static void add_session_target(const struct item_place *place, const char *name,
                               const struct forward_target *target)
{
    g_autofree char *rule = target_rule(place, target);

    add(place, ITEM_SET, "", g_strdup(name),
        g_strdup_printf("type %s; flags dynamic,timeout; timeout %us;",
                        place->family == 4 ? "ipv4_addr" : "ipv6_addr", place->service->affinity));
    add(place, ITEM_CHAIN, "", g_strdup(name),
        g_strdup_printf("update @%s { %s saddr }\n%s", name, family_word(place), rule));
}

/* A client that is in an endpoint's set goes there; another one goes anywhere, and is in the set of
 * that endpoint then. */
static char *session_rules(const struct item_place *place, const char *chain)
{
    GString *rules = g_string_new(NULL);
    g_autoptr(GString) random = g_string_new(NULL);

    for (guint i = 0; i < place->targets->len; i++) {
        const struct forward_target *target = place->targets->pdata[i];
        g_autofree char *name = session_name(place, chain, target);

        add_session_target(place, name, target);
        g_string_append_printf(rules, "%s saddr @%s goto %s\n", family_word(place), name, name);
        g_string_append_printf(random, "%s %u : goto %s", i > 0 ? "," : "", i, name);
    }
    g_string_append_printf(rules, "numgen random mod %u vmap {%s }\n", place->targets->len,
                           random->str);
    return g_string_free(rules, FALSE);
}

/* For the names of chains, which may not contain '@'. With the longest of everything else a name
 * has room for 40 characters of a zone: of a longer one there is the beginning, and a hash. */
static char *namespace_word(const char *ns)
{
    const char *at = strchr(ns, '@');
    GString *word = g_string_new_len(ns, (gssize)strcspn(ns, "@"));

    if (at && strlen(at + 1) <= ZONE_ROOM)
        g_string_append_printf(word, ".%s", at + 1);
    else if (at)
        g_string_append_printf(word, ".%.*s.%08x", (int)(ZONE_ROOM - 9), at + 1, g_str_hash(at));
    return g_string_free(word, FALSE);
}

static void add_chain(const struct item_place *place)
{
    g_autofree char *word = namespace_word(place->service->ns);
    g_autofree char *chain =
        g_strdup_printf("service%d/%s/%s/%s/%u", place->family, word, place->service->name,
                        protocol_name(place->port->protocol), place->port->number);

    add(place, ITEM_CHAIN, "", g_strdup(chain),
        place->service->affinity > 0 ? session_rules(place, chain) : pick_rule(place));
    add(place, ITEM_ELEMENT, place->family == 4 ? "services4" : "services6", g_strdup(place->key),
        g_strdup_printf("goto %s", chain));
}

/* An endpoint that is sent its own connection would answer itself, past the translation: such a
 * connection gets another source. Within loopback it does not leave the host, and needs none. */
static void add_hairpins(const struct item_place *place)
{
    struct address_range loopback;

    (void)address_range_parse(&loopback, "127.0.0.0/8");
    for (guint i = 0; i < place->targets->len; i++) {
        const struct forward_target *target = place->targets->pdata[i];
        char text[ADDRESS_TEXT_MAX];

        if (address_range_contains(&loopback, &target->address))
            continue;
        address_format(&target->address, text);
        add(place, ITEM_ELEMENT, place->family == 4 ? "hairpins4" : "hairpins6",
            g_strdup_printf("%s . %s", text, text), g_strdup(""));
    }
}

/* Flows to an endpoint that is terminating stay, as connections of TCP do. */
static void add_flow(const struct item_place *place)
{
    GString *targets = g_string_new("\n");

    for (guint i = 0; i < place->port->targets->len; i++) {
        const struct forward_target *target =
            &g_array_index(place->port->targets, struct forward_target, i);

        if (address_family(&target->address) != place->family)
            continue;
        g_autofree char *text = target_text(target);

        g_string_append_printf(targets, "%s\n", text);
    }
    struct item *flow =
        add(place, ITEM_FLOW, "", g_strdup(place->key), g_string_free(targets, FALSE));
    flow->address = *place->ip;
    flow->port = place->port->number;
}

static void choose_targets(struct item_place *place, bool terminating)
{
    g_ptr_array_set_size(place->targets, 0);
    for (guint i = 0; i < place->port->targets->len; i++) {
        struct forward_target *target =
            &g_array_index(place->port->targets, struct forward_target, i);

        if (address_family(&target->address) == place->family && target->terminating == terminating)
            g_ptr_array_add(place->targets, target);
    }
}

/* A port without endpoints needs nothing: what is sent to a cluster IP and leads nowhere is
 * rejected. */
static void add_port(struct item_place *place, const char *ip)
{
    choose_targets(place, false);
    if (place->targets->len == 0)
        choose_targets(place, true);
    if (place->targets->len == 0)
        return;
    g_autofree char *key = g_strdup_printf("%s . %s . %u", ip, protocol_name(place->port->protocol),
                                           place->port->number);
    place->key = key;
    add_chain(place);
    add_hairpins(place);
    if (place->port->protocol == FORWARD_UDP)
        add_flow(place);
}

GPtrArray *items_of(const struct forward_service *service)
{
    g_autoptr(GPtrArray) targets = g_ptr_array_new();
    struct item_place place = {
        .service = service,
        .items = g_ptr_array_new_with_free_func(item_free),
        .targets = targets,
    };

    for (guint i = 0; i < service->cluster_ips->len; i++) {
        char text[ADDRESS_TEXT_MAX];

        place.ip = &g_array_index(service->cluster_ips, struct address, i);
        place.family = address_family(place.ip);
        address_format(place.ip, text);
        add(&place, ITEM_ELEMENT, place.family == 4 ? "cluster-ips4" : "cluster-ips6",
            g_strdup(text), g_strdup(""));
        for (guint j = 0; j < service->ports->len; j++) {
            place.port = service->ports->pdata[j];
            add_port(&place, text);
        }
    }
    return place.items;
}
