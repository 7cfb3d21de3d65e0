/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Patterns and paths are compared component by component.
 */
#include "ignore.h"

#include <fnmatch.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

/* Components without empty ones and "."; free with g_strfreev. */
static char **split(const char *path)
{
    g_auto(GStrv) all = g_strsplit(path, "/", -1);
    g_autoptr(GPtrArray) parts = g_ptr_array_new();
    for (char **part = all; *part; part++)
        if (**part && strcmp(*part, ".") != 0)
            g_ptr_array_add(parts, g_strdup(*part));
    g_ptr_array_add(parts, NULL);
    return (char **)g_ptr_array_steal(parts, NULL);
}

/* Does the pattern match the path or a directory that it lies in? */
static bool match(char *const *pattern, char *const *path)
{
    for (; *pattern; pattern++, path++) {
        if (strcmp(*pattern, "**") == 0) {
            while (pattern[1] && strcmp(pattern[1], "**") == 0)
                pattern++;
            if (!pattern[1])
                return *path;
            for (; *path; path++)
                if (match(pattern + 1, path))
                    return true;
            return false;
        }
        if (!*path || fnmatch(*pattern, *path, FNM_PERIOD) != 0)
            return false;
    }
    return true;
}

static bool match_name(const char *pattern, char *const *path)
{
    for (; *path; path++)
        if (fnmatch(pattern, *path, FNM_PERIOD) == 0)
            return true;
    return false;
}

static bool match_absolute(char *const *pattern, const char *path)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    g_auto(GStrv) parts = split(absolute);
    return match(pattern, parts);
}

bool ignore_matches(const char *pattern, const char *top, const char *path)
{
    g_auto(GStrv) wanted = split(pattern), whole = split(path), above = split(top);
    unsigned depth = g_strv_length(above), length = g_strv_length(whole);
    if (!*wanted)
        return false;
    if (*pattern == '/')
        return match_absolute(wanted, path);
    char **below = depth < length ? whole + depth : whole + length;
    if (!wanted[1] && !g_str_has_prefix(pattern, "./")) /* "charts", "charts/", "*.tmp.yaml" */
        return match_name(*wanted, *below ? below : whole);
    return match(wanted, whole) || match(wanted, below);
}

bool ignore_is_pattern(const char *text)
{
    return strpbrk(text, "/*?[.") || access(text, F_OK) == 0;
}
