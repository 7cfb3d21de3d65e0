/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Only the message, and not all of it: proxies in between answer with whole web pages.
 */
#include "status_text.h"

#include <glib.h>
#include <string.h>

#include "lib/util/json_tree.h"

#define MESSAGE_MAX 500

char *status_text(long code, const char *body, size_t size)
{
    const char *path[] = {"message", NULL};
    g_autofree char *text = g_strndup(body, size);
    yajl_val root = json_tree_parse(text);
    const char *message = YAJL_GET_STRING(yajl_tree_get(root, path, yajl_t_string));
    char *result = message ? g_strdup_printf("HTTP %ld: %.*s", code, MESSAGE_MAX, message)
                           : g_strdup_printf("HTTP %ld", code);

    yajl_tree_free(root);
    return result;
}

char *transport_text(const char *text)
{
    /* RAW: it may quote bytes of a server, which need not be UTF-8. */
    g_autoptr(GRegex) varying = g_regex_new(" after \\d+ (ms|milliseconds)( with .* received)?|"
                                            "(?<=HTTP/2 stream) \\d+",
                                            G_REGEX_RAW, 0, NULL);

    return g_regex_replace_literal(varying, text, -1, 0, "", 0, NULL);
}

bool status_is_from_the_future(unsigned code, const char *body)
{
    return code == 504 && body &&
           (strstr(body, "ResourceVersionTooLarge") || strstr(body, "Too large resource version"));
}
