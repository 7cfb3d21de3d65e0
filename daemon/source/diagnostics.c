/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compares current with previous diagnostics: only the difference is logged.
 */
#include "diagnostics.h"

#include "lib/util/log.h"

static void log_one(const struct diagnostic *diagnostic, const char *path)
{
    g_autofree char *text = diagnostic_format(diagnostic, path);

    if (diagnostic->severity == DIAGNOSTIC_ERROR)
        log_error("%s", text);
    else
        log_warning("%s", text);
}

void diagnostics_replace(GPtrArray **currentp, GPtrArray *now, const char *path)
{
    g_autoptr(GPtrArray) before = *currentp;

    if (now && now->len == 0)
        g_clear_pointer(&now, g_ptr_array_unref);
    *currentp = now;
    if (!now) {
        if (before)
            log_notice("%s: fixed", path);
        return;
    }
    for (unsigned i = 0; i < now->len; i++) {
        if (!before || !g_ptr_array_find_with_equal_func(before, now->pdata[i],
                                                         (GEqualFunc)diagnostic_equal, NULL))
            log_one(now->pdata[i], path);
    }
}

void diagnostics_replace_one(GPtrArray **currentp, const char *path,
                             enum diagnostic_severity severity, const char *rule,
                             const char *message)
{
    GPtrArray *array = g_ptr_array_new_with_free_func((GDestroyNotify)diagnostic_free);

    g_ptr_array_add(array, diagnostic_new(severity, 0, 0, rule, NULL, "%s", message));
    diagnostics_replace(currentp, array, path);
}
