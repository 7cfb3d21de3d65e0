/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A question for one family of a name that has only the other is answered with "no data", which is
 * easily mistaken for a missing Service.
 */
#include "families.h"

struct families {
    bool has[2];      /* IPv4, IPv6: it counts */
    bool left_out[2]; /* the Service is not of that family */
    bool allocated;   /* some of them were invented */
};

static unsigned family_of(const struct address *address)
{
    return address_is_inet(address) ? 0 : 1;
}

static void add_endpoint(void *userdata, const struct endpoint_candidate *candidate)
{
    struct families *families = userdata;

    if (candidate->verdict == ENDPOINT_OTHER_FAMILY)
        families->left_out[family_of(candidate->address)] = true;
    if (candidate->verdict != ENDPOINT_COUNTS)
        return;
    families->has[family_of(candidate->address)] = true;
    families->allocated |= candidate->origin == ADDRESS_ALLOCATED;
}

static bool have_range(const GArray *ranges, unsigned family)
{
    for (guint i = 0; i < ranges->len; i++)
        if (family_of(&g_array_index(ranges, struct address_range, i).base) == family)
            return true;
    return false;
}

static const char *why_no_cluster_ip(const struct report *report, const struct service *service,
                                     enum service_origin origin, unsigned family)
{
    if (origin == SERVICE_ADDRESS_STATED)
        return "its clusterIPs state none";
    if (service->family_policy != FAMILY_PREFER_DUAL &&
        service->family_policy != FAMILY_REQUIRE_DUAL)
        return "its ipFamilyPolicy is SingleStack, which is the default";
    return have_range(report->context->config->service_cidrs, family)
               ? "serviceCIDRs has no free one"
               : "serviceCIDRs has no such range";
}

static const char *why_no_endpoint(const struct report *report, const struct families *families,
                                   unsigned family)
{
    if (families->left_out[family])
        return "its ipFamilies and ipFamilyPolicy exclude them";
    if (families->allocated && !have_range(report->context->config->pod_cidrs, family))
        return "podCIDRs has no such range";
    return "no ready endpoint has one";
}

char *families_why_one(const struct report *report, const struct service_state *state)
{
    struct families families = {0};
    struct service_view view;

    cluster_read_service_open(report->context->cluster, state, &view);
    bool is_own = view.addresses->len > 0;
    for (guint i = 0; i < view.addresses->len; i++)
        families.has[family_of(&g_array_index(view.addresses, struct address, i))] = true;
    enum service_origin origin = view.origin;
    cluster_read_service_close(&view);
    if (!is_own)
        cluster_read_endpoints(report->context->cluster, state, add_endpoint, &families);
    if (families.has[0] == families.has[1])
        return NULL;
    unsigned missing = families.has[0] ? 1 : 0;
    const char *why = is_own ? why_no_cluster_ip(report, state->object, origin, missing)
                             : why_no_endpoint(report, &families, missing);
    return g_strdup_printf("no %s address: %s", missing == 1 ? "IPv6" : "IPv4", why);
}
