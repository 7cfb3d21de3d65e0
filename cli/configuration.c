/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The states of a configuration: in force as the files have it; files that were changed since;
 * files that a reload rejected, or would.
 */
#include "configuration.h"

#include <stdio.h>

#include "text.h"
#include "value.h"

char *configuration_files(yajl_val config)
{
    size_t n = value_length(config, "files");

    if (n == 0)
        return g_strdup("defaults and command line, no file");
    if (n == 1)
        return g_strdup(value_element_text(config, "files", 0));
    return g_strdup_printf("%s and %zu more", value_element_text(config, "files", 0), n - 1);
}

/* The list of reasons why the files are rejected, if they are. */
static yajl_val errors_of(yajl_val config, const char **keyp)
{
    yajl_val rejected = value_get(config, "rejected");

    *keyp = value_length(config, "problems") > 0 ? "problems" : "errors";
    return value_length(config, "problems") > 0 ? config : rejected;
}

char *configuration_wrong(yajl_val config, bool *rejectedp)
{
    const char *key;
    yajl_val rejected = value_get(config, "rejected"), errors = errors_of(config, &key);
    bool wrong = value_length(config, "problems") > 0;
    const char *since = value_text_or(rejected, "since", "the last reload");

    if (rejectedp)
        *rejectedp = wrong || rejected;
    if (rejected && !wrong)
        return g_strdup_printf("rejected since %s, keeping the previous one; the files have been "
                               "fixed since, but not reloaded",
                               since);
    if (rejected)
        return g_strdup_printf("rejected since %s, keeping the previous one: %s", since,
                               value_element_text(errors, key, 0));
    if (wrong)
        return g_strdup_printf("the files have changed and would be rejected: %s",
                               value_element_text(errors, key, 0));
    return value_bool(config, "changed")
               ? g_strdup("the files have changed but have not been reloaded")
               : NULL;
}

static void print_comment(const char *text, enum text_style style)
{
    g_autofree char *clean = text_clean(text), *comment = g_strdup_printf("# %s", clean);
    g_autofree char *styled = text_styled(comment, style);

    puts(styled);
}

void configuration_print(yajl_val config)
{
    bool rejected;
    g_autofree char *wrong = configuration_wrong(config, &rejected);
    const char *key;
    yajl_val errors = errors_of(config, &key);

    for (size_t i = 0; i < value_length(config, "files"); i++)
        print_comment(value_element_text(config, "files", i), STYLE_FAINT);
    if (wrong)
        print_comment(wrong, rejected ? STYLE_BAD : STYLE_WARN);
    for (size_t i = 1; rejected && i < value_length(errors, key); i++)
        print_comment(value_element_text(errors, key, i), STYLE_BAD);
}
