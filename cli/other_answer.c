/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The comparison: of addresses without their order, and of names only where there is nothing else.
 */
#include "other_answer.h"

#include "value.h"

struct other_answer *other_answer_new(const char *way)
{
    struct other_answer *answer = g_new0(struct other_answer, 1);
    answer->way = way;
    answer->addresses = g_ptr_array_new_with_free_func(g_free);
    return answer;
}

struct other_answer *other_answer_free(struct other_answer *answer)
{
    if (!answer)
        return NULL;
    g_free(answer->error);
    g_free(answer->canonical);
    g_ptr_array_unref(answer->addresses);
    g_free(answer->difference);
    g_free(answer);
    return NULL;
}

void other_answer_add(struct other_answer *answer, const char *address)
{
    if (!g_ptr_array_find_with_equal_func(answer->addresses, address, g_str_equal, NULL))
        g_ptr_array_add(answer->addresses, g_strdup(address));
}

static void append_missing(GString *text, const GPtrArray *those, GPtrArray *in, const char *only)
{
    for (guint i = 0; i < those->len; i++)
        if (!g_ptr_array_find_with_equal_func(in, those->pdata[i], g_str_equal, NULL))
            g_string_append_printf(text, "%s%s only from %s", text->len > 0 ? ", " : "",
                                   (char *)those->pdata[i], only);
}

static char *difference_of(const struct other_answer *answer, yajl_val daemons)
{
    bool found = value_is(daemons, "status", "FOUND");
    if (answer->error && !found)
        return NULL;
    if (answer->error)
        return g_strdup_printf("not found by %s: %s", answer->way, answer->error);
    if (!found)
        return g_strdup_printf("found by %s, not answered by kubesvc", answer->way);
    g_autoptr(GPtrArray) daemons_addresses = value_addresses(daemons);
    g_autoptr(GString) text = g_string_new(NULL);
    append_missing(text, answer->addresses, daemons_addresses, answer->way);
    append_missing(text, daemons_addresses, answer->addresses, "kubesvc");
    if (text->len == 0 && answer->addresses->len == 0 &&
        g_strcmp0(answer->canonical, value_text(daemons, "canonical")) != 0)
        g_string_append_printf(text, "%s from %s", answer->canonical, answer->way);
    return text->len > 0 ? g_strdup(text->str) : NULL;
}

void other_answer_compare(struct other_answer *answer, yajl_val daemons)
{
    answer->difference = difference_of(answer, daemons);
}
