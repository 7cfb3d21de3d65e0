/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kinds, and how each becomes a row: kubectl's columns where known (AGE is not), and the origin
 * of an address, which kubectl does not have.
 */
#include "kinds.h"

#include <string.h>

#include "suggest.h"
#include "value.h"

#define SHOWN 3u /* of a long list in one cell, as kubectl */

static char *or_none(char *text)
{
    if (*text)
        return text;
    g_free(text);
    return NULL;
}

static void add_text(GPtrArray *cells, yajl_val item, const char *key)
{
    g_ptr_array_add(cells, g_strdup(value_text(item, key)));
}

static void add_joined(GPtrArray *cells, yajl_val item, const char *key)
{
    g_ptr_array_add(cells, or_none(value_joined(item, key, ",")));
}

static void add_number(GPtrArray *cells, yajl_val item, const char *key)
{
    g_ptr_array_add(cells, g_strdup_printf("%" G_GINT64_FORMAT, value_number(item, key)));
}

static void add_bool(GPtrArray *cells, yajl_val item, const char *key)
{
    g_ptr_array_add(cells, g_strdup(value_bool(item, key) ? "true" : "false"));
}

/* "80/TCP,443/TCP" */
static char *ports(yajl_val item)
{
    GString *out = g_string_new(NULL);
    for (size_t i = 0; i < value_length(item, "ports"); i++) {
        yajl_val port = value_element(item, "ports", i);
        const char *protocol = value_text(port, "protocol");
        g_string_append_printf(out, "%s%" G_GINT64_FORMAT "/%s", i > 0 ? "," : "",
                               value_number(port, "port"), protocol ? protocol : "TCP");
    }
    return or_none(g_string_free(out, FALSE));
}

static void service_cells(GPtrArray *cells, yajl_val item, bool wide)
{
    add_text(cells, item, "type");
    if (value_bool(item, "headless"))
        g_ptr_array_add(cells, g_strdup("None"));
    else
        add_joined(cells, item, "clusterIPs");
    add_text(cells, item, "externalName");
    g_ptr_array_add(cells, ports(item));
    if (value_text(item, "externalName"))
        g_ptr_array_add(cells, NULL);
    else
        add_number(cells, item, "endpoints");
    if (!wide)
        return;
    add_joined(cells, item, "selector");
    add_text(cells, item, "origin");
    g_ptr_array_add(cells, value_position(item, "position"));
}

static char *with_port(const char *address, yajl_val port)
{
    int64_t number = value_number(port, "port");
    if (number == 0)
        return g_strdup(address);
    bool brackets = strchr(address, ':');
    return g_strdup_printf("%s%s%s:%" G_GINT64_FORMAT, brackets ? "[" : "", address,
                           brackets ? "]" : "", number);
}

/* Every address with every port; the first few, and how many more there are. */
static char *endpoint_list(yajl_val item, size_t limit)
{
    GString *out = g_string_new(NULL);
    size_t n = 0;
    for (size_t i = 0; i < value_length(item, "addresses"); i++) {
        yajl_val endpoint = value_element(item, "addresses", i);
        const char *address = value_text(endpoint, "address");
        size_t n_ports = MAX(value_length(endpoint, "ports"), 1);
        for (size_t j = 0; address && j < n_ports; j++) {
            if (n++ >= limit)
                continue;
            g_autofree char *text = with_port(address, value_element(endpoint, "ports", j));
            g_string_append_printf(out, "%s%s", out->len > 0 ? "," : "", text);
        }
    }
    if (n > limit)
        g_string_append_printf(out, " + %zu more...", n - limit);
    return or_none(g_string_free(out, FALSE));
}

static void endpoints_cells(GPtrArray *cells, yajl_val item, bool wide)
{
    g_ptr_array_add(cells, endpoint_list(item, wide ? SIZE_MAX : SHOWN));
    add_text(cells, item, "source");
}

static void pod_cells(GPtrArray *cells, yajl_val item, bool wide)
{
    add_bool(cells, item, "ready");
    if (value_text(item, "why"))
        g_ptr_array_add(cells, g_strdup("NotSeen"));
    else
        add_text(cells, item, "phase");
    add_joined(cells, item, "addresses");
    add_text(cells, item, "origin");
    if (!wide)
        return;
    add_text(cells, item, "workload");
    add_text(cells, item, "hostname");
    add_text(cells, item, "subdomain");
    add_joined(cells, item, "labels");
    g_ptr_array_add(cells, value_position(item, "position"));
}

static void workload_cells(GPtrArray *cells, yajl_val item, bool wide)
{
    add_number(cells, item, "replicas");
    add_number(cells, item, "expanded");
    add_text(cells, item, "why");
    if (!wide)
        return;
    add_joined(cells, item, "selector");
    g_ptr_array_add(cells, value_position(item, "position"));
}

static void namespace_cells(GPtrArray *cells, yajl_val item, bool wide)
{
    (void)wide;
    add_bool(cells, item, "exposed");
    add_number(cells, item, "objects");
    add_number(cells, item, "services");
}

static void name_cells(GPtrArray *cells, yajl_val item, bool wide)
{
    size_t limit = wide ? SIZE_MAX : SHOWN, n = 0;
    GString *out = g_string_new(NULL);
    const char *const keys[] = {"inet", "inet6"};
    for (size_t k = 0; k < G_N_ELEMENTS(keys); k++) {
        yajl_val list = value_get(item, keys[k]);
        for (size_t i = 0; i < value_length(item, keys[k]); i++)
            if (n++ < limit && YAJL_IS_STRING(list->u.array.values[i]))
                g_string_append_printf(out, "%s%s", out->len > 0 ? "," : "",
                                       YAJL_GET_STRING(list->u.array.values[i]));
    }
    if (n > limit)
        g_string_append_printf(out, " + %zu more...", n - limit);
    add_text(cells, item, "kind");
    g_ptr_array_add(cells, or_none(g_string_free(out, FALSE)));
    add_text(cells, item, "target");
}

/* clang-format off */ /* its releases differ here */
#define WORKLOAD(plural, words, only)                                                              \
    {plural, words, "workloads", only, true, true, "NAME|REPLICAS|EXPANDED|NOT EXPANDED",          \
     "|SELECTOR|FROM", workload_cells}
/* clang-format on */

static const struct kind kinds[] = {
    {"services", " services service svc ", "services", NULL, true, true,
     "NAME|TYPE|CLUSTER-IP|EXTERNAL-IP|PORT(S)|ENDPOINTS", "|SELECTOR|ORIGIN|FROM", service_cells},
    {"endpoints", " endpoints endpoint ep endpointslices endpointslice ", "endpoints", NULL, true,
     false, "NAME|ENDPOINTS|SOURCE", "", endpoints_cells},
    {"pods", " pods pod po ", "pods", NULL, true, true, "NAME|READY|STATUS|IP|ORIGIN",
     "|WORKLOAD|HOSTNAME|SUBDOMAIN|LABELS|FROM", pod_cells},
    WORKLOAD("workloads", " workloads workload ", NULL),
    WORKLOAD("deployments", " deployments deployment deploy ", "Deployment"),
    WORKLOAD("replicasets", " replicasets replicaset rs ", "ReplicaSet"),
    WORKLOAD("replicationcontrollers", " replicationcontrollers replicationcontroller rc ",
             "ReplicationController"),
    WORKLOAD("statefulsets", " statefulsets statefulset sts ", "StatefulSet"),
    WORKLOAD("daemonsets", " daemonsets daemonset ds ", "DaemonSet"),
    WORKLOAD("jobs", " jobs job ", "Job"),
    WORKLOAD("cronjobs", " cronjobs cronjob cj ", "CronJob"),
    {"namespaces", " namespaces namespace ns ", "namespaces", NULL, false, false,
     "NAME|EXPOSED|OBJECTS|SERVICES", "", namespace_cells},
    {"names", " names name ", "names", NULL, false, false, "NAME|KIND|ADDRESSES|TARGET", "",
     name_cells},
};

static bool has_word(const struct kind *kind, const char *word)
{
    g_autofree char *padded = g_strdup_printf(" %s ", word);
    return !strchr(word, ' ') && strstr(kind->words, padded);
}

static void offer_words(struct suggestion *suggestion, const struct kind *kind)
{
    g_auto(GStrv) words = g_strsplit(kind->words, " ", -1);
    for (char **word = words; *word; word++)
        if (**word)
            suggestion_offer(suggestion, *word);
}

const struct kind *kind_find(const char *word, char **nearestp)
{
    g_autofree char *lower = g_ascii_strdown(word, -1);
    /* "deployments.apps" */
    if (strchr(lower, '.'))
        *strchr(lower, '.') = '\0';
    struct suggestion suggestion = {.word = lower};
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (has_word(&kinds[i], lower)) {
            g_free(suggestion.nearest);
            return &kinds[i];
        }
        offer_words(&suggestion, &kinds[i]);
    }
    *nearestp = suggestion.nearest;
    return NULL;
}

char *kind_name(const struct kind *kind, yajl_val item)
{
    static const char *const groups[][2] = {
        {"Deployment", "deployment.apps"},
        {"ReplicaSet", "replicaset.apps"},
        {"StatefulSet", "statefulset.apps"},
        {"DaemonSet", "daemonset.apps"},
        {"Job", "job.batch"},
        {"CronJob", "cronjob.batch"},
        {"Endpoints", "endpoints"},
    };
    const char *name = value_text(item, "name"), *what = value_text(item, "kind");
    if (!name || !what || strcmp(kind->verb, "names") == 0)
        return g_strdup(name ? name : "");
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
        if (strcmp(groups[i][0], what) == 0)
            return g_strdup_printf("%s/%s", groups[i][1], name);
    g_autofree char *lower = g_ascii_strdown(what, -1);
    return g_strdup_printf("%s/%s", lower, name);
}
