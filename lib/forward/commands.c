/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands. nft(8) takes a text as one transaction, but checks each command against what the ones
 * before it left: nothing is used before it exists, and nothing is deleted while it is used.
 */
#include "commands.h"

#include <string.h>

#include "ruleset.h"

/* Only the first packet of a connection comes here; the others follow its translation. That of
 * every connection of the host does, so those that are not for a Service pass as few expressions as
 * possible. A client whose only route is ours has the cluster IP as its source: a reset to it must
 * not be refused in turn, and what leaves the host so gets another source. */
const char commands_frame[] =
    "add table " RULESET_TABLE "\n"
    "delete table " RULESET_TABLE "\n"
    "table " RULESET_TABLE " {\n"
    "\tmap services4 { type ipv4_addr . inet_proto . inet_service : verdict; }\n"
    "\tmap services6 { type ipv6_addr . inet_proto . inet_service : verdict; }\n"
    "\tset cluster-ips4 { type ipv4_addr; }\n"
    "\tset cluster-ips6 { type ipv6_addr; }\n"
    "\tset hairpins4 { type ipv4_addr . ipv4_addr; }\n"
    "\tset hairpins6 { type ipv6_addr . ipv6_addr; }\n"
    "\tchain refuse {\n"
    "\t\tct state != new return\n"
    "\t\tmeta l4proto tcp reject with tcp reset\n"
    "\t\tmeta l4proto { udp, sctp } reject with icmpx type port-unreachable\n"
    "\t}\n"
    "\tchain services {\n"
    "\t\tip daddr . meta l4proto . th dport vmap @services4\n"
    "\t\tip6 daddr . meta l4proto . th dport vmap @services6\n"
    "\t\tip daddr @cluster-ips4 goto refuse\n"
    "\t\tip6 daddr @cluster-ips6 goto refuse\n"
    "\t}\n"
    "\tchain prerouting { type nat hook prerouting priority dstnat; jump services; }\n"
    "\tchain output { type nat hook output priority -100; jump services; }\n"
    "\tchain masquerades {\n"
    "\t\tip saddr . ip daddr @hairpins4 masquerade\n"
    "\t\tip6 saddr . ip6 daddr @hairpins6 masquerade\n"
    "\t\tip saddr @cluster-ips4 masquerade\n"
    "\t\tip6 saddr @cluster-ips6 masquerade\n"
    "\t}\n"
    "\tchain postrouting {\n"
    "\t\ttype nat hook postrouting priority srcnat;\n"
    "\t\toif != lo ct status dnat jump masquerades\n"
    "\t}\n"
    "}\n";

static int compare_changes(gconstpointer a, gconstpointer b)
{
    const struct item *x = ((const struct change *)a)->item;
    const struct item *y = ((const struct change *)b)->item;
    int order = strcmp(x->set, y->set);

    return order != 0 ? order : strcmp(x->key, y->key);
}

static bool is_new(const struct change *change)
{
    return !change->before;
}

static bool was_there(const struct change *change)
{
    return change->before;
}

static bool is_gone(const struct change *change)
{
    return !change->after;
}

/* One command for each chain, or each set of clients, that meets the condition. */
static void write_each(GString *text, const GArray *changes, const char *verb, enum item_kind kind,
                       bool (*condition)(const struct change *change))
{
    for (guint i = 0; i < changes->len; i++) {
        const struct change *change = &g_array_index(changes, struct change, i);

        if (change->item->kind != kind || !condition(change))
            continue;
        g_string_append_printf(text, "%s %s " RULESET_TABLE " %s", verb,
                               kind == ITEM_SET ? "set" : "chain", change->item->key);
        if (kind == ITEM_SET && change->after)
            g_string_append_printf(text, " { %s }", change->after);
        g_string_append_c(text, '\n');
    }
}

static void write_rules(GString *text, const GArray *changes)
{
    for (guint i = 0; i < changes->len; i++) {
        const struct change *change = &g_array_index(changes, struct change, i);

        if (change->item->kind != ITEM_CHAIN || !change->after)
            continue;
        g_auto(GStrv) rules = g_strsplit(change->after, "\n", -1);
        for (char **rule = rules; **rule; rule++)
            g_string_append_printf(text, "add rule " RULESET_TABLE " %s %s\n", change->item->key,
                                   *rule);
    }
}

/* The elements of each set in one command: `verb` is "add", of what is there afterwards, or
 * "delete", of what was there. */
static void write_elements(GString *text, const GArray *changes, const char *verb)
{
    bool adds = strcmp(verb, "add") == 0;
    const char *set = NULL;

    for (guint i = 0; i < changes->len; i++) {
        const struct change *change = &g_array_index(changes, struct change, i);
        const char *value = adds ? change->after : change->before;

        if (change->item->kind != ITEM_ELEMENT || !value)
            continue;
        if (set && strcmp(set, change->item->set) == 0)
            g_string_append(text, ",\n\t");
        else
            g_string_append_printf(text, "%s%s element " RULESET_TABLE " %s {\n\t",
                                   set ? "\n}\n" : "", verb, change->item->set);
        set = change->item->set;
        g_string_append_printf(text, "%s%s%s", change->item->key, *value ? " : " : "", value);
    }
    if (set)
        g_string_append(text, "\n}\n");
}

void commands_write(GString *text, GArray *changes)
{
    g_array_sort(changes, compare_changes);
    write_each(text, changes, "add", ITEM_SET, is_new);
    write_each(text, changes, "add", ITEM_CHAIN, is_new);
    write_elements(text, changes, "delete");
    write_each(text, changes, "flush", ITEM_CHAIN, was_there);
    write_rules(text, changes);
    write_elements(text, changes, "add");
    write_each(text, changes, "delete", ITEM_CHAIN, is_gone);
    write_each(text, changes, "delete", ITEM_SET, is_gone);
}
