/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kinds, and how each becomes a row: kubectl's columns where known (AGE is not), and the origin
 * of an address, which kubectl does not have.
 */
#include "kinds.h"

#include <string.h>

#include "lib/model/object.h"
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
        g_string_append_printf(out, "%s%" G_GINT64_FORMAT "/%s", i > 0 ? "," : "",
                               value_number(port, "port"), value_text_or(port, "protocol", "TCP"));
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
    g_autoptr(GPtrArray) addresses = value_addresses(item);
    guint shown = wide ? addresses->len : MIN(addresses->len, SHOWN);
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < shown; i++)
        g_string_append_printf(out, "%s%s", i > 0 ? "," : "", (char *)addresses->pdata[i]);
    if (addresses->len > shown)
        g_string_append_printf(out, " + %u more...", addresses->len - shown);
    add_text(cells, item, "kind");
    g_ptr_array_add(cells, or_none(g_string_free(out, FALSE)));
    add_text(cells, item, "target");
}

/* What the daemon lists, each for the kinds of object_kinds.h that name it there: the request,
 * which of its items count for a kind, and the rest of struct kind. */
/* clang-format off */
#define LISTED_services(kind) \
    "services", NULL, true, true, \
    "NAME|TYPE|CLUSTER-IP|EXTERNAL-IP|PORT(S)|ENDPOINTS", "|SELECTOR|ORIGIN|FROM", service_cells
#define LISTED_endpoints(kind) \
    "endpoints", NULL, true, false, "NAME|ENDPOINTS|SOURCE", "", endpoints_cells
#define LISTED_pods(kind) \
    "pods", NULL, true, true, \
    "NAME|READY|STATUS|IP|ORIGIN", "|WORKLOAD|HOSTNAME|SUBDOMAIN|LABELS|FROM", pod_cells
#define LISTED_workloads(kind) \
    "workloads", kind, true, true, \
    "NAME|REPLICAS|EXPANDED|NOT EXPANDED", "|SELECTOR|FROM", workload_cells
#define LISTED_namespaces(kind) \
    "namespaces", NULL, false, false, "NAME|EXPOSED|OBJECTS|SERVICES", "", namespace_cells
#define LISTED_nothing(kind) \
    NULL, NULL, false, false, NULL, NULL, NULL

static const struct kind kinds[] = {
#define KIND(symbol, fields, structure, decoder, name, plural, short_names, listed, ...) \
    {name, plural, short_names, LISTED_##listed(name)},
    OBJECT_KINDS_EACH(KIND)
#undef KIND
    {"Workload", "workloads", "", LISTED_workloads(NULL)},
    {"Name", "names", "", "names", NULL, false, false, "NAME|KIND|ADDRESSES|TARGET", "", name_cells},
};
/* clang-format on */

/* All that a kind answers to, to be freed with g_strfreev. */
static char **words_of(const struct kind *kind)
{
    g_autofree char *all = g_strdup_printf("%s %s %s", kind->plural, kind->name, kind->short_names);
    g_strchomp(all);
    for (char *at = all; *at; at++)
        *at = g_ascii_tolower(*at);
    return g_strsplit(all, " ", -1);
}

static bool is_one_of(char **words, const char *word)
{
    return g_strv_contains((const char *const *)words, word);
}

/* Without the group, as of "deployments.apps"; to be freed with g_free. */
static char *lower_kind(const char *word)
{
    return g_ascii_strdown(word, (gssize)strcspn(word, "."));
}

const struct kind *kind_find(const char *word, char **nearestp)
{
    g_autofree char *lower = lower_kind(word);
    struct suggestion suggestion = {.word = lower};
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_auto(GStrv) words = words_of(&kinds[i]);
        if (!kinds[i].verb)
            continue;
        if (is_one_of(words, lower)) {
            g_free(suggestion.nearest);
            return &kinds[i];
        }
        for (char **offered = words; *offered; offered++)
            suggestion_offer(&suggestion, *offered);
    }
    *nearestp = suggestion.nearest;
    return NULL;
}

/* What a cluster has besides, as kubectl calls it: the plural, the singular, short names. */
static const char *const others[] = {
    "apiservices apiservice",
    "certificatesigningrequests certificatesigningrequest csr",
    "clusterrolebindings clusterrolebinding",
    "clusterroles clusterrole",
    "componentstatuses componentstatus cs",
    "configmaps configmap cm",
    "controllerrevisions controllerrevision",
    "csidrivers csidriver",
    "csinodes csinode",
    "customresourcedefinitions customresourcedefinition crd crds",
    "events event ev",
    "ingressclasses ingressclass",
    "ingresses ingress ing",
    "ipaddresses ipaddress ip",
    "leases lease",
    "limitranges limitrange limits",
    "networkpolicies networkpolicy netpol",
    "nodes node no",
    "persistentvolumeclaims persistentvolumeclaim pvc",
    "persistentvolumes persistentvolume pv",
    "poddisruptionbudgets poddisruptionbudget pdb",
    "podtemplates podtemplate",
    "priorityclasses priorityclass pc",
    "resourcequotas resourcequota quota",
    "rolebindings rolebinding",
    "roles role",
    "runtimeclasses runtimeclass",
    "secrets secret",
    "serviceaccounts serviceaccount sa",
    "servicecidrs servicecidr",
    "storageclasses storageclass sc",
    "volumeattachments volumeattachment",
};

/* The plural of a kind that is not listed, NULL if there is none; to be freed with g_free. */
static char *find_unlisted(const char *word, bool *is_read)
{
    g_autofree char *lower = lower_kind(word);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_auto(GStrv) words = words_of(&kinds[i]);
        *is_read = true;
        if (is_one_of(words, lower))
            return g_strdup(kinds[i].plural);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        g_auto(GStrv) words = g_strsplit(others[i], " ", -1);
        *is_read = false;
        if (is_one_of(words, lower))
            return g_strdup(words[0]);
    }
    return NULL;
}

char *kind_complaint(const char *word, const char *nearest, char **remedyp)
{
    bool is_read;
    g_autofree char *unlisted = find_unlisted(word, &is_read);
    *remedyp = nearest && !unlisted ? g_strdup_printf("did you mean '%s'?", nearest)
                                    : g_strdup("choose one of: " KIND_WORDS ", all");
    if (!unlisted)
        return g_strdup_printf("unknown kind '%s'", word);
    return g_strdup_printf(is_read ? "%s are read but not listed"
                                   : "%s are not kept, as no names follow from them",
                           unlisted);
}

char *kind_name(const struct kind *kind, yajl_val item)
{
    const char *name = value_text(item, "name"), *what = value_text(item, "kind");
    if (!name || !what || strcmp(kind->verb, "names") == 0)
        return g_strdup(name ? name : "");
    g_autofree char *lower = g_ascii_strdown(what, -1);
    enum object_kind known = object_kind_find(what);
    const char *version = known < OBJECT_KINDS ? object_kinds[known].versions[0] : NULL;
    const char *slash = version ? strchr(version, '/') : NULL;
    return slash ? g_strdup_printf("%s.%.*s/%s", lower, (int)(slash - version), version, name)
                 : g_strdup_printf("%s/%s", lower, name);
}
