/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A .kube unit of podman's quadlet: an ini file as systemd reads it. Only the manifests it names
 * matter here.
 */
#include <string.h>

#include "parse.h"

#define SECTION "[Kube]"
#define KEY "Yaml"

/* The value of a line Yaml=..., NULL for any other line. */
static char *value_of(const char *line)
{
    const char *equals = strchr(line, '=');
    if (!equals)
        return NULL;
    g_autofree char *key = g_strstrip(g_strndup(line, (gsize)(equals - line)));
    if (strcmp(key, KEY) != 0)
        return NULL;
    char *value = g_strstrip(g_strdup(equals + 1));
    size_t length = strlen(value);
    if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
        value[length - 1] = '\0';
        memmove(value, value + 1, length - 1);
    }
    return value;
}

int quadlet_parse(const char *directory, const struct runtime_text *text, GPtrArray *paths,
                  char **problemp)
{
    g_auto(GStrv) lines = g_strsplit_set(text->text, "\r\n", -1);
    bool inside = false;

    for (char **line = lines; *line; line++) {
        g_strstrip(*line);
        if (**line == '[')
            inside = strcmp(*line, SECTION) == 0;
        g_autofree char *value = inside ? value_of(*line) : NULL;
        if (!value)
            continue;
        if (*value == '\0') /* as in systemd: resets earlier values */
            g_ptr_array_set_size(paths, 0);
        else if (strchr(value, '%')) {
            g_free(*problemp);
            *problemp = g_strdup_printf(
                "Yaml=%s contains specifiers, which are not supported; skipping it", value);
        } else {
            g_ptr_array_add(paths, g_canonicalize_filename(value, directory));
        }
    }
    return PARSE_DONE;
}
