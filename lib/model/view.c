/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cluster as its readers see it. Walks the indexes that the cluster keeps for itself, and says
 * in words what the code elsewhere decides; it decides nothing of its own.
 */
#include "view.h"

#include <string.h>

#include "cluster_private.h"

/* As the cluster works things out, but without taking any lease: it may be in the middle of that,
 * and who gets which address depends on the order. */
struct eye {
    struct pods pods;
    struct service_options options;
};

static void eye_open(struct eye *eye, const struct cluster *cluster)
{
    eye->pods = cluster->pods;
    eye->pods.look_only = true;
    eye->options = cluster->service_options;
    eye->options.endpoints.pods = &eye->pods;
}

const struct namespace *view_namespace(const struct cluster *cluster, const char *name)
{
    const char *interned = name_intern(name, strlen(name));
    const struct namespace *namespace = g_hash_table_lookup(cluster->namespaces, interned);
    name_unref(interned);
    return namespace;
}

bool view_is_exposed(const struct cluster *cluster, const struct namespace *namespace)
{
    return cluster_exposes(cluster, namespace->name);
}

const struct service_state *view_service(const struct namespace *namespace, const char *name)
{
    const struct service_state *state = g_hash_table_lookup(namespace->services, name);
    return state && state->object ? state : NULL;
}

const struct workload_state *view_workload(const struct namespace *namespace, enum object_kind kind,
                                           const char *name)
{
    const struct workload_state *state = g_hash_table_lookup(
        namespace->workloads, &(struct owner){.kind = (uint8_t)kind, .name = name});
    return state && state->object ? state : NULL;
}

void view_namespaces(const struct cluster *cluster, view_namespace_fn each, void *userdata)
{
    GHashTableIter iter;
    gpointer namespace;
    g_hash_table_iter_init(&iter, cluster->namespaces);
    while (g_hash_table_iter_next(&iter, NULL, &namespace))
        if (((const struct namespace *)namespace)->mentions > 0)
            each(userdata, namespace);
}

void view_services(const struct namespace *namespace, view_service_fn each, void *userdata)
{
    GHashTableIter iter;
    gpointer state;
    g_hash_table_iter_init(&iter, namespace->services);
    while (g_hash_table_iter_next(&iter, NULL, &state))
        if (((const struct service_state *)state)->object)
            each(userdata, state);
}

void view_workloads(const struct namespace *namespace, view_workload_fn each, void *userdata)
{
    GHashTableIter iter;
    gpointer state;
    g_hash_table_iter_init(&iter, namespace->workloads);
    while (g_hash_table_iter_next(&iter, NULL, &state))
        if (((const struct workload_state *)state)->object)
            each(userdata, state);
}

static void view_replicas(const struct cluster *cluster, const struct workload_state *workload,
                          view_pod_fn each, void *userdata)
{
    struct eye eye;
    eye_open(&eye, cluster);
    for (uint32_t i = 0; i < workload->replicas; i++) {
        struct pod_view view;
        pods_view_replica(&eye.pods, workload->object, i, &view);
        each(userdata, &view, workload);
    }
}

void view_members(const struct namespace *namespace, view_object_fn each, void *userdata)
{
    GHashTableIter iter;
    const struct group *group;
    g_hash_table_iter_init(&iter, namespace->groups);
    while (g_hash_table_iter_next(&iter, (gpointer *)&group, NULL)) {
        const GPtrArray *members = group->members;
        for (guint i = 0; i < members->len; i++)
            each(userdata, members->pdata[i]);
    }
}

struct pods_walk {
    const struct cluster *cluster;
    const struct namespace *namespace;
    view_pod_fn each;
    void *userdata;
};

static void walk_member(void *userdata, const struct object *member)
{
    const struct pods_walk *walk = userdata;
    if (member->kind == OBJECT_POD) {
        struct pod_view view;
        struct eye eye;
        eye_open(&eye, walk->cluster);
        pods_view(&eye.pods, (const struct pod *)member, &view);
        walk->each(walk->userdata, &view, NULL);
        return;
    }
    const struct workload_state *workload =
        view_workload(walk->namespace, member->kind, member->name);
    if (workload)
        view_replicas(walk->cluster, workload, walk->each, walk->userdata);
}

void view_pods(const struct cluster *cluster, const struct namespace *namespace, view_pod_fn each,
               void *userdata)
{
    view_members(namespace, walk_member, &(struct pods_walk){cluster, namespace, each, userdata});
}

void view_slices(const struct service_state *state, view_object_fn each, void *userdata)
{
    const GPtrArray *slices = namespace_slices(state->namespace, state->owner.name);
    const struct endpoint_slice *endpoints =
        g_hash_table_lookup(state->namespace->endpoints, state->owner.name);
    for (guint i = 0; slices && i < slices->len; i++)
        each(userdata, &((const struct endpoint_slice *)slices->pdata[i])->object);
    if (endpoints)
        each(userdata, &endpoints->object);
}

struct shadowing {
    view_object_fn each;
    void *userdata;
};

static void if_shadowing(void *userdata, struct object *object)
{
    const struct shadowing *shadowing = userdata;
    if (object->shadowed)
        shadowing->each(shadowing->userdata, object);
}

void view_shadowing(const struct cluster *cluster, view_object_fn each, void *userdata)
{
    catalog_each(cluster->catalog, if_shadowing, &(struct shadowing){each, userdata});
}

#define NO_ADDRESS "no address: "

/* Why nothing is invented for an object; NULL: it might be. All begin with NO_ADDRESS. */
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

const char *view_why_no_replicas(const struct workload *workload)
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

char *view_why_unnameable(const struct workload *workload, uint32_t nameable)
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

char *view_why_fewer(const struct cluster *cluster, const struct workload_state *state)
{
    const struct workload *workload = state->object;
    uint32_t wanted = workload_replicas(state), nameable = workload_nameable(workload, wanted);
    if (workload_is_owned(cluster->catalog, workload))
        return g_strdup_printf("%s %s owns it and provides its pods",
                               object_kind_name(workload->owner.kind), workload->owner.name);
    if (workload_has_pods(cluster->catalog, state))
        return g_strdup("Pods of its own are in the files and count instead");
    if (wanted == 0)
        return g_strdup(view_why_no_replicas(workload));
    if (state->crowded)
        return g_strdup_printf("all workloads together have more than %u replicas",
                               ACCOUNT_REPLICAS_MAX);
    if (nameable < wanted)
        return view_why_unnameable(workload, nameable);
    if (state->adopted > 0)
        return why_adopted(state->adopted);
    if (state->replicas > 0)
        return NULL;
    if (cluster->pods.sightings)
        return NULL;
    const char *why = why_not_allocated(&cluster->pods, &workload->object);
    return why ? g_strdup(why + strlen(NO_ADDRESS)) : NULL;
}

char *view_why_unseen(const struct cluster *cluster, const struct workload_state *state)
{
    uint32_t unseen = 0;
    if (!cluster->pods.sightings || !pods_is_open_workload(state->object))
        return NULL;
    const struct holder_key key = {state->identity.kind, state->namespace->name,
                                   state->identity.name};
    for (uint32_t i = 0; i < state->replicas; i++)
        unseen += sightings_find(cluster->sightings, &key, i) == NULL;
    return unseen == 0 ? NULL
                       : g_strdup_printf("%u of %u pods not seen in %s", unseen, state->replicas,
                                         cluster->options->runtimes);
}

char *view_relation(const struct cluster *cluster, const struct namespace *namespace,
                    const struct pod *pod)
{
    const struct workload_state *state;
    enum pod_relation relation = workload_of_pod(cluster->catalog, namespace, pod, &state);
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

char *view_why_not_seen(const struct cluster *cluster, const struct object *object,
                        uint32_t ordinal)
{
    const struct holder_key key = {object->kind, object->namespace, object->name};
    uint32_t first = object->kind == OBJECT_POD ? 0 : ((const struct workload *)object)->ordinal;
    if (!cluster->pods.sightings || !is_open(cluster, object) ||
        sightings_find(cluster->sightings, &key, ordinal - first))
        return NULL;
    const struct sighting *contested =
        sightings_contested(cluster->sightings, &key, ordinal - first);
    if (!contested)
        return g_strdup_printf("not seen in %s", cluster->options->runtimes);
    g_autofree char *claimants = sightings_claimants(cluster->sightings, contested);
    return g_strdup_printf("%s runs %s, which may be a pod of %s", runtime_name(contested->runtime),
                           contested->name, claimants);
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
    char *unseen = view_why_not_seen(cluster, object, candidate->ordinal);
    if (unseen)
        return unseen;
    if (why_not_allocated(&cluster->pods, object))
        return g_strdup(why_not_allocated(&cluster->pods, object));
    return g_strdup(leases_first_family(cluster->leases, LEASE_POD) == 0
                        ? NO_ADDRESS "podCIDRs is empty"
                        : NO_ADDRESS "podCIDRs is full");
}

const char *view_why_no_cluster_ip(const struct cluster *cluster, const struct service_state *state)
{
    const struct service *service = state->object;
    struct view_service view;
    view_service_open(cluster, state, &view);
    bool needs_none = service->headless || service->type == SERVICE_EXTERNAL_NAME ||
                      view.addresses->len > 0 || view.as_headless;
    view_service_close(&view);
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

char *view_why_left_out(const struct cluster *cluster, const struct endpoint_candidate *candidate)
{
    switch (candidate->verdict) {
    case ENDPOINT_COUNTS: break;
    case ENDPOINT_NOT_READY: return g_strdup(why_not_ready(candidate->object));
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

static void count_endpoint(void *userdata, const struct endpoint_candidate *candidate)
{
    struct view_service *view = userdata;
    if (candidate->verdict != ENDPOINT_COUNTS)
        return;
    view->n_endpoints++;
    view->as_headless |= candidate->origin != ADDRESS_ALLOCATED;
}

void view_service_open(const struct cluster *cluster, const struct service_state *state,
                       struct view_service *view)
{
    const struct service *service = state->object;
    *view = (struct view_service){.addresses = g_array_new(FALSE, FALSE, sizeof(struct address))};
    if (service->type == SERVICE_EXTERNAL_NAME)
        return;
    struct eye eye;
    eye_open(&eye, cluster);
    bool leased = service_addresses(state, &eye.options, view->addresses);
    if (view->addresses->len > 0)
        view->origin = leased ? VIEW_ALLOCATED : VIEW_STATED;
    view->source = endpoints_source(&eye.options.endpoints, state);
    view_endpoints(cluster, state, count_endpoint, view);
    view->as_headless |= service_has_real_pods(state, &eye.options);
    view->as_headless = view->as_headless && !service->headless && view->addresses->len == 0 &&
                        pods_may_allocate(&cluster->pods, &service->object);
}

void view_service_close(struct view_service *view)
{
    g_clear_pointer(&view->addresses, g_array_unref);
}

struct crowded {
    endpoint_each each;
    void *userdata;
};

static void tell_crowded(void *userdata, const struct endpoint_candidate *candidate)
{
    const struct crowded *crowded = userdata;
    struct endpoint_candidate told = *candidate;
    if (told.verdict == ENDPOINT_COUNTS)
        told.verdict = ENDPOINT_NO_ROOM;
    crowded->each(crowded->userdata, &told);
}

void view_endpoints(const struct cluster *cluster, const struct service_state *state,
                    endpoint_each each, void *userdata)
{
    struct crowded crowded = {each, userdata};
    struct eye eye;
    eye_open(&eye, cluster);
    endpoints_each(&eye.options.endpoints, state, service_families(state, &eye.options),
                   state->crowded ? tell_crowded : each, state->crowded ? &crowded : userdata);
}

static gpointer any_key(GHashTable *set)
{
    GHashTableIter iter;
    gpointer key = NULL;
    g_hash_table_iter_init(&iter, set);
    return g_hash_table_iter_next(&iter, &key, NULL) ? key : NULL;
}

struct view_crowded view_crowded(const struct cluster *cluster)
{
    const struct service_state *service = any_key(cluster->crowded);
    const struct workload_state *workload = any_key(cluster->crowded_workloads);
    return (struct view_crowded){
        .n_services = g_hash_table_size(cluster->crowded),
        .n_workloads = g_hash_table_size(cluster->crowded_workloads),
        .service = service && service->object ? &service->object->object : NULL,
        .workload = workload && workload->object ? &workload->object->object : NULL,
    };
}

struct view_leases view_leases(const struct cluster *cluster, enum lease_use use)
{
    struct view_leases view = {.refused = leases_refused(cluster->leases, use)};
    leases_count(cluster->leases, use, &view.held, &view.size);
    return view;
}

void view_sightings(const struct cluster *cluster, view_sighting_fn each, void *userdata)
{
    sightings_each(cluster->sightings, each, userdata);
}

char *view_claimants(const struct cluster *cluster, const struct sighting *sighting)
{
    return sightings_claimants(cluster->sightings, sighting);
}

bool view_asks_runtimes(const struct cluster *cluster)
{
    return cluster->pods.sightings != NULL;
}
