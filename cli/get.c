/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc get: kubectl's tables of what the daemon knows.
 */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "commands.h"
#include "json_path.h"
#include "json_text.h"
#include "listing.h"
#include "table.h"
#include "text.h"
#include "value.h"
#include "watch.h"

static const struct kind *find_kind(const char *word, bool json)
{
    g_autofree char *nearest = NULL, *complaint = NULL, *remedy = NULL;
    const struct kind *kind = kind_find(word, &nearest);
    if (kind)
        return kind;
    complaint = kind_complaint(word, nearest, &remedy);
    text_error(json, remedy, "%s", complaint);
    return NULL;
}

static struct listing *add_listing(GPtrArray *listings, const char *word, bool json)
{
    const struct kind *kind = find_kind(word, json);
    if (!kind)
        return NULL;
    struct listing *listing = listing_new(kind);
    g_ptr_array_add(listings, listing);
    return listing;
}

/* "svc,ep,all"; to be freed with g_strfreev. */
static char **split_kinds(const char *text)
{
    g_auto(GStrv) given = g_strsplit(text, ",", -1);
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    for (char **word = given; *word; word++)
        if (strcmp(*word, "all") == 0)
            g_strv_builder_add_many(words, "services", "pods", "workloads", NULL);
        else
            g_strv_builder_add(words, *word);
    return g_strv_builder_end(words);
}

/* "services web db", "svc,ep web", "all" */
static bool add_kinds(GPtrArray *listings, const struct arguments *arguments)
{
    g_auto(GStrv) words = split_kinds(arguments->operands[0]);
    for (char **word = words; *word; word++) {
        struct listing *listing = add_listing(listings, *word, arguments->json);
        if (!listing)
            return false;
        for (int i = 1; i < arguments->n; i++)
            g_ptr_array_add(listing->names, arguments->operands[i]);
    }
    return true;
}

/* "svc/web ep/web" */
static bool add_pairs(GPtrArray *listings, const struct arguments *arguments)
{
    for (int i = 0; i < arguments->n; i++) {
        char *slash = strchr(arguments->operands[i], '/');
        if (!slash) {
            text_error(arguments->json, "write KIND/NAME everywhere, or KIND NAME...",
                       "'%s' names no kind", arguments->operands[i]);
            return false;
        }
        g_autofree char *word =
            g_strndup(arguments->operands[i], (gsize)(slash - arguments->operands[i]));
        struct listing *listing = add_listing(listings, word, arguments->json);
        if (!listing)
            return false;
        g_ptr_array_add(listing->names, slash + 1);
    }
    return true;
}

/* As kubectl: a single object requested by name is shown by itself, everything else in a list. */
static bool is_single(const GPtrArray *listings)
{
    const struct listing *first = listings->pdata[0];
    return listings->len == 1 && first->names->len == 1 && strcmp(first->kind->verb, "names") != 0;
}

/* "NAME:.metadata.name,IP:.status.podIP": headings and paths alternating; NULL if malformed. */
static char **split_columns(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    g_autoptr(GPtrArray) columns = g_ptr_array_new_with_free_func(g_free);
    for (char **part = parts; *part; part++) {
        char *colon = strchr(*part, ':');
        g_autoptr(GPtrArray) found =
            colon && colon > *part ? json_path_find(NULL, colon + 1) : NULL;
        if (!found)
            return NULL;
        g_ptr_array_add(columns, g_strdelimit(g_strndup(*part, (gsize)(colon - *part)), "|", '?'));
        g_ptr_array_add(columns, g_strdup(colon + 1));
    }
    g_ptr_array_add(columns, NULL);
    return columns->len > 1 ? (char **)g_ptr_array_steal(columns, NULL) : NULL;
}

/* The columns requested by the options; false after an error message. */
static bool take_columns(struct listing *listing, const struct arguments *arguments)
{
    listing->show_labels = arguments->show_labels;
    if (arguments->label_columns)
        listing->label_columns = g_strsplit(arguments->label_columns, ",", -1);
    if (arguments->format == FORMAT_COLUMNS) {
        listing->columns = split_columns(arguments->template);
        if (!listing->columns)
            text_error(false, "for example NAME:.metadata.name,PORTS:.spec.ports[*].port",
                       "'%s' is not a list of columns", arguments->template);
        return listing->columns;
    }
    return true;
}

/* Can the template be filled in? */
static bool check_template(const struct arguments *arguments)
{
    const char *wrong = NULL;
    if (arguments->format == FORMAT_PATH)
        g_free(json_path_render(NULL, arguments->template, &wrong));
    if (wrong)
        text_error(false, "for example '{.items[*].metadata.name}'; for more use -o json and jq",
                   "invalid or unsupported template, at %s", wrong);
    if (arguments->watch && arguments->format >= FORMAT_PATH) {
        text_error(false, "remove one", "-w cannot be combined with this format");
        return false;
    }
    return !wrong;
}

static bool prepare(GPtrArray *listings, const struct arguments *arguments,
                    const struct selector *selector)
{
    bool pairs = strchr(arguments->operands[0], '/');
    if (!*arguments->operands[0]) {
        (void)find_kind("", arguments->json);
        return false;
    }
    if (pairs ? !add_pairs(listings, arguments) : !add_kinds(listings, arguments))
        return false;
    for (guint i = 0; i < listings->len; i++) {
        struct listing *listing = listings->pdata[i];
        if (selector && !listing->kind->labelled) {
            text_error(arguments->json, "-l applies to services, pods and workloads",
                       "%s have no labels", listing->kind->plural);
            return false;
        }
        listing->format = arguments->format;
        if (!take_columns(listing, arguments))
            return false;
        listing->with_namespace = arguments->all && listing->kind->namespaced;
        listing->with_kind = listings->len > 1 || strcmp(listing->kind->plural, "workloads") == 0;
        listing->on_one_line = arguments->watch;
        listing->indent = is_single(listings) ? 0 : 2;
        listing->selector = selector;
    }
    if (arguments->watch && listings->len > 1) {
        text_error(arguments->json, "choose one", "-w takes a single kind");
        return false;
    }
    return true;
}

static void print_indented(const char *text)
{
    const char *prefix = "- ";
    for (const char *end; *text; text = end + 1, prefix = "  ") {
        end = strchrnul(text, '\n');
        printf("%s%.*s\n", prefix, (int)(end - text), text);
        if (!*end)
            return;
    }
}

static void print_yaml_list(const GPtrArray *texts)
{
    puts(texts->len > 0 ? "items:" : "items: []");
    for (guint i = 0; i < texts->len; i++)
        print_indented(texts->pdata[i]);
    puts("kind: List");
}

/* The template sees what -o json would print. */
static void print_filled_in(const GPtrArray *texts, bool single, const char *template)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (!single)
        json_write_items(json_new(false, json_to_string, text), texts);
    else if (texts->len > 0)
        g_string_append(text, texts->pdata[0]);
    else
        return;
    value_auto yajl_val root = value_parse(text->str);
    const char *wrong;
    g_autofree char *filled = json_path_render(root, template, &wrong);
    fputs(filled, stdout);
}

static void print_table(const struct listing *listing, bool headings)
{
    g_autofree char *names = listing_headings(listing);
    struct table *table = table_new(names);
    for (guint i = 0; i < listing->rows->len; i++)
        table_row_array(table, ((struct row *)listing->rows->pdata[i])->cells);
    table_print(table, headings);
}

static void print_tables(const GPtrArray *listings, const struct arguments *arguments,
                         const char *ns)
{
    bool any = false, named = false;
    for (guint i = 0; i < listings->len; i++) {
        const struct listing *listing = listings->pdata[i];
        named |= listing->names->len > 0;
        if (listing->rows->len == 0)
            continue;
        if (any)
            putchar('\n');
        print_table(listing, !arguments->no_headings);
        any = true;
    }
    const struct listing *first = listings->pdata[0];
    g_autofree char *shown = text_clean(ns);
    if (any || named)
        return; /* missing names are reported one by one */
    if (*ns && strcmp(first->kind->verb, "namespaces") != 0)
        fprintf(stderr, "No resources found in %s namespace.\n", shown);
    else
        fputs("No resources found.\n", stderr);
}

static void print_texts(const GPtrArray *texts, const char *end)
{
    for (guint i = 0; i < texts->len; i++)
        printf("%s%s", (char *)texts->pdata[i], end);
}

static void print_all(const GPtrArray *listings, const struct arguments *arguments, const char *ns)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new();
    bool single = is_single(listings);
    for (guint i = 0; i < listings->len; i++)
        listing_texts(listings->pdata[i], texts);
    switch (arguments->format) {
    case FORMAT_TEXT:
    case FORMAT_WIDE:
    case FORMAT_COLUMNS: print_tables(listings, arguments, ns); break;
    case FORMAT_PATH: print_filled_in(texts, single, arguments->template); break;
    case FORMAT_NAME: print_texts(texts, "\n"); break;
    case FORMAT_YAML: single ? print_texts(texts, "") : print_yaml_list(texts); break;
    case FORMAT_JSON:
        single ? print_texts(texts, "\n") : json_write_items(json_text_new(stdout, true), texts);
        break;
    }
}

static int get(GPtrArray *listings, const struct arguments *arguments, const char *ns)
{
    if (arguments->watch)
        return watch_listing(listings->pdata[0], arguments, ns);
    for (guint i = 0; i < listings->len; i++) {
        int status = listing_read(listings->pdata[i], arguments, ns);
        if (status != STATUS_DONE)
            return status;
    }
    print_all(listings, arguments, ns);
    bool good = true;
    for (guint i = 0; i < listings->len; i++)
        good &= listing_complain(listings->pdata[i], ns, arguments->json);
    return good ? STATUS_DONE : STATUS_NOT_FOUND;
}

/* A name that resolves says by itself which namespace it is about. */
static bool is_by_name(const GPtrArray *listings)
{
    const struct listing *first = listings->pdata[0];
    return strcmp(first->kind->verb, "names") == 0 && first->names->len > 0;
}

static void release_selector(struct selector **selectorp)
{
    selector_free(*selectorp);
}

static int run(struct arguments *arguments)
{
    const char *wrong = NULL;
    __attribute__((cleanup(release_selector))) struct selector *selector =
        arguments->labels ? selector_parse(arguments->labels, &wrong) : NULL;
    if (wrong) {
        text_error(arguments->json, "for example -l app=web,tier!=cache or -l 'app in (web,db)'",
                   "'%s' is not a label selector: %s%s", arguments->labels,
                   *wrong ? "error at " : "unexpected end", wrong);
        return STATUS_FAILED;
    }
    g_autoptr(GPtrArray) listings =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))listing_free);
    if (!check_template(arguments) || !prepare(listings, arguments, selector))
        return STATUS_FAILED;
    if (is_by_name(listings))
        arguments->all |= !arguments->ns;
    g_autofree char *ns = ask_known_namespace(arguments);
    return ns ? get(listings, arguments, ns) : STATUS_FAILED;
}

const struct command command_get = {
    .name = "get",
    .summary = "list services, endpoints, pods, workloads, namespaces or names",
    .operands = "KIND[,KIND...] [NAME...] | KIND/NAME...",
    .description =
        "Lists what the daemon knows. Kinds, as kubectl calls them:\n"
        "  services (svc)     with their addresses, ports and number of ready endpoints\n"
        "  endpoints (ep)     the addresses of each Service's endpoints, and where they come from\n"
        "  pods (po)          in the files, and replicas of workloads; ORIGIN: the address is "
        "stated\n"
        "                     by a manifest, allocated by kubesvc, the node's, or that of a\n"
        "                     container runtime\n"
        "  workloads          or one kind of them: deployments (deploy), replicasets (rs),\n"
        "                     statefulsets (sts), daemonsets (ds), jobs, cronjobs (cj), ...\n"
        "  namespaces (ns)    those that an object mentions\n"
        "  names              everything that resolves; of a NAME, the first labels suffice\n"
        "  all                services, pods and workloads\n",
    .examples = "  kubesvc get services\n"
                "  kubesvc get pods -A -l app=web -o wide\n"
                "  kubesvc get svc web -o json\n"
                "  kubesvc get endpoints -n moon -w\n"
                "  kubesvc get names web.moon\n"
                "  kubesvc get svc web -o jsonpath='{.spec.clusterIP}'\n"
                "  kubesvc get pods -o custom-columns=NAME:.metadata.name,IP:.status.podIP\n"
                "  kubesvc get pods -L app --show-labels\n",
    .takes = TAKES_SOCKET | TAKES_NAMESPACE | TAKES_JSON | TAKES_YAML | TAKES_GET,
    .least = 1,
    .most = -1,
    .run = run,
};
