/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Suggestions: Services of a similar name in the same namespace, of the same name in others,
 * namespaces and endpoints of similar names. The nearest come first.
 */
#include "suggestions.h"

#include <string.h>

#include "lib/util/suggest.h"

struct suggested_name {
    unsigned distance;
    char *name, *text;
};

/* Texts too long to be compared are far from each other. */
static unsigned distance_of(const char *a, const char *b)
{
    return MIN(suggest_distance(a, b), SUGGEST_LENGTH_MAX);
}

struct suggestion_collection {
    const struct report *report;
    const struct service_ref *ref;
    GArray *found; /* struct suggested_name */
};

static void suggestion_clear(void *data)
{
    struct suggested_name *suggestion = data;

    g_free(suggestion->name);
    g_free(suggestion->text);
}

static void add(const struct suggestion_collection *collection, unsigned distance, char *name,
                char *text)
{
    struct suggested_name suggestion = {distance, name, text};

    /* One pod may be found by several of its addresses. */
    for (guint i = 0; i < collection->found->len; i++)
        if (strcmp(g_array_index(collection->found, struct suggested_name, i).name, name) == 0) {
            suggestion_clear(&suggestion);
            return;
        }
    g_array_append_val(collection->found, suggestion);
}

static void add_service(void *userdata, const struct service_state *state)
{
    const struct suggestion_collection *collection = userdata;
    const struct service_ref *ref = collection->ref;
    const struct object *object = &state->object->object;
    bool same_name = strcmp(object->name, ref->service) == 0;
    bool same_namespace = strcmp(object->ns, ref->ns) == 0;
    bool exposed = cluster_read_is_exposed(collection->report->context->cluster, state->ns);
    const char *text = same_name && same_namespace ? "this Service"
                       : same_name                 ? "the same name in another namespace"
                       : same_namespace            ? "a similar name in this namespace"
                                                   : NULL;

    if (!same_name && !(same_namespace && suggest_is_typo(object->name, ref->service)))
        return;
    g_autofree char *service = object_describe(object);
    /* A namespace that looks alike is likelier meant than one that does not. */
    unsigned distance = distance_of(object->name, ref->service) + distance_of(object->ns, ref->ns);
    add(collection, distance,
        report_name(collection->report, NULL, object->name, object->ns, "svc"),
        g_strdup_printf("%s: %s%s", service, text,
                        exposed ? "" : "; its namespace is not exposed (`namespaces`)"));
}

static void add_of_namespace(void *userdata, const struct ns *ns)
{
    cluster_read_services(ns, add_service, userdata);
}

static void add_namespace(void *userdata, const struct ns *ns)
{
    const struct suggestion_collection *collection = userdata;
    const struct service_ref *ref = collection->ref;

    if (suggest_is_typo(ns->name, ref->ns) && !cluster_read_service(ns, ref->service))
        add(collection, distance_of(ns->name, ref->ns) + 1,
            report_name(collection->report, NULL, NULL, ns->name, "svc"),
            g_strdup_printf("namespace %s: a similar name, without a Service %s", ns->name,
                            ref->service));
}

static void add_endpoint(void *userdata, const struct endpoint_candidate *candidate)
{
    const struct suggestion_collection *collection = userdata;
    const struct service_ref *ref = collection->ref;

    if (!candidate->label ||
        !(suggest_is_typo(candidate->label, ref->below) ||
          (candidate->verdict != ENDPOINT_COUNTS && strcmp(candidate->label, ref->below) == 0)))
        return;
    g_autofree char *why =
        cluster_read_why_left_out(collection->report->context->cluster, candidate);
    add(collection, distance_of(candidate->label, ref->below),
        report_name(collection->report, candidate->label, ref->service, ref->ns, "svc"),
        g_strdup_printf("endpoint %s%s%s", candidate->label, why ? ", " : "", why ? why : ""));
}

static int compare(gconstpointer a, gconstpointer b)
{
    const struct suggested_name *x = a, *y = b;

    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return strcmp(x->name, y->name);
}

unsigned suggestions_write(const struct report *report, const struct service_ref *ref,
                           unsigned most)
{
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(struct suggested_name));
    struct suggestion_collection collection = {report, ref, found};
    struct json *json = report->json;
    unsigned n = 0;

    g_array_set_clear_func(found, suggestion_clear);
    if (!ref->state) {
        cluster_read_namespaces(report->context->cluster, add_of_namespace, &collection);
        if (!cluster_read_namespace(report->context->cluster, ref->ns))
            cluster_read_namespaces(report->context->cluster, add_namespace, &collection);
    } else if (ref->below)
        cluster_read_endpoints(report->context->cluster, ref->state, add_endpoint, &collection);
    g_array_sort(found, compare);
    for (; n < found->len && n < most; n++) {
        const struct suggested_name *suggestion = &g_array_index(found, struct suggested_name, n);

        json_open(json, NULL);
        json_text(json, "step", "near");
        json_text(json, "name", suggestion->name);
        json_text(json, "text", suggestion->text);
        json_close_line(json);
    }
    return n;
}
