/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The findings of an examination, one paragraph each: the verdict, the point, what was seen, and on
 * a line of its own what to do.
 */
#include "checks.h"

#include <stdarg.h>
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

void checks_add(struct checks *checks, enum check_verdict verdict, const char *point,
                const char *remedy, const char *format, ...)
{
    struct result *result = g_new0(struct result, 1);
    va_list arguments;
    va_start(arguments, format);
    *result =
        (struct result){verdict, point, g_strdup_vprintf(format, arguments), g_strdup(remedy)};
    va_end(arguments);
    g_ptr_array_add(checks->results, result);
}

void checks_compare(struct checks *checks, const char *point, const char *name,
                    struct other_answer *answer, yajl_val daemons, const char *remedy)
{
    other_answer_compare(answer, daemons);
    if (answer->difference)
        checks_add(checks, VERDICT_BAD, point, remedy, "%s: %s", name, answer->difference);
    else
        checks_add(checks, VERDICT_OK, point, NULL, "%s has the addresses it should have", name);
    other_answer_free(answer);
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
        if (result->remedy)
            text_line(18, "-> %s", result->remedy);
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
