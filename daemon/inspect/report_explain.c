/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report of how an answer comes about: the names that the search list tries, the Service they
 * lead to, its pods, and after a miss what may have been meant.
 */
#include <string.h>

#include "backends.h"
#include "causes.h"
#include "families.h"
#include "lib/resolve/name.h"
#include "query.h"
#include "selector_report.h"
#include "service_ref.h"
#include "suggestions.h"

#define NEAR_MAX 8u

struct explain_walk {
    const struct report *report;
    struct snapshot_view view;
    GPtrArray *tried; /* char *: names without a final dot */
};

static const char *outcome_name(enum resolver_outcome outcome)
{
    switch (outcome) {
    case RESOLVER_FOUND: return "FOUND";
    case RESOLVER_NODATA: return "NODATA";
    case RESOLVER_NXDOMAIN: return "NXDOMAIN";
    case RESOLVER_EXTERNAL: return "EXTERNAL";
    case RESOLVER_NOT_OURS: break;
    }
    return "NOT_OURS";
}

static char *miss_text(const struct report *report, const char *name, unsigned flags)
{
    struct service_ref ref;
    bool is_service = service_ref_find(&ref, report, name);
    char *text;

    if (flags & RESOLVER_SERVICE)
        text =
            g_strdup_printf("Service %s/%s exists but has no ready endpoint", ref.ns, ref.service);
    else if (!is_service)
        text = g_strdup("not the name of a Service");
    else if (!cluster_read_namespace(report->context->cluster, ref.ns))
        text = g_strdup_printf("no manifest mentions namespace %s", ref.ns);
    else if (!ref.state)
        text = g_strdup_printf("no Service %s/%s", ref.ns, ref.service);
    else if (!cluster_read_is_exposed(report->context->cluster, ref.state->ns))
        text = g_strdup_printf("namespace %s is not exposed (`namespaces`)", ref.ns);
    else
        text = g_strdup_printf("Service %s/%s has no ready endpoint or port %s", ref.ns,
                               ref.service, ref.below ? ref.below : "");
    service_ref_clear(&ref);
    return text;
}

static char *candidate_text(const struct report *report, const char *name,
                            const struct resolver_answer *inet, const struct resolver_answer *inet6,
                            const char *target)
{
    bool found = inet->outcome == RESOLVER_FOUND, found6 = inet6->outcome == RESOLVER_FOUND;

    if (found || found6)
        return g_strdup_printf("%u IPv4 and %u IPv6 addresses", found ? inet->n_addresses : 0,
                               found6 ? inet6->n_addresses : 0);
    switch (inet->outcome) {
    case RESOLVER_EXTERNAL: return g_strdup_printf("points outside the zone, to %s", target);
    case RESOLVER_NODATA:
        return g_strdup(inet->flags & RESOLVER_BARE
                            ? "part of the zone itself, which has no address"
                            : "exists, without any address");
    case RESOLVER_NXDOMAIN: return miss_text(report, name, inet->flags);
    default: return g_strdup("not in the zone, or left to the next service");
    }
}

static void write_candidate(const struct explain_walk *walk, const char *name)
{
    struct json *json = walk->report->json;
    struct resolver_answer inet, inet6;
    char storage[KUBESVC_NAMES_SIZE_MAX];
    struct resolver_names names = RESOLVER_NAMES(storage);

    resolver_name(&walk->view, NULL, name, strlen(name), &inet, &inet6, &names);
    const char *target = names.text;
    for (unsigned i = 1; i < names.count; i++)
        target += strlen(target) + 1;
    g_autofree char *text = candidate_text(walk->report, name, &inet, &inet6, target);
    json_open(json, NULL);
    json_text(json, "step", "candidate");
    json_text(json, "name", name);
    json_text(json, "outcome",
              outcome_name(inet6.outcome == RESOLVER_FOUND ? inet6.outcome : inet.outcome));
    json_text(json, "text", text);
    json_close_line(json);
}

static void write_tried(void *name, void *walk)
{
    write_candidate(walk, name);
}

static char *selector_text(const struct service *service)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (!service->selector)
        return g_strdup("no selector: pods do not count, only EndpointSlices and Endpoints do");
    g_string_append(text, "selector ");
    for (uint32_t i = 0; i < service->selector->n; i++)
        g_string_append_printf(text, "%s%s=%s", i > 0 ? "," : "", service->selector->pairs[i].key,
                               service->selector->pairs[i].value);
    return g_strdup(text->str);
}

/* Where a connection to its cluster IP goes; NULL: it has none, or that is not up to us. */
static char *forwarding_text(const struct report *report, const struct service_state *state)
{
    const char *forwarder = report_forwarder(report);
    struct service_view view;

    cluster_read_service_open(report->context->cluster, state, &view);
    bool is_ours = view.addresses->len > 0 && backends_is_forwarded(report->context, state, &view);
    bool falls_back = view.n_endpoints == 0 && view.n_terminating > 0;
    cluster_read_service_close(&view);
    if (!is_ours)
        return NULL;
    return forwarder ? g_strdup_printf("%s forwards connections to %s", forwarder,
                                       falls_back ? "those that terminate but still serve" : "them")
                     : g_strdup("no kubesvc-proxy is running, so nothing forwards connections");
}

static void write_service(const struct report *report, const struct service_ref *ref)
{
    const struct service *service = ref->state->object;
    struct json *json = report->json;
    bool external = service->type == SERVICE_EXTERNAL_NAME;
    bool exposed = cluster_read_is_exposed(report->context->cluster, ref->state->ns);
    g_autofree char *origin = service_ref_origin(report, ref);
    g_autofree char *selector = external ? NULL : selector_text(service);
    g_autofree char *forwarding = ref->below ? NULL : forwarding_text(report, ref->state);

    json_open(json, NULL);
    json_text(json, "step", "service");
    json_text(json, "namespace", service->object.ns);
    json_text(json, "name", service->object.name);
    json_format(json, "text", "%s%s%s%s%s%s", origin, forwarding ? "; " : "",
                forwarding ? forwarding : "", selector ? "; " : "", selector ? selector : "",
                exposed ? "" : "; its namespace is not exposed (`namespaces`)");
    json_position(json, "position", &service->object);
    if (service->object.shadowed)
        json_shadowed(json, &service->object);
    json_close_line(json);
    if (!external)
        selector_report_write(report, ref->state);
}

static void write_suggestions(const struct explain_walk *walk)
{
    unsigned n = 0;

    for (guint i = 0; i < walk->tried->len && n < NEAR_MAX; i++) {
        struct service_ref ref;

        if (service_ref_find(&ref, walk->report, walk->tried->pdata[i]))
            n += suggestions_write(walk->report, &ref, NEAR_MAX - n);
        service_ref_clear(&ref);
    }
}

struct holders {
    const struct report *report;
    struct address address;
    bool known; /* some pod has it */
};

static void write_holder(void *userdata, const struct pod_view *pod,
                         const struct workload_state *workload)
{
    struct holders *holders = userdata;
    struct json *json = holders->report->json;
    bool holds = false;

    (void)workload;
    for (uint32_t i = 0; i < pod->n; i++)
        holds |= address_compare(&pod->addresses[i], &holders->address) == 0;
    if (!holds)
        return;
    json_open(json, NULL);
    json_text(json, "step", "pod");
    json_text(json, "namespace", pod->object->ns);
    json_text(json, "name", pod->name);
    json_bool(json, "counts", false);
    json_format(json, "text", "has this address (%s), but no Service gives it a name",
                report_origin(pod->origin, pod->seen));
    json_position(json, "position", pod->object);
    json_close_line(json);
    holders->known = true;
}

static void write_holders_of(void *userdata, const struct ns *ns)
{
    const struct holders *holders = userdata;

    cluster_read_pods(holders->report->context->cluster, ns, write_holder, userdata);
}

/* Whose an address is that has no name. */
static bool write_holders(const struct report *report, const struct request *request)
{
    struct holders holders = {report, inspect_query_address(request), false};

    cluster_read_namespaces(report->context->cluster, write_holders_of, &holders);
    return holders.known;
}

/* Why a target that is not the name of a Service has no answer. */
static char *target_text(const struct report *report, const char *target)
{
    if (!name_is_valid(target, strlen(target)))
        return g_strdup("that is not a valid host name");
    if (name_is_in(target, strlen(target), report->context->config->zones))
        return g_strdup("there is no such name in the zone");
    return g_strdup("the nameserver has no address for it");
}

/* Where an ExternalName leads that has no answer: the end of the chain. */
static char *external_text(const struct report *report, const struct service_state *state)
{
    g_autoptr(GHashTable) passed = g_hash_table_new(NULL, NULL);
    struct service_ref ref = {.state = state};
    g_autofree char *text = NULL;
    const char *target = "";

    while (ref.state && ref.state->object->type == SERVICE_EXTERNAL_NAME &&
           g_hash_table_size(passed) <= KUBESVC_CHAIN_MAX &&
           g_hash_table_add(passed, (gpointer)ref.state)) {
        target = ref.state->object->external_name;
        service_ref_clear(&ref);
        (void)service_ref_find(&ref, report, target);
    }
    if (g_hash_table_size(passed) > KUBESVC_CHAIN_MAX)
        text = g_strdup_printf("the chain has more than %u aliases", KUBESVC_CHAIN_MAX);
    else if (!ref.service)
        text = target_text(report, target);
    else if (!ref.state)
        text = g_strdup_printf("no Service %s/%s", ref.ns, ref.service);
    else if (ref.state->object->type == SERVICE_EXTERNAL_NAME)
        text = g_strdup_printf("the chain loops back to Service %s/%s", ref.ns, ref.service);
    else
        text = service_ref_origin(report, &ref);
    service_ref_clear(&ref);
    return g_steal_pointer(&text);
}

/* Why it has no address at all, or none of one family; NULL: nothing to add. */
static char *missing_text(const struct report *report, const struct service_ref *ref,
                          enum kubesvc_status status)
{
    const struct service_state *state = ref->state;
    const char *why;

    if (!state)
        return NULL;
    if (state->object->type == SERVICE_EXTERNAL_NAME)
        return status == KUBESVC_STATUS_FOUND || status == KUBESVC_STATUS_TRY_AGAIN
                   ? NULL
                   : external_text(report, state);
    if (ref->below)
        return NULL;
    if (status == KUBESVC_STATUS_FOUND)
        return families_why_one(report, state);
    why = cluster_read_why_no_cluster_ip(report->context->cluster, state);
    return g_strdup(why);
}

/* A short name is looked up in the zone of its caller's namespace; NULL: that is one of ours. */
static char *unknown_zone_text(const struct report *report)
{
    const struct request *request = &report->job->query->request;
    g_autofree char *ns = g_strndup(request->ns, request->namespace_length);

    if (config_has_zone_of(report->context->config, ns))
        return NULL;
    return g_strdup_printf("no directory of manifests has the zone of namespace %s: the next "
                           "service of nsswitch.conf is asked",
                           ns);
}

static char *status_text(const struct report *report, const struct service_ref *ref,
                         enum kubesvc_status status)
{
    g_autofree char *origin = ref->state ? service_ref_origin(report, ref) : NULL;
    g_autofree char *unknown_zone = NULL;

    switch (status) {
    case KUBESVC_STATUS_FOUND:
        return origin ? g_steal_pointer(&origin) : g_strdup("a pod's name, made from its address");
    case KUBESVC_STATUS_NO_DATA:
        return g_strdup_printf("exists, but has no address%s%s", origin ? ": " : "",
                               origin ? origin : "");
    case KUBESVC_STATUS_NOT_FOUND:
        return g_strdup_printf("nothing to answer%s%s", origin ? ": " : "", origin ? origin : "");
    case KUBESVC_STATUS_TRY_AGAIN:
        return g_strdup(report->context->loaded
                            ? "points outside the zone, to a target not resolved yet"
                            : "the manifests are still being loaded");
    case KUBESVC_STATUS_NOT_OURS: break;
    }
    if (ref->state && !cluster_read_is_exposed(report->context->cluster, ref->state->ns))
        return g_strdup_printf("namespace %s is not exposed (`namespaces`): the next service of "
                               "nsswitch.conf is asked",
                               ref->ns);
    if (ref->state)
        return g_strdup("the Service exists, but nothing below it has this name: the next service "
                        "of nsswitch.conf is asked");
    unknown_zone = unknown_zone_text(report);
    if (unknown_zone)
        return g_steal_pointer(&unknown_zone);
    return g_strdup(cluster_size(report->context->cluster) == 0
                        ? "no object is known, so every name is left to the next service of "
                          "nsswitch.conf"
                        : "no Service has this name: the next service of nsswitch.conf is asked");
}

static char *result_text(const struct report *report, const struct service_ref *ref,
                         enum kubesvc_status status)
{
    g_autofree char *text = status_text(report, ref, status);
    g_autofree char *missing = missing_text(report, ref, status);

    return missing ? g_strdup_printf("%s; %s", text, missing) : g_steal_pointer(&text);
}

static void write_result(const struct report *report, const struct service_ref *ref,
                         enum kubesvc_status status)
{
    struct json *json = report->json;
    g_autofree char *text = result_text(report, ref, status);

    json_open(json, NULL);
    json_text(json, "step", "result");
    json_text(json, "status", report_status_name(status));
    json_text(json, "text", text);
    json_close_line(json);
}

enum kubesvc_inspect_result report_explain(const struct report *report)
{
    const struct inspect_query *query = report->job->query;
    const struct search_result *result = &query->result;
    struct explain_walk walk = {.report = report};
    struct service_ref ref;

    if (!query->is_valid)
        return KUBESVC_INSPECT_UNKNOWN;
    g_autoptr(GPtrArray) tried = g_ptr_array_copy(query->tried, NULL, NULL);
    walk.tried = tried;
    g_ptr_array_set_free_func(tried, NULL);
    if (snapshot_writer_view(report->context->writer, &walk.view))
        g_ptr_array_foreach(tried, write_tried, &walk);
    if (query->request.kind == REQUEST_ADDRESS && result->status == KUBESVC_STATUS_FOUND)
        g_ptr_array_add(tried, (gpointer)(uintptr_t)inspect_query_name(result, 0));
    service_ref_choose(&ref, report, tried);
    bool known = ref.state || result->status == KUBESVC_STATUS_FOUND;
    if (ref.state)
        write_service(report, &ref);
    else if (query->request.kind == REQUEST_ADDRESS)
        known = write_holders(report, &query->request);
    if (!ref.state && query->request.kind == REQUEST_NAME && result->status != KUBESVC_STATUS_FOUND)
        causes_write(report, tried);
    if (result->status != KUBESVC_STATUS_FOUND)
        write_suggestions(&walk);
    write_result(report, &ref, result->status);
    service_ref_clear(&ref);
    return known ? KUBESVC_INSPECT_DONE : KUBESVC_INSPECT_NOT_FOUND;
}
