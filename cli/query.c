/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc query: what a program gets, and why, from the daemon; libc and DNS are asked only for
 * comparison.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "commands.h"
#include "dns_answer.h"
#include "json_text.h"
#include "libc_answer.h"
#include "probe.h"
#include "table.h"
#include "text.h"
#include "value.h"

#define ANSWER_MAX 5u /* addresses in a cell of the table */

/* What is asked besides the daemon, and as which pod. */
struct ways {
    bool libc, dns;
    union endpoint server; /* of DNS */
    GStrv search;
};

struct cli_question {
    const char *name;
    const char *ns; /* "": the daemon's */
    struct probe time;
    yajl_val answer;
    struct other_answer *libc, *dns; /* NULL: not asked */
    char *complaint;                 /* about nsswitch.conf, NULL: none */
    bool found;
};

static void print_field(const char *label, const char *value)
{
    text_line(2, "%-10s %s", label, value ? value : "<none>");
}

static void print_list(const char *label, yajl_val answer, const char *key)
{
    for (size_t i = 0; i < value_length(answer, key); i++)
        print_field(i == 0 ? label : "", value_element_text(answer, key, i));
}

static bool is_loopback(yajl_val answer)
{
    for (size_t i = 0; i < value_length(answer, "inet"); i++) {
        const char *address = value_element_text(answer, "inet", i);
        if (address && g_str_has_prefix(address, "127."))
            return true;
    }
    return false;
}

static char *cell(const GPtrArray *addresses, const char *otherwise)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < MIN(addresses->len, ANSWER_MAX); i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", (char *)addresses->pdata[i]);
    if (addresses->len > ANSWER_MAX)
        g_string_append_printf(text, " and %u more", addresses->len - ANSWER_MAX);
    return g_strdup(addresses->len > 0 ? text->str : otherwise);
}

static void add_way(struct table *table, const struct other_answer *other)
{
    table_row(table, g_strdup(other->way),
              cell(other->addresses, other->error ? other->error : other->canonical),
              g_strdup(other->difference ? other->difference : "the same"));
}

static void print_ways(const struct cli_question *question)
{
    struct table *table = table_new("WAY|ANSWER|COMPARED");
    yajl_val answer = question->answer;
    g_autoptr(GPtrArray) addresses = value_addresses(answer);
    table_row(table, g_strdup("daemon"),
              cell(addresses, value_text(answer, question->found ? "canonical" : "status")),
              g_strdup("-"));
    add_way(table, question->libc);
    add_way(table, question->dns);
    table_print(table, true);
}

static void print_libc(const struct cli_question *question)
{
    const struct other_answer *libc = question->libc;
    if (!libc)
        return;
    if (!question->dns)
        print_field("libc", libc->difference ? libc->difference : "the same");
    if (question->complaint)
        print_field("", question->complaint);
    if (question->complaint || (libc->difference && libc->error))
        print_field("", "'kubesvc doctor' says what to do");
}

static void print_time(const struct probe *time)
{
    if (time->later < 0)
        return;
    printf("  %-10s %.3f ms, from the %s\n", "time", time->later,
           time->by_map ? "mapped snapshot" : "daemon's socket");
    if (time->by_map)
        printf("  %-10s %.3f ms, from the daemon's socket (a process's first lookup)\n", "",
               time->first);
}

static void print_text(const struct cli_question *question)
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
    print_time(&question->time);
    print_libc(question);
    if (is_loopback(answer))
        print_field("note",
                    "an address in 127.0.0.0/8 is reachable only in this network namespace");
    if (question->dns)
        print_ways(question);
}

static void write_other(struct json *json, const char *key, const struct other_answer *other,
                        const char *complaint)
{
    if (!other)
        return;
    json_open(json, key);
    json_text(json, "error", other->error);
    json_text(json, "canonical", other->canonical);
    json_text(json, "difference", other->difference);
    json_text(json, "complaint", complaint);
    json_open_list(json, "addresses");
    for (guint i = 0; i < other->addresses->len; i++)
        json_text(json, NULL, other->addresses->pdata[i]);
    json_close_list(json);
    json_bool(json, "same", !other->difference);
    json_close(json);
}

static void write_milliseconds(struct json *json, const char *key, double milliseconds)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    json_raw(json, key, g_ascii_formatd(text, sizeof text, "%.3f", milliseconds));
}

/* The daemon's members, behind ours. */
static void write_json(struct json *json, const struct cli_question *question)
{
    json_open(json, NULL);
    json_text(json, "kind", "Answer");
    json_text(json, "question", question->name);
    json_text(json, "namespace", *question->ns ? question->ns : NULL);
    if (question->time.later >= 0) {
        write_milliseconds(json, "milliseconds", question->time.later);
        write_milliseconds(json, "firstMilliseconds", question->time.first);
        json_text(json, "answeredBy", question->time.by_map ? "map" : "socket");
    }
    write_other(json, "libc", question->libc, question->complaint);
    write_other(json, "dns", question->dns, NULL);
    json_members(json, question->answer);
    json_close(json);
}

static bool has_status(const struct cli_question *question, const char *status)
{
    return value_is(question->answer, "status", status);
}

/* False after reporting that there is no answer. */
static bool answer(struct cli_question *question, const struct arguments *arguments,
                   const struct ways *ways)
{
    question->time = probe_measure(question->name, arguments->family);
    const char *words[] = {"query", question->ns, question->name, arguments->family, NULL};
    if (ask_one(arguments, words, &question->answer) != STATUS_DONE)
        return false;
    question->found = has_status(question, "FOUND");
    if (ways->libc) {
        question->libc = libc_answer_new(question->name, arguments->family, NULL);
        other_answer_compare(question->libc, question->answer);
        question->complaint = libc_answer_complaint();
    }
    if (ways->dns) {
        question->dns = dns_answer_new(&ways->server, question->name,
                                       (const char *const *)ways->search, arguments->family);
        other_answer_compare(question->dns, question->answer);
    }
    return true;
}

static void question_clear(void *pointer)
{
    struct cli_question *question = pointer;
    value_release(&question->answer);
    other_answer_free(question->libc);
    other_answer_free(question->dns);
    g_free(question->complaint);
}

static void complain(const struct cli_question *question)
{
    const char *text = has_status(question, "NO_DATA")     ? "%s has no address of this family"
                       : has_status(question, "TRY_AGAIN") ? "%s cannot be answered at the moment"
                                                           : "%s not found";
    g_autofree char *remedy =
        g_strdup_printf("'kubesvc explain%s%s %s' says why", *question->ns ? " -n " : "",
                        question->ns, question->name);
    fflush(stdout); /* the answer before the sentence about it */
    text_error(false, remedy, text, question->name);
}

static void print_texts(const GArray *questions)
{
    for (guint i = 0; i < questions->len; i++) {
        const struct cli_question *question = &g_array_index(questions, struct cli_question, i);
        print_text(question);
        if (!question->found)
            complain(question);
    }
}

static void print_jsons(const GArray *questions)
{
    struct json *json = json_text_new(stdout, true);
    bool list = questions->len > 1;
    if (list)
        json_open_items(json);
    for (guint i = 0; i < questions->len; i++)
        write_json(json, &g_array_index(questions, struct cli_question, i));
    if (list)
        json_close_items(json);
    json_free(json);
}

/* The worst of them: a failure, then a miss. */
static int status_of(const GArray *questions)
{
    bool miss = false;
    for (guint i = 0; i < questions->len; i++) {
        const struct cli_question *question = &g_array_index(questions, struct cli_question, i);
        if (has_status(question, "TRY_AGAIN"))
            return STATUS_FAILED;
        miss |= !question->found;
    }
    return miss ? STATUS_NOT_FOUND : STATUS_DONE;
}

static int query(GArray *questions, const char *ns, const struct arguments *arguments,
                 const struct ways *ways)
{
    for (int i = 0; i < arguments->n; i++) {
        struct cli_question question = {.name = arguments->operands[i], .ns = ns};
        bool answered = answer(&question, arguments, ways);
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

/* The search list of a pod in the namespace, so that short names mean the same everywhere; without
 * one they are looked up as they are. */
static bool find_search(struct ways *ways, const struct arguments *arguments)
{
    g_autofree char *ns = ask_namespace(arguments);
    value_auto yajl_val status = NULL;
    if (!ns || ask_one(arguments, (const char *[]){"status", NULL}, &status) != STATUS_DONE)
        return false;
    char *at = strchr(ns, '@');
    const char *zone = at ? at + 1 : value_text(status, "zone");
    if (at)
        *at = '\0';
    g_autofree char *list = g_strdup_printf("%s.svc.%s svc.%s %s", ns, zone, zone, zone);
    ways->search = g_strsplit(*ns && zone ? list : "", " ", -1);
    return true;
}

static bool find_ways(struct ways *ways, const struct arguments *arguments)
{
    ways->dns = arguments->dns != NULL;
    ways->libc = arguments->nss || ways->dns;
    if (!ways->dns)
        return true;
    if (!*arguments->dns)
        dns_answer_server(arguments, &ways->server);
    if (!*arguments->dns || endpoint_parse(&ways->server, arguments->dns, ENDPOINT_DNS))
        return find_search(ways, arguments);
    text_error(arguments->json, "it is an address, or an address and a port",
               "'%s' is not a nameserver", arguments->dns);
    return false;
}

static int run(struct arguments *arguments)
{
    for (int i = 0; i < arguments->n; i++)
        if (!ask_can_be(arguments->operands[i], arguments->json))
            return STATUS_FAILED;
    const char *from_environment = getenv("KUBESVC_NAMESPACE");
    g_autofree char *ns = g_strdup(arguments->ns      ? arguments->ns
                                   : from_environment ? from_environment
                                                      : "");
    /* For the module's code, here and in libc. */
    setenv("KUBESVC_SOCKET", arguments->socket, true);
    setenv("KUBESVC_NAMESPACE", ns, true);
    g_autoptr(GArray) questions = g_array_new(FALSE, TRUE, sizeof(struct cli_question));
    g_array_set_clear_func(questions, question_clear);
    struct ways ways = {0};
    int status =
        find_ways(&ways, arguments) ? query(questions, ns, arguments, &ways) : STATUS_FAILED;
    g_strfreev(ways.search);
    return status;
}

const struct command command_query = {
    .name = "query",
    .summary = "look up a name or an address as programs do",
    .operands = "NAME|ADDRESS...",
    .description =
        "Shows what a program gets when it looks up a name or an address: addresses, canonical\n"
        "name, aliases, where the answer comes from, and how long it takes from the snapshot that\n"
        "a process maps and over the daemon's socket. --nss also asks libc and reports "
        "differences;\n"
        "--dns also asks a nameserver, and compares all three ways.\n"
        "Exit status: 2 if any of them is not found.\n",
    .examples = "  kubesvc query web\n"
                "  kubesvc query -n moon -4 web db-0.db\n"
                "  kubesvc query 127.244.0.1\n"
                "  kubesvc query --nss web.moon.svc.cluster.local\n"
                "  kubesvc query --dns web.moon\n",
    .takes = TAKES_SOCKET | TAKES_NAMESPACE | TAKES_JSON | TAKES_QUERY,
    .least = 1,
    .most = -1,
    .run = run,
};
