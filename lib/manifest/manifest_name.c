/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of manifests. Only the name decides, never the content: other files in a directory must
 * cost nothing, and an editor's swap file must not become a Service.
 */
#include "manifest_name.h"

#include <glib.h>
#include <string.h>

static bool is_leftover(const char *name)
{
    static const char *const endings[] = {"~", ".swp", ".bak", ".backup", ".tmp", ".rpmsave"};

    if (name[0] == '#' && g_str_has_suffix(name + 1, "#"))
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        if (g_str_has_suffix(name, endings[i]))
            return true;
    }
    const char *dot = strrchr(name, '.');
    return dot && g_str_has_prefix(dot, ".dpkg-");
}

enum manifest_name_kind manifest_name_kind(const char *name)
{
    if (name[0] == '.' || name[0] == '\0')
        return MANIFEST_NAME_HIDDEN;
    if (is_leftover(name))
        return MANIFEST_NAME_LEFTOVER;
    if (g_str_has_suffix(name, ".yaml") || g_str_has_suffix(name, ".yml") ||
        g_str_has_suffix(name, ".json"))
        return MANIFEST_NAME_READ;
    return MANIFEST_NAME_OTHER;
}

bool manifest_name_is_read(const char *name)
{
    return manifest_name_kind(name) == MANIFEST_NAME_READ;
}

bool manifest_name_is_entered(const char *name)
{
    enum manifest_name_kind kind = manifest_name_kind(name);

    return kind != MANIFEST_NAME_HIDDEN && kind != MANIFEST_NAME_LEFTOVER;
}
