/*
 * The report of one question: what a program would get, and where it comes from.
 */
#include <string.h>

#include "question.h"
#include "subject.h"

static void put_addresses(struct json *json, const char *key, const struct resolver_answer *answer,
                          bool inet)
{
    size_t size = inet ? 4 : 16;

    if (answer->outcome != RESOLVER_FOUND || !answer->addresses)
        return;
    json_open_list(json, key);
    for (uint32_t i = 0; i < answer->n_addresses; i++) {
        struct address address = {{[10] = 0xff, [11] = 0xff}};

        memcpy(address.bytes + 16 - size, answer->addresses + i * size, size);
        json_address(json, NULL, &address);
    }
    json_close_list(json);
}

/* What a Service that the question is about has to do with the miss; else NULL. */
static char *origin_of_service(const struct report *report, const GPtrArray *tried,
                               struct json *json)
{
    struct subject subject;
    char *origin = NULL;

    subject_choose(&subject, report, tried);
    if (subject.state) {
        origin = subject_origin(report, &subject);
        json_position(json, "position", &subject.state->object->object);
    }
    subject_clear(&subject);
    return origin;
}

static void put_miss(const struct report *report, const struct request *request,
                     const GPtrArray *tried, enum kubesvc_status status)
{
    struct json *json = report->json;
    g_autofree char *service = origin_of_service(report, tried, json);
    const char *text = "";

    switch (status) {
    case KUBESVC_STATUS_TRY_AGAIN:
        text = report->world->loaded
                   ? "it leads out of the zone, and what it leads to is not known yet"
                   : "the manifests are still being loaded";
        break;
    case KUBESVC_STATUS_NOT_OURS:
        text = "not of the manifests: the next service of nsswitch.conf is asked";
        break;
    case KUBESVC_STATUS_NO_DATA: text = "exists, without an address of this family"; break;
    default:
        text = request->kind == REQUEST_ADDRESS ? "of the manifests or their ranges, without a name"
                                                : "would be of the zone, and has nothing to answer";
    }
    g_autofree char *origin = service ? g_strdup_printf("%s: %s", service, text) : g_strdup(text);
    json_text(json, "origin", origin);
}

static void put_origin(const struct report *report, const struct search_result *result)
{
    struct json *json = report->json;
    unsigned last = result->names.count > 0 ? result->names.count - 1u : 0;
    g_autoptr(GString) text = g_string_new(NULL);
    const struct service_state *state = NULL;

    for (unsigned i = 0; i <= last; i++) {
        const char *name = question_name(result, i);
        struct subject subject;
        g_autofree char *origin = NULL;

        if (subject_find(&subject, report, name))
            origin = subject_origin(report, &subject);
        else if (i > 0)
            origin = g_strdup_printf("%s, which is outside the zone", name);
        else
            origin = g_strdup("a pod's name, made of its address");
        if (i == 0)
            state = subject.state;
        g_string_append_printf(text, "%s%s", i > 0 ? "; " : "", origin);
        subject_clear(&subject);
    }
    json_text(json, "origin", text->str);
    if (state)
        json_position(json, "position", &state->object->object);
}

enum kubesvc_inspect_result report_query(const struct report *report)
{
    struct json *json = report->json;
    struct search_result *result = g_new(struct search_result, 1);
    g_autoptr(GPtrArray) tried = g_ptr_array_new_with_free_func(g_free);
    struct request request;

    if (!question_make(&request, words_get(report->words, 1), words_get(report->words, 2),
                       words_get(report->words, 3)))
        return KUBESVC_INSPECT_UNKNOWN;
    question_answer(report, &request, subject_tried, tried, result);
    json_open(json, NULL);
    json_text(json, "status", report_status_name(result->status));
    if (result->status == KUBESVC_STATUS_FOUND) {
        unsigned last = result->names.count - 1u;

        json_text(json, "canonical", question_name(result, last));
        json_open_list(json, "aliases");
        for (unsigned i = 0; i < last; i++)
            json_text(json, NULL, question_name(result, i));
        json_close_list(json);
        if (request.kind == REQUEST_NAME) {
            put_addresses(json, "inet", &result->inet, true);
            put_addresses(json, "inet6", &result->inet6, false);
        }
        put_origin(report, result);
    } else
        put_miss(report, &request, tried, result->status);
    json_close(json);
    json_end_line(json);
    g_free(result);
    return KUBESVC_INSPECT_DONE;
}
