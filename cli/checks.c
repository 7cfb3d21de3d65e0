/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The findings of an examination, one paragraph each: the verdict, the point, what was seen, and on
 * a line of its own what to do.
 */
#include "checks.h"

#include <stdio.h>

#include "json_text.h"
#include "text.h"

struct result {
    enum check_verdict verdict;
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

void checks_init(struct checks *checks, const struct arguments *arguments)
{
    checks->arguments = arguments;
    checks->results = g_ptr_array_new_with_free_func(result_free);
}

void checks_clear(struct checks *checks)
{
    g_clear_pointer(&checks->results, g_ptr_array_unref);
}

void checks_add(struct checks *checks, enum check_verdict verdict, const char *point, char *text,
                char *remedy)
{
    struct result *result = g_new0(struct result, 1);
    *result = (struct result){verdict, point, text, remedy};
    g_ptr_array_add(checks->results, result);
}

char *checks_path(const struct checks *checks, const char *path)
{
    return g_strconcat(checks->arguments->root, path, NULL);
}

unsigned checks_count(const struct checks *checks, enum check_verdict verdict)
{
    unsigned n = 0;
    for (guint i = 0; i < checks->results->len; i++)
        n += ((const struct result *)checks->results->pdata[i])->verdict == verdict;
    return n;
}

void checks_print(const struct checks *checks)
{
    static const enum text_style styles[] = {STYLE_GOOD, STYLE_WARN, STYLE_BAD};
    for (guint i = 0; i < checks->results->len; i++) {
        const struct result *result = checks->results->pdata[i];
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

void checks_print_json(const struct checks *checks)
{
    struct json *json = json_text_new(stdout, true);
    json_open(json, NULL);
    json_open_list(json, "checks");
    for (guint i = 0; i < checks->results->len; i++) {
        const struct result *result = checks->results->pdata[i];
        json_open(json, NULL);
        json_text(json, "check", result->point);
        json_text(json, "verdict", verdicts[result->verdict]);
        json_text(json, "text", result->text);
        json_text(json, "remedy", result->remedy);
        json_close(json);
    }
    json_close_list(json);
    json_number(json, "bad", checks_count(checks, VERDICT_BAD));
    json_number(json, "warnings", checks_count(checks, VERDICT_WARN));
    json_close(json);
    json_free(json);
}
