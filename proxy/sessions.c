/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sessions. The listing may come from another program or version: only sets that the ruleset has
 * are read, and only addresses with time left are taken from them.
 */
#include "sessions.h"

#include <string.h>

#include "cli/value.h"

static void keep_client(GString *commands, const char *set, yajl_val item)
{
    yajl_val client = value_get(item, "elem");
    const char *text = client ? value_text(client, "val") : NULL;
    int64_t expires = client ? value_number(client, "expires") : 0;
    char canonical[ADDRESS_TEXT_MAX];
    struct address address;

    if (!text || !address_parse(&address, text, strlen(text)) || expires <= 0 ||
        expires > FORWARD_AFFINITY_MAX)
        return;
    address_format(&address, canonical);
    g_string_append_printf(
        commands, "add element " RULESET_TABLE " %s { %s expires %" G_GINT64_FORMAT "s }\n", set,
        canonical, expires);
}

static void keep_set(GString *commands, yajl_val set, const struct ruleset *ruleset)
{
    const char *name = value_text(set, "name");

    if (!name || !ruleset_has_set(ruleset, name))
        return;
    for (size_t i = 0; i < value_length(set, "elem"); i++)
        keep_client(commands, name, value_element(set, "elem", i));
}

char *sessions_keep(const char *listing, const struct ruleset *ruleset)
{
    GString *commands = g_string_new(NULL);
    yajl_val root = value_parse(listing);

    for (size_t i = 0; root && i < value_length(root, "nftables"); i++) {
        yajl_val set = value_get(value_element(root, "nftables", i), "set");

        if (set)
            keep_set(commands, set, ruleset);
    }
    yajl_tree_free(root);
    return g_string_free(commands, FALSE);
}
