/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One line about a copy: which cluster, whether it is kept fresh, and if not, how old it is and
 * why.
 */
#include "copy_text.h"

#include <glib.h>

#include "text.h"

static char *age_text(int64_t seconds)
{
    if (seconds < 120)
        return g_strdup_printf("%u s", (unsigned)seconds);
    if (seconds < 7200)
        return g_strdup_printf("%u min", (unsigned)(seconds / 60));
    if (seconds < 172800)
        return g_strdup_printf("%u h", (unsigned)(seconds / 3600));
    return g_strdup_printf("%" G_GINT64_FORMAT " days", seconds / 86400);
}

char *copy_text(yajl_val cluster)
{
    const char *contact = value_text(cluster, "contact"), *problem = value_text(cluster, "problem");
    g_autofree char *services = text_plural(value_number(cluster, "services"), "Service");
    g_autofree char *age = age_text(value_number(cluster, "ageSeconds"));
    g_autoptr(GString) text = g_string_new(value_text_or(cluster, "cluster", "?"));

    if (value_bool(cluster, "fresh")) {
        g_string_append_printf(text, ": in sync (%s)", services);
        return g_string_free(g_steal_pointer(&text), FALSE);
    }
    if (!value_bool(cluster, "running"))
        g_string_append(text, ": kubesvc-cluster is not running");
    else if (value_is(cluster, "state", "denied"))
        g_string_append(text, ": access denied");
    else if (value_is(cluster, "state", "expired"))
        g_string_append(text, ": older than maxAge and taken away");
    else if (value_is(cluster, "state", "starting"))
        g_string_append(text, ": starting");
    else
        g_string_append(text, ": no contact");
    if (contact)
        g_string_append_printf(text, "; as of %s, %s old", contact, age);
    if (problem)
        g_string_append_printf(text, ": %s", problem);
    return g_string_free(g_steal_pointer(&text), FALSE);
}
