/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc query: what a program gets. The daemon says it and why; libc is asked only for
 * comparison.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "ask.h"
#include "commands.h"
#include "json_text.h"
#include "libc_answer.h"
#include "lookup_time.h"
#include "text.h"
#include "value.h"

static const struct synopsis synopsis = {
    .name = "query",
    .operands = "NAME|ADDRESS...",
    .description =
        "Shows what a program gets when it looks up a name or an address: addresses, canonical\n"
        "name, aliases, where the answer comes from and how long it takes. --nss also asks libc\n"
        "and reports differences. Exit status 2: one of them is not found.\n",
    .examples = "  kubesvc query web\n"
                "  kubesvc query -n moon -4 web db-0.db\n"
                "  kubesvc query 127.244.0.1\n"
                "  kubesvc query --nss web.moon.svc.cluster.local\n",
    .takes = TAKES_SOCKET | TAKES_NAMESPACE | TAKES_FAMILY | TAKES_NSS | TAKES_JSON,
    .least = 1,
    .most = -1,
};

struct question {
    const char *name;
    const char *namespace; /* "": the daemon's */
    double milliseconds;   /* -1: not known */
    yajl_val answer;
    struct libc_answer *libc; /* NULL: not asked */
    char *difference;         /* NULL: none */
    char *complaint;          /* about nsswitch.conf, NULL: none */
    bool found;
};

static void print_field(const char *label, const char *value)
{
    g_autofree char *clean = text_clean(value);
    printf("  %-10s %s\n", label, clean);
}

static void print_list(const char *label, yajl_val answer, const char *key)
{
    yajl_val list = value_get(answer, key);
    for (size_t i = 0; i < value_length(answer, key); i++)
        if (YAJL_IS_STRING(list->u.array.values[i]))
            print_field(i == 0 ? label : "", YAJL_GET_STRING(list->u.array.values[i]));
}

static bool is_loopback(yajl_val answer)
{
    yajl_val list = value_get(answer, "inet");
    for (size_t i = 0; i < value_length(answer, "inet"); i++)
        if (YAJL_IS_STRING(list->u.array.values[i]) &&
            g_str_has_prefix(YAJL_GET_STRING(list->u.array.values[i]), "127."))
            return true;
    return false;
}

static void print_libc(const struct question *question)
{
    if (!question->libc)
        return;
    print_field("libc", question->difference ? question->difference : "the same");
    if (question->complaint)
        print_field("", question->complaint);
    if (question->complaint || (question->difference && question->libc->error))
        print_field("", "'kubesvc doctor' says what to do");
}

static void print_text(const struct question *question)
{
    yajl_val answer = question->answer;
    g_autofree char *clean = text_clean(question->name), *head = text_styled(clean, STYLE_BOLD);
    g_autofree char *position = value_position(answer, "position");
    const char *status = value_text(answer, "status");
    puts(head);
    if (!question->found)
        print_field("status", status);
    bool both = value_length(answer, "inet") > 0;
    print_list("address", answer, "inet");
    print_list(both ? "" : "address", answer, "inet6");
    if (value_text(answer, "canonical"))
        print_field("name", value_text(answer, "canonical"));
    print_list("alias", answer, "aliases");
    if (value_text(answer, "origin"))
        print_field(question->found ? "from" : "because", value_text(answer, "origin"));
    if (position)
        print_field(value_text(answer, "origin") ? "" : "from", position);
    if (question->milliseconds >= 0)
        printf("  %-10s %.2f ms\n", "time", question->milliseconds);
    print_libc(question);
    if (is_loopback(answer))
        print_field("note",
                    "an address in 127.0.0.0/8 is reachable only in this network namespace");
}

static void append_string(GString *out, const char *key, const char *text)
{
    if (!text)
        return;
    json_text_append_string(out, key);
    g_string_append_c(out, ':');
    json_text_append_string(out, text);
    g_string_append_c(out, ',');
}

static void append_libc(GString *out, const struct question *question)
{
    const struct libc_answer *libc = question->libc;
    g_string_append(out, "\"libc\":{");
    append_string(out, "error", libc->error);
    append_string(out, "canonical", libc->canonical);
    append_string(out, "difference", question->difference);
    append_string(out, "complaint", question->complaint);
    g_string_append(out, "\"addresses\":[");
    for (guint i = 0; i < libc->addresses->len; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        json_text_append_string(out, libc->addresses->pdata[i]);
    }
    g_string_append_printf(out, "],\"same\":%s},", question->difference ? "false" : "true");
}

/* The daemon's members, behind ours. */
static void print_json(const struct question *question, bool list, bool last)
{
    g_autoptr(GString) text = g_string_new("{\"kind\":\"Answer\","), answer = g_string_new(NULL);
    append_string(text, "question", question->name);
    append_string(text, "namespace", *question->namespace ? question->namespace : NULL);
    if (question->milliseconds >= 0)
        g_string_append_printf(text, "\"milliseconds\":%.3f,", question->milliseconds);
    if (question->libc)
        append_libc(text, question);
    json_text_append_line(answer, question->answer);
    g_string_append(text, answer->str + 1);
    yajl_val whole = yajl_tree_parse(text->str, NULL, 0);
    g_string_truncate(text, 0);
    json_text_append(text, whole, list ? 2 : 0);
    printf("%s%s%s\n", list ? "        " : "", text->str, list && !last ? "," : "");
    ask_release(&whole);
}

static void compare_with_libc(struct question *question, const char *family)
{
    question->libc = libc_answer_new(question->name, family);
    question->difference = libc_answer_compare(question->libc, question->answer);
    question->complaint = libc_answer_complaint();
}

static bool has_status(const struct question *question, const char *status)
{
    return g_strcmp0(value_text(question->answer, "status"), status) == 0;
}

/* False when it has been said that there is no answer. */
static bool answer(struct question *question, const struct arguments *arguments)
{
    question->milliseconds = lookup_time(question->name, arguments->family);
    const char *words[] = {"query", question->namespace, question->name, arguments->family, NULL};
    if (ask_one(arguments, words, &question->answer) != STATUS_DONE)
        return false;
    question->found = has_status(question, "FOUND");
    if (arguments->nss)
        compare_with_libc(question, arguments->family);
    return true;
}

static void question_clear(void *pointer)
{
    struct question *question = pointer;
    ask_release(&question->answer);
    libc_answer_free(question->libc);
    g_free(question->difference);
    g_free(question->complaint);
}

static void complain(const struct question *question)
{
    const char *text = has_status(question, "NO_DATA")     ? "%s has no address of this family"
                       : has_status(question, "TRY_AGAIN") ? "%s cannot be answered at the moment"
                                                           : "%s not found";
    g_autofree char *remedy =
        g_strdup_printf("'kubesvc explain%s%s %s' says why", *question->namespace ? " -n " : "",
                        question->namespace, question->name);
    fflush(stdout); /* the answer before the sentence about it */
    text_error(false, remedy, text, question->name);
}

static void print_texts(const GArray *questions)
{
    for (guint i = 0; i < questions->len; i++) {
        const struct question *question = &g_array_index(questions, struct question, i);
        print_text(question);
        if (!question->found)
            complain(question);
    }
}

static void print_jsons(const GArray *questions)
{
    bool list = questions->len > 1;
    if (list)
        puts("{\n    \"items\": [");
    for (guint i = 0; i < questions->len; i++)
        print_json(&g_array_index(questions, struct question, i), list, i + 1 == questions->len);
    if (list)
        puts("    ],\n    \"kind\": \"List\"\n}");
}

/* The worst of them: a failure, then a miss. */
static int status_of(const GArray *questions)
{
    bool miss = false;
    for (guint i = 0; i < questions->len; i++) {
        const struct question *question = &g_array_index(questions, struct question, i);
        if (has_status(question, "TRY_AGAIN"))
            return STATUS_FAILED;
        miss |= !question->found;
    }
    return miss ? STATUS_NOT_FOUND : STATUS_DONE;
}

static int query(GArray *questions, const char *namespace, const struct arguments *arguments)
{
    for (int i = 0; i < arguments->n; i++) {
        struct question question = {.name = arguments->operands[i], .namespace = namespace};
        bool answered = answer(&question, arguments);
        g_array_append_val(questions, question);
        if (!answered)
            return STATUS_FAILED;
    }
    if (arguments->json)
        print_jsons(questions);
    else
        print_texts(questions);
    return status_of(questions);
}

int command_query(int argc, char **argv)
{
    struct arguments arguments;
    int status = arguments_parse(&arguments, &synopsis, argc, argv);
    if (status != ARGUMENTS_GO_ON)
        return status;
    for (int i = 0; i < arguments.n; i++)
        if (!ask_can_be(arguments.operands[i], arguments.json))
            return STATUS_FAILED;
    const char *from_environment = getenv("KUBESVC_NAMESPACE");
    g_autofree char *namespace = g_strdup(arguments.namespace ? arguments.namespace
                                          : from_environment  ? from_environment
                                                              : "");
    /* For the module's code, here and in libc. */
    setenv("KUBESVC_SOCKET", arguments.socket, true);
    setenv("KUBESVC_NAMESPACE", namespace, true);
    g_autoptr(GArray) questions = g_array_new(FALSE, TRUE, sizeof(struct question));
    g_array_set_clear_func(questions, question_clear);
    return query(questions, namespace, &arguments);
}
