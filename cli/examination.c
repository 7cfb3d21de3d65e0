/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The findings of an examination, one paragraph each: the verdict, the point, what was seen, and on
 * a line of its own what to do.
 */
#include "examination.h"

#include <stdio.h>

#include "json_text.h"
#include "text.h"

struct result {
    enum verdict verdict;
    const char *point;
    char *text, *remedy;
};

static const char *const verdicts[] = {"ok", "warn", "bad"};

static void result_free(gpointer data)
{
    struct result *result = data;
    g_free(result->text);
    g_free(result->remedy);
    g_free(result);
}

void examination_init(struct examination *examination, const struct arguments *arguments)
{
    examination->arguments = arguments;
    examination->results = g_ptr_array_new_with_free_func(result_free);
}

void examination_clear(struct examination *examination)
{
    g_clear_pointer(&examination->results, g_ptr_array_unref);
}

void examination_add(struct examination *examination, enum verdict verdict, const char *point,
                     char *text, char *remedy)
{
    struct result *result = g_new0(struct result, 1);
    *result = (struct result){verdict, point, text, remedy};
    g_ptr_array_add(examination->results, result);
}

char *examination_path(const struct examination *examination, const char *path)
{
    return g_strconcat(examination->arguments->root, path, NULL);
}

unsigned examination_count(const struct examination *examination, enum verdict verdict)
{
    unsigned n = 0;
    for (guint i = 0; i < examination->results->len; i++)
        n += ((const struct result *)examination->results->pdata[i])->verdict == verdict;
    return n;
}

void examination_print(const struct examination *examination)
{
    static const enum text_style styles[] = {STYLE_GOOD, STYLE_WARN, STYLE_BAD};
    for (guint i = 0; i < examination->results->len; i++) {
        const struct result *result = examination->results->pdata[i];
        g_autofree char *padded = g_strdup_printf("%-5s", verdicts[result->verdict]);
        g_autofree char *verdict = text_styled(padded, styles[result->verdict]);
        g_autofree char *text = text_clean(result->text);
        printf("%s %-11s %s\n", verdict, result->point, text);
        if (result->remedy) {
            g_autofree char *remedy = text_clean(result->remedy);
            printf("%18s-> %s\n", "", remedy);
        }
    }
}

void examination_print_json(const struct examination *examination)
{
    g_autoptr(GString) out = g_string_new("{\n  \"checks\": [");
    for (guint i = 0; i < examination->results->len; i++) {
        const struct result *result = examination->results->pdata[i];
        g_string_append_printf(out, "%s\n    {\"check\": \"%s\", \"verdict\": \"%s\", \"text\": ",
                               i > 0 ? "," : "", result->point, verdicts[result->verdict]);
        json_text_append_string(out, result->text);
        if (result->remedy) {
            g_string_append(out, ", \"remedy\": ");
            json_text_append_string(out, result->remedy);
        }
        g_string_append_c(out, '}');
    }
    printf("%s\n  ],\n  \"bad\": %u,\n  \"warnings\": %u\n}\n", out->str,
           examination_count(examination, VERDICT_BAD),
           examination_count(examination, VERDICT_WARN));
}
