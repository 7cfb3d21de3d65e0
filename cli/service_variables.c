/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Without links there remains the API server's own Service, kubernetes in default, which every pod
 * gets.
 */
#include "service_variables.h"

#include <string.h>

#include "value.h"

#define MASTER_NAMESPACE "default"
#define MASTER_NAME "kubernetes"

/* "my-web" -> "MY_WEB" */
static char *variable_name(const char *name)
{
    char *upper = g_ascii_strup(name, -1);
    return g_strdelimit(upper, "-", '_');
}

static void set(GHashTable *variables, char *name, char *value)
{
    g_hash_table_replace(variables, name, value);
}

static void add_names(GHashTable *variables, const char *prefix, const char *host, yajl_val service)
{
    size_t n = value_length(service, "ports");
    set(variables, g_strconcat(prefix, "_SERVICE_HOST", NULL), g_strdup(host));
    for (size_t i = 0; i < n; i++) {
        yajl_val port = value_element(service, "ports", i);
        const char *name = value_text(port, "name");
        g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, value_number(port, "port"));
        if (i == 0)
            set(variables, g_strconcat(prefix, "_SERVICE_PORT", NULL), g_strdup(number));
        if (!name)
            continue;
        g_autofree char *suffix = variable_name(name);
        set(variables, g_strconcat(prefix, "_SERVICE_PORT_", suffix, NULL), g_strdup(number));
    }
}

static void add_links(GHashTable *variables, const char *prefix, const char *host, yajl_val service)
{
    bool brackets = strchr(host, ':');
    for (size_t i = 0; i < value_length(service, "ports"); i++) {
        yajl_val port = value_element(service, "ports", i);
        int64_t number = value_number(port, "port");
        const char *protocol = value_text_or(port, "protocol", "TCP");
        g_autofree char *lower = g_ascii_strdown(protocol, -1);
        g_autofree char *url =
            g_strdup_printf("%s://%s%s%s:%" G_GINT64_FORMAT, lower, brackets ? "[" : "", host,
                            brackets ? "]" : "", number);
        g_autofree char *base =
            g_strdup_printf("%s_PORT_%" G_GINT64_FORMAT "_%s", prefix, number, protocol);
        if (i == 0)
            set(variables, g_strconcat(prefix, "_PORT", NULL), g_strdup(url));
        set(variables, g_strdup(base), g_strdup(url));
        set(variables, g_strconcat(base, "_PROTO", NULL), g_strdup(lower));
        set(variables, g_strconcat(base, "_PORT", NULL),
            g_strdup_printf("%" G_GINT64_FORMAT, number));
        set(variables, g_strconcat(base, "_ADDR", NULL), g_strdup(host));
    }
}

void service_variables_add(GHashTable *variables, yajl_val service, const char *ns, bool links)
{
    const char *name = value_text(service, "name"), *own = value_text(service, "namespace");
    const char *address = value_element_text(service, "clusterIPs", 0);
    if (!name || !own || !address || value_bool(service, "headless"))
        return;
    g_autofree char *label = g_strndup(own, strcspn(own, "@"));
    bool master = strcmp(label, MASTER_NAMESPACE) == 0 && strcmp(name, MASTER_NAME) == 0;
    if (!master && (!links || strcmp(label, ns) != 0))
        return;
    g_autofree char *prefix = variable_name(name);
    add_names(variables, prefix, address, service);
    add_links(variables, prefix, address, service);
}
