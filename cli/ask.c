/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What commands have in common when they ask: lines become JSON, and what is no answer becomes one
 * sentence on stderr.
 */
#include "ask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "inspect_client.h"
#include "lib/resolve/name.h"
#include "text.h"
#include "value.h"

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
    int r = inspect_client_ask(arguments->socket, words, false, take_line, &asking);
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
    ask_release(itemp);
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

int ask_quietly(const struct arguments *arguments, const char *const *words, yajl_val *itemp)
{
    struct asking asking = {.take = keep_last, .userdata = itemp};
    *itemp = NULL;
    int r = inspect_client_ask(arguments->socket, words, false, take_line, &asking);
    return r == INSPECT_CLIENT_STOPPED || (r == KUBESVC_INSPECT_DONE && !*itemp) ? -EPROTO : r;
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
    ask_auto yajl_val status = NULL;
    if (ask_one(arguments, (const char *[]){"status", NULL}, &status) != STATUS_DONE)
        return NULL;
    const char *ns = value_text(status, "namespace");
    return g_strdup(ns ? ns : "default");
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

void ask_release(yajl_val *itemp)
{
    if (*itemp)
        yajl_tree_free(*itemp);
    *itemp = NULL;
}
