/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What commands have in common when they ask: lines become JSON, and what is no answer becomes one
 * sentence on stderr.
 */
#include "ask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "inspect_client.h"
#include "json_text.h"
#include "lib/resolve/name.h"
#include "text.h"
#include "yaml_text.h"

struct asking {
    ask_item take;
    void *userdata;
    bool broken;
};

static bool take_line(void *userdata, const char *line)
{
    struct asking *asking = userdata;
    yajl_val item = value_parse(line);
    if (!item) {
        asking->broken = true;
        return false;
    }
    if (!asking->take(asking->userdata, item))
        yajl_tree_free(item);
    return true;
}

int ask(const struct arguments *arguments, const char *const *words, ask_item take, void *userdata)
{
    struct asking asking = {.take = take, .userdata = userdata};
    int r = inspect_client_ask(arguments->socket, words, take_line, &asking);
    if (r == KUBESVC_INSPECT_DONE)
        return STATUS_DONE;
    if (r == KUBESVC_INSPECT_NOT_FOUND)
        return STATUS_NOT_FOUND;
    inspect_client_complain(arguments->socket, asking.broken ? -EPROTO : r, arguments->json);
    return STATUS_FAILED;
}

static bool keep_last(void *userdata, yajl_val item)
{
    yajl_val *itemp = userdata;
    value_release(itemp);
    *itemp = item;
    return true;
}

int ask_one(const struct arguments *arguments, const char *const *words, yajl_val *itemp)
{
    *itemp = NULL;
    int status = ask(arguments, words, keep_last, itemp);
    if (status == STATUS_DONE && !*itemp) {
        inspect_client_complain(arguments->socket, -EPROTO, arguments->json);
        return STATUS_FAILED;
    }
    return status;
}

static bool keep_first(void *userdata, const char *line)
{
    *(yajl_val *)userdata = value_parse(line);
    return false;
}

int ask_quietly(const struct arguments *arguments, const char *const *words, yajl_val *itemp)
{
    *itemp = NULL;
    int r = inspect_client_ask(arguments->socket, words, keep_first, itemp);
    if (*itemp)
        return KUBESVC_INSPECT_DONE;
    return r == INSPECT_CLIENT_STOPPED || r == KUBESVC_INSPECT_DONE ? -EPROTO : r;
}

bool ask_print_data(const struct arguments *arguments, yajl_val answer)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (arguments->format == FORMAT_YAML)
        yaml_text_append(text, answer);
    else if (arguments->format == FORMAT_JSON)
        json_text_append(text, answer, 0);
    else
        return false;
    printf("%s%s", text->str, arguments->format == FORMAT_YAML ? "" : "\n");
    return true;
}

char *ask_namespace(const struct arguments *arguments)
{
    const char *from_environment = getenv("KUBESVC_NAMESPACE");
    if (arguments->all)
        return g_strdup("");
    if (arguments->ns)
        return g_strdup(arguments->ns);
    if (from_environment && *from_environment)
        return g_strdup(from_environment);
    value_auto yajl_val status = NULL;
    if (ask_one(arguments, (const char *[]){"status", NULL}, &status) != STATUS_DONE)
        return NULL;
    return g_strdup(value_text_or(status, "namespace", "default"));
}

static bool has_zone(yajl_val status, const char *zone)
{
    for (size_t i = 0; i < value_length(status, "zones"); i++) {
        const char *other = value_element_text(status, "zones", i);
        if (other && g_ascii_strcasecmp(zone, other) == 0)
            return true;
    }
    return g_ascii_strcasecmp(zone, value_text_or(status, "zone", "")) == 0;
}

char *ask_known_namespace(const struct arguments *arguments)
{
    g_autofree char *ns = ask_namespace(arguments);
    const char *at = ns ? strchr(ns, '@') : NULL;
    value_auto yajl_val status = NULL;
    if (!at)
        return g_steal_pointer(&ns);
    if (ask_one(arguments, (const char *[]){"status", NULL}, &status) != STATUS_DONE)
        return NULL;
    if (has_zone(status, at + 1))
        return g_steal_pointer(&ns);
    text_error(arguments->json, "'kubesvc status' shows all zones", "the zone %s is not configured",
               at + 1);
    return NULL;
}

bool ask_can_be(const char *name, bool json)
{
    unsigned char address[16];
    size_t length = strlen(name);
    bool dot = length > 0 && name[length - 1] == '.';
    if (name_is_valid(name, length - dot) || inet_pton(AF_INET, name, address) == 1 ||
        inet_pton(AF_INET6, name, address) == 1)
        return true;
    text_error(json, "it is at most 253 letters, digits, '-' and '_', at most 63 between two dots",
               "'%.300s' is not a valid host name", name);
    return false;
}
