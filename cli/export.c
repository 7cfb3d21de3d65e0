/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc export: everything that resolves, for programs that cannot ask: as lines of a hosts file,
 * or as JSON; and the ruleset of the proxy.
 */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "backends.h"
#include "commands.h"
#include "inspect_client.h"
#include "json_text.h"
#include "lib/resolve/name.h"
#include "listing.h"
#include "text.h"
#include "value.h"

static void append_addresses(GString *lines, yajl_val item, const char *key, const char *name)
{
    for (size_t i = 0; i < value_length(item, key); i++) {
        g_autofree char *address = text_clean(value_element_text(item, key, i));
        g_string_append_printf(lines, "%s\t%s\n", address, name);
    }
}

/* A name with anything else in it could say more than one thing in a hosts file. */
static char *hosts_lines(yajl_val item)
{
    GString *lines = g_string_new(NULL);
    const char *name = value_text(item, "name"), *target = value_text(item, "target");
    g_autofree char *clean = text_clean(target);
    if (!name_is_valid(name, strlen(name)))
        return g_string_free(lines, FALSE);
    append_addresses(lines, item, "inet", name);
    append_addresses(lines, item, "inet6", name);
    if (lines->len == 0 && target)
        g_string_append_printf(lines, "# %s points to %s\n", name, clean);
    return g_string_free(lines, FALSE);
}

static int export_names(struct arguments *arguments, bool as_json)
{
    arguments->json = as_json;
    arguments->all = !arguments->ns;
    g_autofree char *ns = ask_known_namespace(arguments);
    if (!ns)
        return STATUS_FAILED;
    char *nearest = NULL;
    struct listing *listing = listing_new(kind_find("names", &nearest));
    g_autoptr(GPtrArray) texts = g_ptr_array_new();
    listing->format = FORMAT_JSON;
    listing->indent = 2;
    listing->text = as_json ? NULL : hosts_lines;
    int status = listing_read(listing, arguments, ns);
    listing_texts(listing, texts);
    if (status == STATUS_DONE && as_json)
        json_write_items(json_text_new(stdout, true), texts);
    for (guint i = 0; status == STATUS_DONE && !as_json && i < texts->len; i++)
        fputs(texts->pdata[i], stdout);
    listing_free(listing);
    return status;
}

/* The ruleset that kubesvc-proxy would load now: from the stream that it follows, up to its first
 * end. */
struct nft_reading {
    struct ruleset *ruleset;
    GArray *ranges;
};

static bool take_backends(void *userdata, const char *line)
{
    const struct nft_reading *reading = userdata;
    return backends_take(line, reading->ruleset, reading->ranges) != BACKENDS_END;
}

static int export_nft(const struct arguments *arguments)
{
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct address_range));
    struct nft_reading reading = {ruleset_new(), ranges};
    int r = inspect_client_ask(arguments->socket, (const char *[]){"backends", NULL}, take_backends,
                               &reading);
    if (r == INSPECT_CLIENT_STOPPED) {
        g_autofree char *commands = ruleset_whole(reading.ruleset);
        printf("#!/usr/sbin/nft -f\n%s", commands);
    } else
        inspect_client_complain(arguments->socket, r, false);
    ruleset_free(reading.ruleset);
    return r == INSPECT_CLIENT_STOPPED ? STATUS_DONE : STATUS_FAILED;
}

static int run(struct arguments *arguments)
{
    const char *form = arguments->operands[0];
    bool nft = strcmp(form, "nft") == 0, json = strcmp(form, "json") == 0;
    if (nft && arguments->ns) {
        text_error(false, "omit --namespace", "the ruleset is one for all namespaces");
        return STATUS_FAILED;
    }
    if (!nft && !json && strcmp(form, "hosts") != 0) {
        text_error(false, "choose 'hosts', 'json' or 'nft'", "unknown format '%s'", form);
        return STATUS_FAILED;
    }
    return nft ? export_nft(arguments) : export_names(arguments, json);
}

const struct command command_export = {
    .name = "export",
    .summary = "print everything that resolves, as hosts(5) lines or JSON",
    .operands = "hosts|json|nft",
    .description =
        "Prints every name that resolves, of all namespaces unless -n names one: as lines\n"
        "of hosts(5), each an address and a name, or as JSON. Names that point outside the\n"
        "zone have no address here; in a hosts file they are comments. With nft, prints the\n"
        "rules by which kubesvc-proxy forwards connections to cluster IPs, for nft -f.\n",
    .examples = "  kubesvc export hosts\n"
                "  kubesvc export hosts -n moon >hosts.moon\n"
                "  kubesvc export json | jq -r '.items[].name'\n"
                "  kubesvc export nft | sudo nft -f -\n",
    .takes = TAKES_SOCKET | TAKES_EXPORT,
    .least = 1,
    .most = 1,
    .run = run,
};
