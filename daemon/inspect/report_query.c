/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report of one question: what a program would get, and where it comes from.
 */
#include "query.h"
#include "service_ref.h"

static const char *miss_text(const struct report *report, const struct request *request,
                             enum kubesvc_status status, bool has_service)
{
    switch (status) {
    case KUBESVC_STATUS_TRY_AGAIN:
        return report->context->loaded ? "points outside the zone, to a target not resolved yet"
                                       : "the manifests are still being loaded";
    case KUBESVC_STATUS_NOT_OURS:
        return "not in the manifests: the next service of nsswitch.conf is asked";
    case KUBESVC_STATUS_NO_DATA: return "exists, without an address of this family";
    default: break;
    }
    if (request->kind == REQUEST_ADDRESS)
        return "in the manifests or their ranges, but without a name";
    return has_service ? "nothing to answer" : "no such name in the zone";
}

/* What the Service that the question is about, if any, has to do with the miss. */
static void put_miss(const struct report *report, enum kubesvc_status status)
{
    const struct inspect_query *query = report->job->query;
    struct json *json = report->json;
    struct service_ref ref;

    service_ref_choose(&ref, report, query->tried);
    const char *text = miss_text(report, &query->request, status, ref.state != NULL);
    g_autofree char *service = ref.state ? service_ref_origin(report, &ref) : NULL;
    json_format(json, "origin", "%s%s%s", service ? service : "", service ? ": " : "", text);
    if (ref.state)
        json_position(json, "position", &ref.state->object->object);
    service_ref_clear(&ref);
}

static void put_origin(const struct report *report, const struct search_result *result)
{
    struct json *json = report->json;
    unsigned last = result->names.count > 0 ? result->names.count - 1u : 0;
    g_autoptr(GString) text = g_string_new(NULL);
    const struct service_state *state = NULL;

    for (unsigned i = 0; i <= last; i++) {
        const char *name = inspect_query_name(result, i);
        struct service_ref ref;
        g_autofree char *origin = NULL;

        if (service_ref_find(&ref, report, name))
            origin = service_ref_origin(report, &ref);
        else if (i > 0)
            origin = g_strdup_printf("%s, which is outside the zone", name);
        else
            origin = g_strdup("a pod's name, made from its address");
        if (i == 0)
            state = ref.state;
        g_string_append_printf(text, "%s%s", i > 0 ? "; " : "", origin);
        service_ref_clear(&ref);
    }
    json_text(json, "origin", text->str);
    if (state)
        json_position(json, "position", &state->object->object);
}

enum kubesvc_inspect_result report_query(const struct report *report)
{
    struct json *json = report->json;
    const struct inspect_query *query = report->job->query;
    const struct search_result *result = &query->result;

    if (!query->is_valid)
        return KUBESVC_INSPECT_UNKNOWN;
    json_open(json, NULL);
    json_text(json, "status", report_status_name(result->status));
    if (result->status == KUBESVC_STATUS_FOUND) {
        unsigned last = result->names.count - 1u;

        json_text(json, "canonical", inspect_query_name(result, last));
        json_open_list(json, "aliases");
        for (unsigned i = 0; i < last; i++)
            json_text(json, NULL, inspect_query_name(result, i));
        json_close_list(json);
        if (query->request.kind == REQUEST_NAME) {
            json_addresses(json, "inet", result->inet.addresses, result->inet.n_addresses, 4);
            json_addresses(json, "inet6", result->inet6.addresses, result->inet6.n_addresses, 16);
        }
        put_origin(report, result);
    } else
        put_miss(report, result->status);
    json_close_line(json);
    return KUBESVC_INSPECT_DONE;
}
