/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cluster: whatever happened to the files and in whichever order, the state of its sink is that
 * of a fresh cluster with the same files and leases. Files are random and small, names few, so that
 * everything affects everything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "daemon/publish/publisher.h"
#include "daemon/publish/record.h"
#include "lib/manifest/manifest.h"
#include "lib/model/cluster.h"
#include "lib/model/cluster_read.h"

#define FILES 6u
#define RUNTIME_FILES 3u
#define WITH_RUNTIMES 16u /* of the options */

/* --- a sink that remembers everything as text --- */

static int compare_strings(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *addresses_text(const GArray *addresses)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; addresses && i < addresses->len; i++) {
        char text[ADDRESS_TEXT_MAX];
        address_format(&g_array_index(addresses, struct address, i), text);
        if (!g_ptr_array_find_with_equal_func(texts, text, g_str_equal, NULL))
            g_ptr_array_add(texts, g_strdup(text));
    }
    g_ptr_array_sort(texts, compare_strings);
    g_ptr_array_add(texts, NULL);
    return g_strjoinv(",", (char **)texts->pdata);
}

static void on_namespace(void *userdata, const char *name, bool exists, bool exposed)
{
    char *key = g_strdup_printf("n %s", name);
    if (exists)
        g_hash_table_insert(userdata, key, g_strdup(exposed ? "exposed" : "hidden"));
    else {
        g_hash_table_remove(userdata, key);
        g_free(key);
    }
}

static void on_service(void *userdata, const struct zone_service *service)
{
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; service->endpoints && i < service->endpoints->len; i++) {
        const struct zone_endpoint *endpoint =
            &g_array_index(service->endpoints, struct zone_endpoint, i);
        g_autofree char *text = addresses_text(endpoint->addresses);
        g_ptr_array_add(parts, g_strdup_printf("%s=%s", endpoint->label, text));
    }
    for (guint i = 0; service->ports && i < service->ports->len; i++) {
        const struct zone_port *port = &g_array_index(service->ports, struct zone_port, i);
        g_autofree char *text = addresses_text(port->addresses);
        g_ptr_array_add(parts, g_strdup_printf("%s/%u:%u=%s", port->name ? port->name : "",
                                               port->protocol, port->number, text));
    }
    g_ptr_array_sort(parts, compare_strings);
    g_ptr_array_add(parts, NULL);
    g_autofree char *joined = g_strjoinv(" ", (char **)parts->pdata);
    g_autofree char *own = addresses_text(service->addresses);
    g_autofree char *unnamed = addresses_text(service->unnamed);
    g_hash_table_insert(userdata, g_strdup_printf("s %s.%s", service->name, service->ns),
                        g_strdup_printf("%d %d [%s] [%s] %s %s", service->type, service->hidden,
                                        own, unnamed, joined,
                                        service->target ? service->target : ""));
}

static void on_service_gone(void *userdata, const char *ns, const char *name)
{
    g_autofree char *key = g_strdup_printf("s %s.%s", name, ns);
    g_hash_table_remove(userdata, key);
}

static char *address_key(const struct address *address)
{
    char text[ADDRESS_TEXT_MAX];
    address_format(address, text);
    return g_strdup_printf("a %s", text);
}

static void on_address(void *userdata, const struct zone_address *address)
{
    g_autoptr(GPtrArray) pods = g_ptr_array_new();
    for (guint i = 0; i < address->pods->len; i++)
        g_ptr_array_add(pods, address->pods->pdata[i]);
    g_ptr_array_sort(pods, compare_strings);
    g_ptr_array_add(pods, NULL);
    g_autofree char *joined = g_strjoinv(",", (char **)pods->pdata);
    g_hash_table_insert(
        userdata, address_key(&address->address),
        g_strdup_printf("%d %s %s", address->known, address->name ? address->name : "-", joined));
}

static void on_address_gone(void *userdata, const struct address *address)
{
    g_autofree char *key = address_key(address);
    g_hash_table_remove(userdata, key);
}

/* --- a cluster with its zone and its leases, as a daemon and its journal have them --- */

struct world {
    struct cluster *cluster;
    unsigned looks; /* between two pieces of its work */
    GHashTable *zone;
    GString *journal; /* lines of the leases' history */
    GArray *node_ips, *pod_cidrs, *service_cidrs;
};

static void on_lease(void *userdata, enum lease_event event, const struct lease *lease)
{
    struct world *world = userdata;
    char text[ADDRESS_TEXT_MAX];
    address_format(&lease->address, text);
    g_string_append_printf(world->journal, "%d %d %s %s\n", event, lease->use, text, lease->key);
}

static void restore(struct world *world, const char *journal)
{
    g_auto(GStrv) lines = g_strsplit(journal, "\n", -1);
    for (char **line = lines; *line && **line; line++) {
        g_auto(GStrv) fields = g_strsplit(*line, " ", 4);
        struct address address;
        assert_true(address_parse(&address, fields[2], strlen(fields[2])));
        leases_restore(cluster_leases(world->cluster), (enum lease_event)atoi(fields[0]),
                       (enum lease_use)atoi(fields[1]), &address, fields[3]);
    }
    g_string_assign(world->journal, journal);
}

/* --- reading while the cluster is at work --- */

static void look_at_endpoint(void *userdata, const struct endpoint_candidate *candidate)
{
    const struct world *world = userdata;
    g_free(cluster_read_why_left_out(world->cluster, candidate));
    g_free(object_describe(candidate->object));
}

static void look_at_service(void *userdata, const struct service_state *state)
{
    struct world *world = userdata;
    struct service_view view;
    cluster_read_service_open(world->cluster, state, &view);
    cluster_read_service_close(&view);
    cluster_read_endpoints(world->cluster, state, look_at_endpoint, world);
}

static void look_at_workload(void *userdata, const struct workload_state *state)
{
    const struct world *world = userdata;
    g_free(cluster_read_why_fewer(world->cluster, state));
}

static void look_at_pod(void *userdata, const struct pod_view *pod,
                        const struct workload_state *workload)
{
    (void)userdata, (void)workload;
    for (uint32_t i = 0; i < pod->n; i++)
        assert_true(address_family(&pod->addresses[i]) > 0);
}

static void look_at_object(void *userdata, const struct object *object)
{
    (void)userdata;
    g_free(object_describe(object));
}

static void look_at_namespace(void *userdata, const struct ns *ns)
{
    struct world *world = userdata;
    cluster_read_services(ns, look_at_service, world);
    cluster_read_workloads(ns, look_at_workload, world);
    cluster_read_members(ns, look_at_object, world);
    cluster_read_pods(world->cluster, ns, look_at_pod, world);
}

/* Reads everything. It must be consistent, and create no lease. */
static void look_around(void *userdata)
{
    struct world *world = userdata;
    gsize before = world->journal->len;
    world->looks++;
    cluster_read_namespaces(world->cluster, look_at_namespace, world);
    cluster_read_shadowing(world->cluster, look_at_object, world);
    (void)cluster_read_leases(world->cluster, LEASE_POD);
    assert_int_equal(world->journal->len, before);
}

static void add_range(GArray *ranges, const char *text)
{
    struct address_range range;
    assert_true(address_range_parse(&range, text));
    g_array_append_val(ranges, range);
}

static void configure(struct world *world, unsigned options)
{
    static char runtimes[] = "podman or cni", node[] = "n1";
    cluster_configure(world->cluster, &(struct cluster_options){
                                          .node_ips = world->node_ips,
                                          .pod_cidrs = world->pod_cidrs,
                                          .service_cidrs = world->service_cidrs,
                                          .allocate = !(options & 1),
                                          .pod_names = !(options & 2),
                                          .endpoint_pod_names = options & 4,
                                          .ignore_empty_service = options & 8,
                                          .runtimes = options & WITH_RUNTIMES ? runtimes : NULL,
                                          .node = options & WITH_RUNTIMES ? node : NULL,
                                      });
}

static void world_init(struct world *world, unsigned options)
{
    world->zone = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    world->journal = g_string_new(NULL);
    world->cluster = cluster_new(&(struct zone_sink){.ns = on_namespace,
                                                     .service = on_service,
                                                     .service_gone = on_service_gone,
                                                     .address = on_address,
                                                     .address_gone = on_address_gone,
                                                     .userdata = world->zone},
                                 on_lease, world, (struct between){look_around, world});
    world->node_ips = g_array_new(FALSE, FALSE, sizeof(struct address));
    world->pod_cidrs = g_array_new(FALSE, FALSE, sizeof(struct address_range));
    world->service_cidrs = g_array_new(FALSE, FALSE, sizeof(struct address_range));
    struct address node;
    assert_true(address_parse(&node, "192.0.2.7", 9));
    g_array_append_val(world->node_ips, node);
    add_range(world->pod_cidrs, "10.244.0.0/16");
    add_range(world->pod_cidrs, "fd00:244::/64");
    add_range(world->service_cidrs, "10.96.0.0/16");
    configure(world, options);
}

static void world_clear(struct world *world)
{
    cluster_free(world->cluster);
    g_hash_table_unref(world->zone);
    g_string_free(world->journal, TRUE);
    g_array_unref(world->node_ips);
    g_array_unref(world->pod_cidrs);
    g_array_unref(world->service_cidrs);
}

/* --- random files --- */

static unsigned pick(GRand *random, unsigned n)
{
    return (unsigned)g_rand_int_range(random, 0, (gint32)n);
}

static const char *const names[] = {"a", "b", "web", "web-x"};
static const char *const namespaces[] = {"moon", "sun"};

static void add_meta(GString *out, GRand *random, const char *kind, const char *extra)
{
    static const char *const ends[] = {"", "-0", "-1", "-x7kp2", "-5d8f7c9b-x7kp2", "-debug"};
    g_string_append_printf(out, "metadata:\n  name: %s%s\n  namespace: %s\n%s",
                           names[pick(random, 4)],
                           strcmp(kind, "Pod") == 0 ? ends[pick(random, G_N_ELEMENTS(ends))] : "",
                           namespaces[pick(random, 2)], extra);
    if (pick(random, 8) == 0)
        g_string_append(out, "  uid: 6a1b\n");
}

static void add_labels(GString *out, GRand *random, const char *indent)
{
    g_string_append_printf(out, "%slabels: {app: %s, tier: %s%s}\n", indent, names[pick(random, 3)],
                           pick(random, 2) ? "x" : "z",
                           pick(random, 4) ? "" : ", pod-template-hash: 5d8f7c9b");
}

static void add_service(GString *out, GRand *random)
{
    static const char *const ips[] = {"",
                                      "",
                                      "  clusterIP: None\n",
                                      "  clusterIP: None\n",
                                      "  clusterIP: 10.96.0.1\n",
                                      "  clusterIP: 10.96.7.7\n"};
    g_string_append(out, "apiVersion: v1\nkind: Service\n");
    add_meta(out, random, "Service", "");
    g_string_append_printf(out, "spec:\n%s", ips[pick(random, 6)]);
    if (pick(random, 6) == 0)
        g_string_append(out, "  type: ExternalName\n  externalName: a.moon.svc.cluster.local\n");
    if (pick(random, 4) > 0)
        g_string_append_printf(out, "  selector: {%s: %s}\n", pick(random, 3) ? "app" : "tier",
                               pick(random, 2) ? "web" : "x");
    else if (pick(random, 3) == 0)
        g_string_append(out, "  selector: {statefulset.kubernetes.io/pod-name: web-1}\n");
    if (pick(random, 4) == 0)
        g_string_append(out, "  publishNotReadyAddresses: true\n");
    if (pick(random, 4) == 0)
        g_string_append(out, "  ipFamilyPolicy: PreferDualStack\n");
    if (pick(random, 2))
        g_string_append(out, "  ports: [{name: http, port: 80, targetPort: web}, {port: 53, "
                             "protocol: UDP}]\n");
}

static void add_slice(GString *out, GRand *random)
{
    g_string_append_printf(out,
                           "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
                           "metadata:\n  name: s%u\n  namespace: %s\n"
                           "  labels: {kubernetes.io/service-name: %s}\naddressType: IPv4\n"
                           "ports: [{name: http, port: 8080}]\nendpoints:\n",
                           pick(random, 4), namespaces[pick(random, 2)], names[pick(random, 4)]);
    for (unsigned i = 0, n = 1 + pick(random, 3); i < n; i++)
        g_string_append_printf(out, "- {addresses: [10.%u.0.%u], conditions: {ready: %s}%s}\n",
                               pick(random, 2) ? 244 : 50, 1 + pick(random, 6),
                               pick(random, 3) ? "true" : "false",
                               pick(random, 2) ? ", hostname: h1" : "");
}

static void add_endpoints(GString *out, GRand *random)
{
    g_string_append(out, "apiVersion: v1\nkind: Endpoints\n");
    add_meta(out, random, "Endpoints", "");
    g_string_append_printf(out, "subsets: [{addresses: [{ip: 10.60.0.%u}]}]\n",
                           1 + pick(random, 4));
}

static void add_pod_spec(GString *out, GRand *random, const char *indent)
{
    if (pick(random, 5) == 0)
        g_string_append_printf(out, "%shostNetwork: true\n", indent);
    if (pick(random, 3) == 0)
        g_string_append_printf(out, "%shostname: h2\n%ssubdomain: %s\n", indent, indent,
                               names[pick(random, 3)]);
    g_string_append_printf(out,
                           "%scontainers: [{name: c, image: i, ports: [{name: web, "
                           "containerPort: 8080}]}]\n",
                           indent);
}

static void add_pod(GString *out, GRand *random)
{
    g_string_append(out, "apiVersion: v1\nkind: Pod\n");
    add_meta(out, random, "Pod", "");
    add_labels(out, random, "  ");
    if (pick(random, 4) == 0)
        g_string_append_printf(out, "  ownerReferences: [{kind: %s, name: %s, controller: true}]\n",
                               pick(random, 2) ? "ReplicaSet" : "StatefulSet",
                               names[pick(random, 4)]);
    if (pick(random, 5) == 0)
        g_string_append(out, "  annotations: {kubesvc.io/addresses: '10.70.0.1,fd00:70::1'}\n");
    g_string_append(out, "spec:\n");
    add_pod_spec(out, random, "  ");
    if (pick(random, 2))
        g_string_append_printf(out,
                               "status: {phase: %s, podIP: 10.%u.0.%u, conditions: [{type: Ready, "
                               "status: '%s'}]}\n",
                               pick(random, 6) ? "Running" : "Failed", pick(random, 2) ? 244 : 51,
                               1 + pick(random, 6), pick(random, 4) ? "True" : "False");
}

static void add_workload(GString *out, GRand *random)
{
    static const char *const kinds[] = {"apps/v1\nkind: Deployment", "apps/v1\nkind: ReplicaSet",
                                        "apps/v1\nkind: StatefulSet", "apps/v1\nkind: DaemonSet",
                                        "batch/v1\nkind: Job"};
    g_string_append_printf(out, "apiVersion: %s\n", kinds[pick(random, 5)]);
    add_meta(out, random, "", "");
    if (pick(random, 4) == 0)
        g_string_append_printf(
            out, "  ownerReferences: [{kind: Deployment, name: %s, controller: true}]\n",
            names[pick(random, 4)]);
    g_string_append_printf(out, "spec:\n  parallelism: %u\n  serviceName: %s\n", pick(random, 3),
                           names[pick(random, 3)]);
    if (pick(random, 3) > 0)
        g_string_append_printf(out, "  replicas: %u\n", pick(random, 4));
    g_string_append_printf(out,
                           "  selector: {matchLabels: {app: %s}}\n  template:\n    metadata:\n",
                           names[pick(random, 3)]);
    add_labels(out, random, "      ");
    g_string_append(out, "    spec:\n");
    add_pod_spec(out, random, "      ");
}

static void add_autoscaler(GString *out, GRand *random)
{
    static const char *const kinds[] = {"Deployment", "ReplicaSet", "StatefulSet"};
    g_string_append(out, "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n");
    add_meta(out, random, "", "");
    g_string_append_printf(out,
                           "spec: {minReplicas: %u, maxReplicas: 9, scaleTargetRef: {kind: %s, "
                           "name: %s}}\n",
                           pick(random, 4), kinds[pick(random, 3)], names[pick(random, 4)]);
}

static char *random_file(GRand *random)
{
    GString *out = g_string_new(NULL);
    for (unsigned i = 0, n = pick(random, 6); i < n; i++) {
        g_string_append(out, "---\n");
        switch (pick(random, 9)) {
        case 0:
        case 1: add_service(out, random); break;
        case 2: add_slice(out, random); break;
        case 3: add_endpoints(out, random); break;
        case 4:
        case 5: add_pod(out, random); break;
        case 6: add_autoscaler(out, random); break;
        default: add_workload(out, random); break;
        }
    }
    return g_string_free(out, FALSE);
}

/* What a file of a runtime says, a matter of its seed; 0: nothing. The last one knows namespaces.
 */
static void see_random(struct world *world, unsigned file, guint32 seed)
{
    static const char *const ends[] = {"",   "-pod", "-pod-0", "-pod-1",          "-0",
                                       "-1", "-n1",  "-x7kp2", "-5d8f7c9b-x7kp2", "-other"};
    g_autofree char *path = g_strdup_printf("/run/%u", file);
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    bool is_cni = file == RUNTIME_FILES - 1;
    GPtrArray *sightings = seed ? g_ptr_array_new() : NULL;
    for (unsigned i = 0, n = seed ? pick(random, 9) : 0; i < n; i++) {
        g_autofree char *name =
            g_strconcat(names[pick(random, 4)], ends[pick(random, G_N_ELEMENTS(ends))], NULL);
        g_autofree char *text =
            g_strdup_printf("10.%u.0.%u", pick(random, 4) ? 89 : 244, 1 + pick(random, 9));
        struct address address;
        struct sighting *sighting =
            sighting_new(is_cni ? RUNTIME_CNI : RUNTIME_PODMAN,
                         is_cni ? namespaces[pick(random, 2)] : NULL, name, is_cni ? NULL : path);
        assert_true(address_parse(&address, text, strlen(text)));
        sighting_add(sighting, &address);
        if (pick(random, 4) == 0 && address_parse(&address, "fd00:89::7", 10))
            sighting_add(sighting, &address);
        sighting->since = name[0] + name[strlen(name) - 1] + text[strlen(text) - 1];
        g_ptr_array_add(sightings, sighting);
    }
    cluster_see(world->cluster, GUINT_TO_POINTER(file + 1), sightings);
}

struct text_input {
    const char *text;
    size_t left;
};

static ssize_t read_text(void *userdata, void *buffer, size_t size)
{
    struct text_input *input = userdata;
    size_t n = MIN(size, input->left);
    memcpy(buffer, input->text, n);
    input->text += n;
    input->left -= n;
    return (ssize_t)n;
}

static GPtrArray *read_objects(struct source *source, const char *text)
{
    struct text_input input = {text, strlen(text)};
    const struct manifest_options options = {.default_namespace = "default", .max_size = 1 << 20};
    g_autoptr(GPtrArray) diagnostics = NULL;
    GPtrArray *objects;
    if (manifest_read(source, &options, read_text, &input, &objects, &diagnostics) != MANIFEST_DONE)
        fail_msg("not readable:\n%s", text);
    return objects;
}

static struct source *source_of(unsigned file)
{
    g_autofree char *path = g_strdup_printf("/m/%u.yaml", file);
    return source_new(path, file % 2, file != 5, NULL);
}

/* Its directory has another rank, zone and `allocate`. */
static void move(struct world *world, struct source **sourcep, GRand *random)
{
    struct source *before = *sourcep;
    *sourcep = source_new(before->path, pick(random, 3), pick(random, 4) != 0,
                          pick(random, 3) == 0 ? "east.example" : NULL);
    cluster_move(world->cluster, before, *sourcep);
    source_unref(before);
}

static void assert_same(GHashTable *a, GHashTable *b, const char *what, unsigned step)
{
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, a);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const char *other = g_hash_table_lookup(b, key);
        if (g_strcmp0(value, other) != 0)
            fail_msg("step %u, %s: %s is\n%s\nand elsewhere\n%s", step, what, (char *)key,
                     (char *)value, other ? other : "(nothing)");
    }
    assert_int_equal(g_hash_table_size(a), g_hash_table_size(b));
}

static void run_seed(guint32 seed)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    struct world world;
    struct source *sources[FILES];
    char *texts[FILES] = {0};
    guint32 seen[RUNTIME_FILES] = {0};
    unsigned options = pick(random, 2 * WITH_RUNTIMES);
    world_init(&world, options);
    for (unsigned i = 0; i < FILES; i++)
        sources[i] = source_of(i);
    cluster_reconcile(world.cluster);
    for (unsigned step = 0; step < 25; step++) {
        for (unsigned i = 0, n = 1 + pick(random, 2); i < n; i++) {
            unsigned file = pick(random, FILES);
            g_free(texts[file]);
            texts[file] = pick(random, 4) ? random_file(random) : NULL;
            cluster_replace(world.cluster, sources[file],
                            texts[file] ? read_objects(sources[file], texts[file]) : NULL);
        }
        if (pick(random, 2)) {
            unsigned file = pick(random, RUNTIME_FILES);
            seen[file] = pick(random, 5) ? g_rand_int(random) : 0;
            see_random(&world, file, seen[file]);
        }
        if (pick(random, 4) == 0)
            move(&world, &sources[pick(random, FILES)], random);
        if (pick(random, 10) == 0) {
            options = pick(random, 2 * WITH_RUNTIMES);
            configure(&world, options);
        }
        cluster_reconcile(world.cluster);
        struct world fresh;
        world_init(&fresh, options);
        restore(&fresh, world.journal->str);
        for (unsigned i = FILES; i-- > 0;)
            if (texts[i])
                cluster_replace(fresh.cluster, sources[i], read_objects(sources[i], texts[i]));
        for (unsigned i = RUNTIME_FILES; i-- > 0;)
            see_random(&fresh, i, seen[i]);
        cluster_reconcile(fresh.cluster);
        assert_same(world.zone, fresh.zone, "changed step by step", step);
        assert_same(fresh.zone, world.zone, "loaded afresh", step);
        assert_string_equal(world.journal->str, fresh.journal->str);
        world_clear(&fresh);
    }
    for (unsigned i = 0; i < FILES; i++) {
        cluster_replace(world.cluster, sources[i], NULL);
        g_free(texts[i]);
    }
    for (unsigned i = 0; i < RUNTIME_FILES; i++)
        see_random(&world, i, 0);
    cluster_reconcile(world.cluster);
    assert_int_equal(g_hash_table_size(world.zone), 0);
    world_clear(&world);
    for (unsigned i = 0; i < FILES; i++)
        source_unref(sources[i]);
}

static void steps_lead_where_a_fresh_load_does(void **state)
{
    (void)state;
    for (guint32 seed = 1; seed <= 60; seed++) {
        print_message("seed %u\n", seed);
        run_seed(seed);
    }
}

/* --- large objects --- */

static void say(struct world *world, struct source *source, const char *text)
{
    cluster_replace(world->cluster, source, text ? read_objects(source, text) : NULL);
}

/* While a large one is worked out, something else can be done every now and then. */
static void many_objects_are_taken_in_piece_by_piece(void **state)
{
    (void)state;
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < 50; i++)
        g_string_append_printf(text,
                               "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%u, "
                               "namespace: moon}\nspec: {clusterIP: 10.96.1.%u}\n",
                               i, i + 1);
    struct source *source = source_of(0);
    struct world world;
    world_init(&world, 0);
    say(&world, source, text->str);
    assert_true(world.looks >= 50);
    assert_true(cluster_taken(world.cluster) == 50);
    assert_int_equal(g_hash_table_size(world.zone), 0);
    cluster_reconcile(world.cluster);
    assert_true(world.looks >= 100);
    assert_int_equal(g_hash_table_size(world.zone), 50 + 50 + 1);
    say(&world, source, NULL);
    assert_true(world.looks >= 150);
    cluster_reconcile(world.cluster);
    assert_int_equal(g_hash_table_size(world.zone), 0);
    world_clear(&world);
    source_unref(source);
}

/* Lists of ports times endpoints: neither memory nor time grows with the product. */
static void many_ports_of_many_endpoints(void **state)
{
    (void)state;
    g_autoptr(GString) text = g_string_new("apiVersion: v1\nkind: Service\nmetadata: {name: sip, "
                                           "namespace: moon}\nspec: {clusterIP: None}\n");
    for (unsigned i = 0; i < 2; i++) {
        g_string_append_printf(text,
                               "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
                               "metadata: {name: s%u, namespace: moon, labels: "
                               "{kubernetes.io/service-name: sip}}\naddressType: IPv4\nports:\n",
                               i);
        for (unsigned j = 0; j < 5000 + i; j++)
            g_string_append_printf(text, "- {name: p%u, port: %u}\n", j, j + 1);
        g_string_append(text, "endpoints:\n");
        for (unsigned j = 0; j < 5000; j++)
            g_string_append_printf(text, "- {addresses: [10.%u.%u.%u]}\n", i, j >> 8, j & 255);
    }
    struct source *source = source_of(0);
    struct snapshot_writer *writer = NULL;
    assert_int_equal(snapshot_writer_new(&writer), 0);
    struct publisher *publisher = publisher_new(writer);
    struct cluster *cluster =
        cluster_new(publisher_sink(publisher), on_lease, NULL, (struct between){NULL, NULL});
    g_autoptr(GArray) none = g_array_new(FALSE, FALSE, sizeof(struct address));
    cluster_configure(cluster, &(struct cluster_options){
                                   .node_ips = none, .pod_cidrs = none, .service_cidrs = none});
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_DATA, &before), 0);
    limit = before;
    cluster_replace(cluster, source, read_objects(source, text->str));
#ifndef __SANITIZE_ADDRESS__ /* which needs more than that for itself */
    limit.rlim_cur = 256 << 20;
#endif
    assert_int_equal(setrlimit(RLIMIT_DATA, &limit), 0);
    cluster_reconcile(cluster);
    assert_int_equal(setrlimit(RLIMIT_DATA, &before), 0);
    struct record_key key;
    assert_true(record_key_service(&key, "sip", "moon"));
    struct snapshot_record record = snapshot_writer_find(writer, key.bytes, key.length);
    assert_in_range(record.length, 2 * 5000 * 4, 2 << 20);
    cluster_free(cluster);
    publisher_free(publisher);
    snapshot_writer_free(writer);
    source_unref(source);
}

/* An address released during an update goes to a waiting object at once, not with some later
 * change. */
static void who_waits_gets_what_is_given_up(void **state)
{
    (void)state;
    static const char deployment[] =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %s, namespace: moon}\n"
        "spec: {replicas: %u, selector: {matchLabels: {app: %s}}, template: {metadata: "
        "{labels: {app: %s}}, spec: {containers: [{name: c, image: i}]}}}\n---\n";
    struct source *source = source_of(0);
    struct world world;
    world_init(&world, 0);
    g_array_set_size(world.pod_cidrs, 0);
    add_range(world.pod_cidrs, "10.244.0.0/29"); /* six addresses */
    configure(&world, 0);
    g_autofree char *waiting = g_strdup_printf(deployment, "a", 4, "a", "a");
    g_autofree char *before = g_strdup_printf(deployment, "b", 6, "b", "b");
    g_autofree char *after = g_strdup_printf(deployment, "b", 1, "b", "b");
    g_autofree char *both = g_strconcat(waiting, after, NULL);
    say(&world, source, before);
    cluster_reconcile(world.cluster);
    say(&world, source, both);
    cluster_reconcile(world.cluster);
    assert_int_equal(leases_exhausted(cluster_leases(world.cluster), LEASE_POD), 0);
    world_clear(&world);
    source_unref(source);
}

/* What held leases before its range went gives them up all the same when it goes itself. */
static void leases_end_without_a_range(void **state)
{
    (void)state;
    struct source *source = source_of(0);
    struct world world;
    uint64_t held, size;
    world_init(&world, 0);
    g_array_set_size(world.pod_cidrs, 0);
    add_range(world.pod_cidrs, "10.244.0.0/29"); /* six addresses */
    configure(&world, 0);
    say(&world, source,
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: moon}\n"
        "spec: {replicas: 8, selector: {matchLabels: {app: a}}, template: {metadata: "
        "{labels: {app: a}}, spec: {containers: [{name: c, image: i}]}}}\n");
    cluster_reconcile(world.cluster);
    assert_int_equal(leases_exhausted(cluster_leases(world.cluster), LEASE_POD), 2);
    g_array_set_size(world.pod_cidrs, 0);
    configure(&world, 0);
    cluster_reconcile(world.cluster);
    say(&world, source, NULL);
    cluster_reconcile(world.cluster);
    leases_count(cluster_leases(world.cluster), LEASE_POD, &held, &size);
    assert_int_equal(held, 0);
    assert_int_equal(leases_exhausted(cluster_leases(world.cluster), LEASE_POD), 0);
    world_clear(&world);
    source_unref(source);
}

static void say_deployment(struct world *world, struct source *source, const char *name,
                           unsigned replicas)
{
    g_autofree char *text = g_strdup_printf(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %s, namespace: moon}\n"
        "spec: {replicas: %u, selector: {matchLabels: {app: a}}, template: {metadata: "
        "{labels: {app: a}, annotations: {kubesvc.io/addresses: 10.0.0.1}},"
        " spec: {containers: [{name: c, image: i}]}}}\n",
        name, replicas);
    say(world, source, text);
    cluster_reconcile(world->cluster);
}

static void add_replicas(void *userdata, const struct workload_state *state)
{
    *(unsigned *)userdata += state->replicas;
}

static void add_namespace(void *userdata, const struct ns *ns)
{
    cluster_read_workloads(ns, add_replicas, userdata);
}

static unsigned all_replicas(const struct world *world)
{
    unsigned n = 0;
    cluster_read_namespaces(world->cluster, add_namespace, &n);
    return n;
}

/* A few lines of manifest can ask for any number of replicas. A workload without room keeps its
 * replicas, and gets all of them once there is room. */
static void replicas_have_an_account(void **state)
{
    (void)state;
    struct source *sources[8];
    struct world world;
    world_init(&world, 0);
    for (unsigned i = 0; i < 8; i++) {
        g_autofree char *name = g_strdup_printf("d%u", i);
        sources[i] = source_of(i * 2);
        say_deployment(&world, sources[i], name, i == 7 ? 10 : 100000);
    }
    assert_int_equal(all_replicas(&world), 500010);
    struct over_limit_view over_limit = cluster_read_over_limit(world.cluster);
    assert_int_equal(over_limit.n_workloads, 2);
    assert_non_null(over_limit.workload);
    say_deployment(&world, sources[7], "d7", 50000);
    assert_int_equal(all_replicas(&world), 500010);
    assert_int_equal(cluster_read_over_limit(world.cluster).n_workloads, 3);
    say(&world, sources[0], NULL);
    say(&world, sources[6], NULL);
    cluster_reconcile(world.cluster);
    assert_int_equal(all_replicas(&world), 500010);
    say_deployment(&world, sources[1], "d1", 1);
    assert_int_equal(all_replicas(&world), 450001);
    assert_int_equal(cluster_read_over_limit(world.cluster).n_workloads, 0);
    for (unsigned i = 0; i < 8; i++) {
        say(&world, sources[i], NULL);
        source_unref(sources[i]);
    }
    cluster_reconcile(world.cluster);
    world_clear(&world);
}

/* An object no longer in a file stays in effect while some of the file's objects are refused: it
 * may be one of them. */
static void what_was_refused_stays(void **state)
{
    (void)state;
    static const char service[] = "apiVersion: v1\nkind: Service\nmetadata: {name: %s}\n"
                                  "spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}\n---\n";
    struct source *source = source_of(0);
    struct account *account = source->account = account_new();
    struct world world;
    world_init(&world, 0);
    g_autofree char *a = g_strdup_printf(service, "a"), *b = g_strdup_printf(service, "b");
    g_autofree char *c = g_strdup_printf(service, "c"), *ca = g_strconcat(c, a, NULL);
    g_autofree char *bca = g_strconcat(b, ca, NULL);
    say(&world, source, a);
    cluster_reconcile(world.cluster);
    assert_int_equal(account->used.objects, 1);
    account->used.objects += ACCOUNT_OBJECTS_MAX - 2; /* others': there is room for one more */
    say(&world, source, bca);
    cluster_reconcile(world.cluster);
    assert_int_equal(source->n_refused, 1);
    assert_int_equal(cluster_size(world.cluster), 3);
    assert_int_equal(account->used.objects, ACCOUNT_OBJECTS_MAX + 1); /* `a`, by its old object */
    account->used.objects -= ACCOUNT_OBJECTS_MAX - 2;
    assert_true(source_has_room(source));
    say(&world, source, NULL); /* the file is gone, and with it all its objects */
    cluster_reconcile(world.cluster);
    assert_int_equal(cluster_size(world.cluster), 0);
    say(&world, source, ca);
    cluster_reconcile(world.cluster);
    assert_int_equal(source->n_refused, 0);
    assert_int_equal(cluster_size(world.cluster), 2);
    assert_int_equal(account->used.objects, 2);
    say(&world, source, NULL);
    cluster_reconcile(world.cluster);
    assert_int_equal(account->used.objects, 0);
    assert_int_equal(account->used.bytes, 0);
    assert_int_equal(account->used.labels, 0);
    world_clear(&world);
    source_unref(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_lead_where_a_fresh_load_does),
        cmocka_unit_test(many_objects_are_taken_in_piece_by_piece),
        cmocka_unit_test(many_ports_of_many_endpoints),
        cmocka_unit_test(who_waits_gets_what_is_given_up),
        cmocka_unit_test(leases_end_without_a_range),
        cmocka_unit_test(replicas_have_an_account),
        cmocka_unit_test(what_was_refused_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
