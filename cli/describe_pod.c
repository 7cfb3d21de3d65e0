/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the daemon says of a pod in a list, below each other; and which Services select it, which is
 * a matter of comparing labels.
 */
#include "describe_pod.h"

#include <string.h>

#include "ask.h"
#include "commands.h"
#include "print_fields.h"
#include "text.h"
#include "value.h"

struct pod_search {
    const char *ns, *name;
    yajl_val found;
};

static bool keep(void *userdata, yajl_val item)
{
    struct pod_search *search = userdata;
    if (search->found || g_strcmp0(value_text(item, "name"), search->name) != 0 ||
        (*search->ns && g_strcmp0(value_text(item, "namespace"), search->ns) != 0))
        return false;
    search->found = item;
    return true;
}

int describe_pod_find(const struct arguments *arguments, const char *ns, const char *name,
                      yajl_val *podp)
{
    struct pod_search search = {ns, name, NULL};
    int status = ask(arguments, (const char *[]){"pods", ns, NULL}, keep, &search);
    *podp = search.found;
    return status == STATUS_DONE && !search.found ? STATUS_NOT_FOUND : status;
}

static bool selects(yajl_val selector, yajl_val labels)
{
    if (!YAJL_IS_OBJECT(selector) || selector->u.object.len == 0)
        return false;
    for (size_t i = 0; i < selector->u.object.len; i++) {
        const char *value = value_text(labels, selector->u.object.keys[i]);
        yajl_val wanted = selector->u.object.values[i];
        if (!value || !YAJL_IS_STRING(wanted) || g_strcmp0(value, YAJL_GET_STRING(wanted)) != 0)
            return false;
    }
    return true;
}

struct selecting {
    yajl_val labels;
    GPtrArray *names;
};

static bool take_service(void *userdata, yajl_val item)
{
    struct selecting *selecting = userdata;
    const char *name = value_text(item, "name");
    if (name && selects(value_get(item, "selector"), selecting->labels))
        g_ptr_array_add(selecting->names, g_strdup(name));
    return false;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return text_compare(*(const char *const *)a, *(const char *const *)b);
}

int describe_pod_print(const struct arguments *arguments, yajl_val pod)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    struct selecting selecting = {value_get(pod, "labels"), names};
    const char *words[] = {"services", value_text(pod, "namespace"), NULL};
    int status = ask(arguments, words, take_service, &selecting);
    if (status != STATUS_DONE)
        return status;
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    g_autofree char *services = g_strjoinv(", ", (char **)names->pdata);
    g_autofree char *labels = value_joined(pod, "labels", ","),
                    *addresses = value_joined(pod, "addresses", ","),
                    *position = value_position(pod, "position");
    field("Name", value_text(pod, "name"));
    field("Namespace", value_text(pod, "namespace"));
    field("Labels", *labels ? labels : NULL);
    field("Status", value_text(pod, "phase"));
    field("Ready", value_bool(pod, "ready") ? "true" : "false");
    field("IP", *addresses ? addresses : NULL);
    if (value_text(pod, "network"))
        field_format("Origin", "%s, network %s", value_text(pod, "origin"),
                     value_text(pod, "network"));
    else
        field("Origin", value_text(pod, "origin"));
    if (value_text(pod, "why"))
        field("Why", value_text(pod, "why"));
    field("Controlled By", value_text(pod, "workload"));
    field("Hostname", value_text(pod, "hostname"));
    field("Subdomain", value_text(pod, "subdomain"));
    field("Services", *services ? services : NULL);
    field("From", position);
    return STATUS_DONE;
}
