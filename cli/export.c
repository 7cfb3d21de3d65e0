/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc export: everything that resolves, for programs that cannot ask: as lines of a hosts file,
 * or as JSON; and the ruleset of the proxy.
 */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "ask.h"
#include "backends.h"
#include "commands.h"
#include "inspect_client.h"
#include "json_text.h"
#include "lib/resolve/name.h"
#include "text.h"
#include "value.h"

static const struct synopsis synopsis = {
    .name = "export",
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
    .takes = TAKES_SOCKET | TAKES_NAMESPACE,
    .least = 1,
    .most = 1,
};

struct export_name {
    char *name;
    char *text; /* whole lines, or an item of JSON */
};

struct export
{
    GArray *names;
    bool json;
};

static void name_clear(void *pointer)
{
    struct export_name *name = pointer;
    g_free(name->name);
    g_free(name->text);
}

static int compare_names(const void *a, const void *b)
{
    return text_compare(((const struct export_name *)a)->name,
                        ((const struct export_name *)b)->name);
}

static void append_addresses(GString *lines, yajl_val item, const char *key, const char *name)
{
    for (size_t i = 0; i < value_length(item, key); i++) {
        g_autofree char *address = text_clean(value_element_text(item, key, i));
        g_string_append_printf(lines, "%s\t%s\n", address, name);
    }
}

/* A name with anything else in it could say more than one thing in a hosts file. */
static char *hosts_lines(yajl_val item, const char *name)
{
    GString *lines = g_string_new(NULL);
    const char *target = value_text(item, "target");
    g_autofree char *clean = text_clean(target);
    if (!name_is_valid(name, strlen(name)))
        return g_string_free(lines, FALSE);
    append_addresses(lines, item, "inet", name);
    append_addresses(lines, item, "inet6", name);
    if (lines->len == 0 && target)
        g_string_append_printf(lines, "# %s points to %s\n", name, clean);
    return g_string_free(lines, FALSE);
}

static char *json_item(yajl_val item)
{
    GString *text = g_string_new(NULL);
    json_text_append(text, item, 2);
    return g_string_free(text, FALSE);
}

static bool take(void *userdata, yajl_val item)
{
    struct export *export = userdata;
    const char *text = value_text(item, "name");
    if (!text)
        return false;
    struct export_name name = {.name = g_strdup(text),
                               .text = export->json ? json_item(item) : hosts_lines(item, text)};
    g_array_append_val(export->names, name);
    return false;
}

static void print(const struct export *export)
{
    struct json *json = export->json ? json_text_new(stdout, true) : NULL;
    if (json)
        json_open_items(json);
    for (guint i = 0; i < export->names->len; i++) {
        const char *text = g_array_index(export->names, struct export_name, i).text;
        if (json)
            json_raw(json, NULL, text);
        else
            fputs(text, stdout);
    }
    if (json)
        json_close_items(json);
    json_free(json);
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

int command_export(int argc, char **argv)
{
    struct arguments arguments;
    int status = arguments_parse(&arguments, &synopsis, argc, argv);
    if (status != ARGUMENTS_GO_ON)
        return status;
    const char *form = arguments.operands[0];
    struct export export = {.json = strcmp(form, "json") == 0};
    if (strcmp(form, "nft") == 0 && arguments.ns) {
        text_error(false, "leave out --namespace", "the ruleset is one for all namespaces");
        return STATUS_FAILED;
    }
    if (strcmp(form, "nft") == 0)
        return export_nft(&arguments);
    if (!export.json && strcmp(form, "hosts") != 0) {
        text_error(false, "choose 'hosts', 'json' or 'nft'", "unknown format '%s'", form);
        return STATUS_FAILED;
    }
    arguments.json = export.json;
    g_autoptr(GArray) names = g_array_new(FALSE, FALSE, sizeof(struct export_name));
    g_array_set_clear_func(names, name_clear);
    export.names = names;
    const char *ns = arguments.ns ? arguments.ns : "";
    status = ask(&arguments, (const char *[]){"names", ns, NULL}, take, &export);
    if (status != STATUS_DONE)
        return status;
    g_array_sort(names, compare_names);
    print(&export);
    return STATUS_DONE;
}
