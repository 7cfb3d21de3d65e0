/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Explains in words what the code elsewhere decides.
 */
#include <string.h>

#include "cluster_read.h"
#include "cluster_state.h"

#define NO_ADDRESS "no address: "

/* Why nothing is invented for an object; NULL: it may be. All begin with NO_ADDRESS. */
static const char *why_not_allocated(const struct pods *pods, const struct object *object)
{
    if (!pods->allocate)
        return NO_ADDRESS "allocate is off";
    if (!object->source->allocate)
        return NO_ADDRESS "allocate is off for its directory";
    if (object->has_uid)
        return NO_ADDRESS
            "it carries metadata.uid: objects of a real cluster are not allocated addresses";
    return NULL;
}

const char *cluster_read_why_no_replicas(const struct workload *workload)
{
    static const char *const idle[] = {
        [JOB_HOOK] = "the Job is a Helm hook, which is gone once the release is installed",
        [JOB_OVER] = "the Job has ended",
        [JOB_SUSPENDED] = "the Job is suspended",
        [JOB_SATISFIED] = "the Job has no completions left, or no parallelism",
    };
    switch ((enum object_kind)workload->object.kind) {
    case OBJECT_CRON_JOB: return "the Jobs of a CronJob come and go";
    case OBJECT_JOB: return idle[workload->idle];
    default: return "spec.replicas is 0";
    }
}

char *cluster_read_why_unnameable(const struct workload *workload, uint32_t nameable)
{
    const char *name = workload->object.name;
    if (strchr(name, '.'))
        return g_strdup_printf("no pod can be named %s-%u: a hostname must not contain a dot", name,
                               workload->ordinal);
    return g_strdup_printf("no pod can be named %s-%u: a hostname must have at most 63 characters",
                           name, workload->ordinal + nameable);
}

static char *why_adopted(uint32_t n)
{
    return n == 1 ? g_strdup("1 Pod of the files matches its selector and counts among its "
                             "replicas")
                  : g_strdup_printf("%u Pods of the files match its selector and count among its "
                                    "replicas",
                                    n);
}

char *cluster_read_why_fewer(const struct cluster *cluster, const struct workload_state *state)
{
    const struct workload *workload = state->object;
    uint32_t wanted = workload_replicas(state), nameable = workload_nameable(workload, wanted);
    if (workload_is_owned(cluster->catalog, workload))
        return g_strdup_printf("%s %s owns it and provides its pods",
                               object_kind_name(workload->owner.kind), workload->owner.name);
    if (workload_has_pods(cluster->catalog, state))
        return g_strdup("Pods of its own are in the files and count instead");
    if (wanted == 0)
        return g_strdup(cluster_read_why_no_replicas(workload));
    if (state->over_limit)
        return g_strdup_printf("all workloads together have more than %u replicas",
                               ACCOUNT_REPLICAS_MAX);
    if (nameable < wanted)
        return cluster_read_why_unnameable(workload, nameable);
    if (state->adopted > 0)
        return why_adopted(state->adopted);
    if (state->replicas > 0)
        return NULL;
    if (cluster->pods.sightings)
        return NULL;
    const char *why = why_not_allocated(&cluster->pods, &workload->object);
    return why ? g_strdup(why + strlen(NO_ADDRESS)) : NULL;
}

char *cluster_read_why_unseen(const struct cluster *cluster, const struct workload_state *state)
{
    uint32_t unseen = 0;
    if (!cluster->pods.sightings || !pods_is_open_workload(state->object))
        return NULL;
    const struct holder_key key = {state->identity.kind, state->ns->name, state->identity.name};
    for (uint32_t i = 0; i < state->replicas; i++)
        unseen += sightings_find(cluster->sightings, &key, i) == NULL;
    return unseen == 0 ? NULL
                       : g_strdup_printf("%u of %u pods not seen in %s", unseen, state->replicas,
                                         cluster->options->runtimes);
}

char *cluster_read_relation(const struct cluster *cluster, const struct ns *ns,
                            const struct pod *pod)
{
    const struct workload_state *state;
    enum pod_relation relation = workload_of_pod(cluster->catalog, ns, pod, &state);
    if (relation == POD_ALONE || !state)
        return NULL;
    const char *kind = object_kind_name(state->identity.kind), *name = state->identity.name;
    switch (relation) {
    case POD_OWN: return g_strdup_printf("it is a pod of %s %s", kind, name);
    case POD_ADOPTED:
        return g_strdup_printf("%s %s adopts it and runs one replica fewer", kind, name);
    case POD_BESIDE:
        return g_strdup_printf(
            "not a pod of %s %s by owner or name, so counted in addition to its replicas", kind,
            name);
    case POD_ALONE: break;
    }
    return NULL;
}

static bool is_open(const struct cluster *cluster, const struct object *object)
{
    return object->kind == OBJECT_POD ? pods_is_open(&cluster->pods, (const struct pod *)object)
                                      : pods_is_open_workload((const struct workload *)object);
}

char *cluster_read_why_not_seen(const struct cluster *cluster, const struct object *object,
                                uint32_t ordinal)
{
    const struct holder_key key = {object->kind, object->ns, object->name};
    uint32_t first = object->kind == OBJECT_POD ? 0 : ((const struct workload *)object)->ordinal;
    if (!cluster->pods.sightings || !is_open(cluster, object) ||
        sightings_find(cluster->sightings, &key, ordinal - first))
        return NULL;
    const struct sighting *ignored = sightings_ignored(cluster->sightings, &key, ordinal - first);
    char *why = ignored ? sightings_why_ignored(cluster->sightings, ignored) : NULL;
    return why ? why : g_strdup_printf("not seen in %s", cluster->options->runtimes);
}

/* `candidate` is a pod without an address. To be freed. */
static char *why_no_address(const struct cluster *cluster,
                            const struct endpoint_candidate *candidate)
{
    const struct object *object = candidate->object;
    bool is_pod = object->kind == OBJECT_POD;
    const struct pod_spec *spec =
        is_pod ? ((const struct pod *)object)->spec : &((const struct workload *)object)->template;
    if (is_pod && ((const struct pod *)object)->has_status)
        return g_strdup(NO_ADDRESS "its status has no podIP");
    if (spec->host_network)
        return g_strdup(NO_ADDRESS "it uses the node's network, but no address of the node is "
                                   "known");
    char *unseen = cluster_read_why_not_seen(cluster, object, candidate->ordinal);
    if (unseen)
        return unseen;
    if (why_not_allocated(&cluster->pods, object))
        return g_strdup(why_not_allocated(&cluster->pods, object));
    return g_strdup(leases_first_family(cluster->leases, LEASE_POD) == 0
                        ? NO_ADDRESS "podCIDRs is empty"
                        : NO_ADDRESS "podCIDRs is full");
}

const char *cluster_read_why_no_cluster_ip(const struct cluster *cluster,
                                           const struct service_state *state)
{
    const struct service *service = state->object;
    struct service_view view;
    cluster_read_service_open(cluster, state, &view);
    bool needs_none = service->headless || service->type == SERVICE_EXTERNAL_NAME ||
                      view.addresses->len > 0 || view.as_headless;
    cluster_read_service_close(&view);
    if (needs_none)
        return NULL;
    const char *why = why_not_allocated(&cluster->pods, &service->object);
    if (why)
        return why + strlen(NO_ADDRESS);
    return leases_first_family(cluster->leases, LEASE_SERVICE) == 0 ? "serviceCIDRs is empty"
                                                                    : "serviceCIDRs is full";
}

static const char *why_not_ready(const struct object *object)
{
    if (object->kind == OBJECT_ENDPOINTS)
        return "not ready: listed in notReadyAddresses";
    if (object->kind != OBJECT_POD)
        return "not ready: its conditions say ready: false";
    return ((const struct pod *)object)->deleting
               ? "not ready: it is being deleted (deletionTimestamp)"
               : "not ready: its condition Ready is not True";
}

static const char *why_ended(const struct object *object)
{
    bool failed = object->kind == OBJECT_POD && ((const struct pod *)object)->phase == POD_FAILED;
    return failed ? "ended: its phase is Failed" : "ended: its phase is Succeeded";
}

char *cluster_read_why_left_out(const struct cluster *cluster,
                                const struct endpoint_candidate *candidate)
{
    switch (candidate->verdict) {
    case ENDPOINT_COUNTS: break;
    case ENDPOINT_NOT_READY: return g_strdup(why_not_ready(candidate->object));
    case ENDPOINT_TERMINATING:
        return g_strdup(candidate->object->kind == OBJECT_POD
                            ? "not ready: it is being deleted (deletionTimestamp), but still serves"
                            : "not ready: it is terminating, but still serves");
    case ENDPOINT_ENDED: return g_strdup(why_ended(candidate->object));
    case ENDPOINT_NO_ADDRESS: return why_no_address(cluster, candidate);
    case ENDPOINT_OTHER_FAMILY:
        return g_strdup(address_is_inet(candidate->address)
                            ? "an IPv4 address, but the Service is IPv6 only"
                            : "an IPv6 address, but the Service is IPv4 only");
    case ENDPOINT_NO_ROOM:
        return g_strdup("ready, but all Services together have too many endpoints");
    }
    return NULL;
}
