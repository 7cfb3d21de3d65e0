/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Selectors are parsed strictly: one that were read otherwise than meant would show the wrong rows.
 */
#include "selector.h"

#include <glib.h>
#include <string.h>

#include "value.h"

enum relation { IN, NOT_IN, EXISTS, ABSENT };

struct selector_requirement {
    char *key;
    enum relation relation;
    GPtrArray *values; /* char * */
};

struct selector {
    GPtrArray *requirements;
};

static void requirement_free(void *pointer)
{
    struct selector_requirement *requirement = pointer;
    g_free(requirement->key);
    g_ptr_array_unref(requirement->values);
    g_free(requirement);
}

static void skip_blanks(const char **at)
{
    while (**at == ' ' || **at == '\t')
        ++*at;
}

static bool take(const char **at, const char *what)
{
    skip_blanks(at);
    if (!g_str_has_prefix(*at, what))
        return false;
    *at += strlen(what);
    return true;
}

static char *take_word(const char **at)
{
    skip_blanks(at);
    const char *start = *at;
    while (g_ascii_isalnum(**at) || (**at && strchr("-_./", **at)))
        ++*at;
    return g_strndup(start, (gsize)(*at - start));
}

/* "(b,c)"; a value may be empty. */
static bool take_values(const char **at, GPtrArray *values)
{
    if (!take(at, "("))
        return false;
    do
        g_ptr_array_add(values, take_word(at));
    while (take(at, ","));
    return take(at, ")");
}

static bool take_relation(const char **at, struct selector_requirement *requirement)
{
    bool differs = take(at, "!=");
    if (differs || take(at, "==") || take(at, "=")) {
        requirement->relation = differs ? NOT_IN : IN;
        g_ptr_array_add(requirement->values, take_word(at));
        return true;
    }
    const char *before = *at;
    g_autofree char *word = take_word(at);
    if (*word == '\0') {
        requirement->relation = EXISTS;
        return true;
    }
    requirement->relation = strcmp(word, "in") == 0 ? IN : NOT_IN;
    if (requirement->relation == IN || strcmp(word, "notin") == 0)
        return take_values(at, requirement->values);
    *at = before;
    return false;
}

static bool take_requirement(const char **at, GPtrArray *requirements)
{
    struct selector_requirement *requirement = g_new0(struct selector_requirement, 1);
    requirement->values = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(requirements, requirement);
    bool absent = take(at, "!");
    requirement->key = take_word(at);
    if (*requirement->key == '\0')
        return false;
    if (!absent)
        return take_relation(at, requirement);
    requirement->relation = ABSENT;
    return true;
}

struct selector *selector_parse(const char *text, const char **wrongp)
{
    struct selector *selector = g_new0(struct selector, 1);
    selector->requirements = g_ptr_array_new_with_free_func(requirement_free);
    const char *at = text;
    bool good;
    do
        good = take_requirement(&at, selector->requirements);
    while (good && take(&at, ","));
    skip_blanks(&at);
    if (good && *at == '\0')
        return selector;
    *wrongp = at;
    return selector_free(selector);
}

struct selector *selector_free(struct selector *selector)
{
    if (!selector)
        return NULL;
    g_ptr_array_unref(selector->requirements);
    g_free(selector);
    return NULL;
}

static bool is_one_of(const char *value, GPtrArray *values)
{
    return g_ptr_array_find_with_equal_func(values, value, g_str_equal, NULL);
}

static bool holds(const struct selector_requirement *requirement, const char *value)
{
    switch (requirement->relation) {
    case EXISTS: return value;
    case ABSENT: return !value;
    case IN: return value && is_one_of(value, requirement->values);
    default: return !value || !is_one_of(value, requirement->values);
    }
}

bool selector_matches(const struct selector *selector, yajl_val labels)
{
    for (guint i = 0; i < selector->requirements->len; i++) {
        const struct selector_requirement *requirement = selector->requirements->pdata[i];
        if (!holds(requirement, value_text(labels, requirement->key)))
            return false;
    }
    return true;
}
