/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Service that a name is about, and an explanation of where its addresses come from.
 */
#include "service_ref.h"

#include <string.h>

#include "lib/resolve/dashed.h"

static bool cut_zone(char *name, const char *zone)
{
    g_autofree char *suffix = g_strconcat(".svc.", zone, NULL);

    if (!g_str_has_suffix(name, suffix))
        return false;
    name[strlen(name) - strlen(suffix)] = '\0';
    return true;
}

/* Cuts ".svc." and the zone off: that zone, "" for the main one; NULL: it is in none. */
static const char *cut_any_zone(char *name, const struct config *config)
{
    for (char **zone = config->zones; *zone; zone++)
        if (cut_zone(name, *zone))
            return zone == config->zones ? "" : *zone;
    return NULL;
}

bool service_ref_find(struct service_ref *ref, const struct report *report, const char *name)
{
    g_autofree char *folded = g_ascii_strdown(name, -1);
    const char *zone = cut_any_zone(folded, report->context->config);

    *ref = (struct service_ref){0};
    char *dot = zone ? strrchr(folded, '.') : NULL;
    if (!dot)
        return false;
    ref->ns = g_strconcat(dot + 1, *zone ? "@" : NULL, zone, NULL);
    *dot = '\0';
    dot = strrchr(folded, '.');
    ref->service = g_strdup(dot ? dot + 1 : folded);
    if (dot) {
        *dot = '\0';
        ref->below = g_strdup(folded);
    }
    const struct ns *ns = cluster_read_namespace(report->context->cluster, ref->ns);
    ref->state = ns ? cluster_read_service(ns, ref->service) : NULL;
    return true;
}

void service_ref_clear(struct service_ref *ref)
{
    g_free(ref->ns);
    g_free(ref->service);
    g_free(ref->below);
}

/* Endpoints reported together. */
struct bunch {
    const struct object *workload; /* of a workload's replicas, else NULL */
    uint8_t kind;
    const char *origin;
    unsigned n;
};

struct bunches {
    GArray *all; /* struct bunch */
    const char *label;
};

static bool has_label(const struct endpoint_candidate *candidate, const char *label)
{
    char dashed[DASHED_MAX];

    if (candidate->label)
        return g_ascii_strcasecmp(candidate->label, label) == 0;
    dashed_format(candidate->address->bytes, dashed);
    return g_ascii_strcasecmp(dashed, label) == 0;
}

static void add_to_bunch(void *userdata, const struct endpoint_candidate *candidate)
{
    const struct bunches *bunches = userdata;
    struct bunch bunch = {
        .workload = object_is_workload(candidate->object) ? candidate->object : NULL,
        .kind = candidate->object->kind,
        .origin = report_origin(candidate->origin, candidate->seen),
        .n = 1,
    };

    if (candidate->verdict != ENDPOINT_COUNTS ||
        (bunches->label && !has_label(candidate, bunches->label)))
        return;
    for (guint i = 0; i < bunches->all->len; i++) {
        struct bunch *known = &g_array_index(bunches->all, struct bunch, i);

        if (known->workload == bunch.workload && known->kind == bunch.kind &&
            strcmp(known->origin, bunch.origin) == 0) {
            known->n++;
            return;
        }
    }
    g_array_append_val(bunches->all, bunch);
}

static char *bunch_text(const struct bunch *bunch)
{
    bool one = bunch->n == 1;
    g_autofree char *workload = bunch->workload ? object_describe(bunch->workload) : NULL;

    if (workload)
        return g_strdup_printf("%u %s pod%s of %s", bunch->n, bunch->origin, one ? "" : "s",
                               workload);
    if (bunch->kind == OBJECT_POD)
        return g_strdup_printf("%u %s address%s of Pods", bunch->n, bunch->origin, one ? "" : "es");
    if (bunch->kind == OBJECT_SERVICE)
        return g_strdup_printf("%u address%s of its annotation", bunch->n, one ? "" : "es");
    return g_strdup_printf("%u address%s of %s", bunch->n, one ? "" : "es",
                           bunch->kind == OBJECT_ENDPOINTS ? "Endpoints" : "EndpointSlices");
}

/* "3 allocated pods of Deployment moon/app, 1 address of EndpointSlices": the endpoints that count,
 * only those of a label unless NULL. */
static char *endpoints_text(const struct report *report, const struct service_state *state,
                            const char *label)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct bunch));
    g_autoptr(GString) text = g_string_new(NULL);

    cluster_read_endpoints(report->context->cluster, state, add_to_bunch,
                           &(struct bunches){all, label});
    for (guint i = 0; i < all->len; i++) {
        g_autofree char *bunch = bunch_text(&g_array_index(all, struct bunch, i));

        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", bunch);
    }
    return g_strdup(all->len > 0 ? text->str : "no ready endpoint");
}

char *service_ref_origin(const struct report *report, const struct service_ref *ref)
{
    const struct service_state *state = ref->state;
    struct service_view view;

    if (!state)
        return g_strdup_printf("no Service %s/%s", ref->ns, ref->service);
    g_autofree char *service = object_describe(&state->object->object);
    if (state->object->type == SERVICE_EXTERNAL_NAME)
        return g_strdup_printf("%s, an ExternalName for %s", service, state->object->external_name);
    bool is_port = ref->below && strchr(ref->below, '.');
    g_autofree char *endpoints = endpoints_text(report, state, is_port ? NULL : ref->below);
    if (ref->below)
        return g_strdup_printf("%s %s of %s, %s", is_port ? "port" : "endpoint", ref->below,
                               service, endpoints);
    cluster_read_service_open(report->context->cluster, state, &view);
    bool own = view.addresses->len > 0;
    bool allocated = view.origin == SERVICE_ADDRESS_ALLOCATED, as_headless = view.as_headless;
    cluster_read_service_close(&view);
    if (own)
        return g_strdup_printf("%s, %s cluster IP, %s behind it", service,
                               allocated ? "allocated" : "stated", endpoints);
    return g_strdup_printf("%s, %s%s", service, endpoints,
                           !as_headless ? ""
                           : cluster_read_asks_runtimes(report->context->cluster)
                               ? " (no cluster IP is allocated in front of "
                                 "the pods of a runtime)"
                               : " (no cluster IP is allocated in front of "
                                 "stated endpoints)");
}

void service_ref_choose(struct service_ref *chosen, const struct report *report,
                        const GPtrArray *tried)
{
    *chosen = (struct service_ref){0};
    for (guint i = tried->len; i-- > 0 && !chosen->state;) {
        struct service_ref ref;

        if (service_ref_find(&ref, report, tried->pdata[i])) {
            service_ref_clear(chosen);
            *chosen = ref;
        } else
            service_ref_clear(&ref);
    }
}
