/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Kubernetes objects that decide names, limited to what decides them: Service, EndpointSlice,
 * Endpoints, Pod, Namespace and the seven workload kinds. Created by lib/manifest, kept by the
 * catalog, immutable. Strings marked (i) are interned by name_intern; others belong to the object.
 * Absent strings are NULL, never "".
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "account.h"
#include "labels.h"
#include "lib/util/address.h"
#include "object_kinds.h"

enum object_kind {
    OBJECT_MENTION, /* no kind: stands for a file's objects of other kinds in one namespace; its
                       path is the name */
#define KIND(symbol, ...) OBJECT_##symbol,
    OBJECT_KINDS_EACH(KIND)
#undef KIND
        OBJECT_KINDS,
};

#define OBJECT_VERSIONS_MAX 5

/* A row of object_kinds.h, apart from what the model does with it. */
struct object_kind_row {
    const char *name;
    const char *versions[OBJECT_VERSIONS_MAX]; /* NULL after the last; the first is the current */
};
extern const struct object_kind_row object_kinds[OBJECT_KINDS];

/* A manifest file, or another origin of objects. Counted, because objects outlive a scan. */
struct source {
    unsigned references;
    char *path;
    unsigned rank; /* rank of its directory in `manifests`; a later one wins */
    bool allocate; /* may objects of this source be given addresses? */
    char *zone;    /* of its objects' names; NULL: the main one */

    uint64_t stamp;          /* hash of the content last read */
    struct account *account; /* reference held; NULL: nothing is limited */
    struct usage used;       /* by objects of this source */
    uint32_t n_refused;      /* objects refused by the account at the last reading */
    struct usage least;      /* room needed for any of them, by item */
};
struct source *source_new(const char *path, unsigned rank, bool allocate, const char *zone);
struct source *source_ref(struct source *source);

/* Records how many of its objects were refused when it was read. */
void source_set_refused(struct source *source, uint32_t n_refused, const struct usage *least);

/* Is there now room for any of its refused objects? */
bool source_has_room(const struct source *source);
void source_unref(struct source *source);

/* How the source's objects have a namespace: NAMESPACE or NAMESPACE@ZONE. Interned. */
const char *source_namespace(const struct source *source, const char *ns);

struct object {
    uint8_t kind;   /* enum object_kind */
    bool has_uid;   /* from a dump of a real cluster: never given an invented address */
    bool broken;    /* only its identity could be read: its last good version stays in effect */
    bool refused;   /* an API server would reject it: only in effect if no other is accepted */
    const char *ns; /* (i) lower case, with "@zone" unless it is of the main zone; of a Namespace
                       object: its own name, likewise */
    const char *name;
    struct source *source;    /* reference held */
    uint32_t line, column;    /* where the object starts, from 1 */
    uint32_t document;        /* index among the objects of its file, from 0 */
    uint32_t slot;            /* the group's: index among its members */
    uint32_t bytes, n_labels; /* what the account is charged for it; for object_usage.c */
    struct object *shadowed;  /* the catalog's: next object of the same identity that lost to it */
};

enum port_protocol { PORT_TCP = 1, PORT_UDP, PORT_SCTP }; /* as enum kubesvc_protocol */

struct port {
    const char *name;        /* (i) as written, NULL if none */
    const char *target_name; /* (i) of a Service: named targetPort, else NULL */
    uint16_t number;         /* 0: none given */
    uint16_t target;         /* of a Service: numeric targetPort, else 0 */
    uint8_t protocol;        /* enum port_protocol */
};

struct ports { /* a counted array; NULL for none; interned: equal ones are the same pointer */
    unsigned references;
    uint32_t n;
    struct port items[];
};
/* n > 0. Interns the strings. */
struct ports *ports_new(const struct port *items, size_t n);
struct ports *ports_ref(struct ports *ports);
void ports_unref(struct ports *ports);

struct addresses { /* owned array */
    struct address *items;
    uint32_t n;
};

enum service_type {
    SERVICE_CLUSTER_IP,
    SERVICE_NODE_PORT,     /* as SERVICE_CLUSTER_IP: names lead to the cluster IP */
    SERVICE_LOAD_BALANCER, /* the same */
    SERVICE_EXTERNAL_NAME
};
enum ip_family_policy {
    FAMILY_POLICY_NONE,
    FAMILY_SINGLE,
    FAMILY_PREFER_DUAL,
    FAMILY_REQUIRE_DUAL
};

struct service {
    struct object object;
    enum service_type type;
    bool headless;          /* the first of clusterIPs, else clusterIP, is "None" (rule 1) */
    bool publish_not_ready; /* publishNotReadyAddresses */
    uint32_t affinity;      /* seconds of sessionAffinity ClientIP; 0: None. Decides no name */
    enum ip_family_policy family_policy;
    uint8_t n_families, families[2]; /* ipFamilies: 4, 6 */
    const struct labels *selector;   /* NULL when absent, null or {} (rule 21) */
    const struct labels *labels;     /* metadata.labels, decide nothing; NULL for none */
    struct addresses cluster_ips;    /* clusterIPs, else clusterIP; empty when none is stated */
    struct addresses stated;         /* annotation kubesvc.io/addresses */
    struct ports *ports;
    char *external_name; /* without a final dot */
};

struct endpoint {
    struct addresses addresses;
    char *hostname;
    const char *target; /* (i) the name of its targetRef */
    bool is_pod;        /* that is of kind Pod, or of none */
    bool ready;         /* absent or null is ready (rule 17) */
    bool terminating;   /* but still serving; decides no name */
};

struct endpoint_subset {
    struct ports *ports;
    struct endpoint *endpoints;
    uint32_t n;
};

/* An EndpointSlice (one subset) or an Endpoints object (any number; notReadyAddresses are endpoints
 * that are not ready). */
struct endpoint_slice {
    struct object object;
    const char
        *service;      /* (i) label kubernetes.io/service-name; Endpoints: its own name; or NULL */
    bool not_mirrored; /* Endpoints with skip-mirror or a leader annotation (rule 22) */
    struct endpoint_subset *subsets;
    uint32_t n_subsets;
};

enum pod_phase { POD_PHASE_NONE, POD_PENDING, POD_RUNNING, POD_SUCCEEDED, POD_FAILED, POD_UNKNOWN };

struct owner { /* the controller of an object, kind OBJECT_KINDS: none that is read here */
    uint8_t kind;
    const char *name; /* (i); NULL: there is none */
};

struct pod_spec {                     /* shared by a pod and the template of a workload */
    const struct labels *labels;      /* never NULL */
    const char *hostname, *subdomain; /* (i) */
    struct ports *ports;              /* containerPorts of all containers */
    struct addresses stated;          /* annotation kubesvc.io/addresses */
    bool host_network;
    unsigned references; /* pod_spec.c's */
};

/* The interned spec with this content; takes over the contents of `spec`. */
struct pod_spec *pod_spec_intern(const struct pod_spec *spec);
void pod_spec_unref(struct pod_spec *spec); /* NULL is allowed */
void pod_spec_clear(struct pod_spec *spec); /* of one that is not interned */
bool pod_specs_equal(const struct pod_spec *a, const struct pod_spec *b);

struct pod {
    struct object object;
    struct pod_spec *spec; /* interned, never NULL */
    struct owner owner;
    struct addresses addresses; /* status.podIPs, else status.podIP; may be `only` */
    struct address only;        /* room for one, which most pods have */
    bool has_status;            /* `status` is present and not empty */
    bool ready;                 /* condition Ready is True */
    bool deleting;              /* metadata.deletionTimestamp is set */
    uint8_t phase;              /* enum pod_phase */
};

enum requirement_operator {
    REQUIREMENT_IN,
    REQUIREMENT_NOT_IN,
    REQUIREMENT_EXISTS,
    REQUIREMENT_DOES_NOT_EXIST
};

struct requirement { /* of matchExpressions */
    const char *key; /* (i) */
    enum requirement_operator operator;
    const char **values; /* (i), NULL-terminated */
};

/* Why a Job has no pods, whatever its parallelism. */
enum job_idle { JOB_ACTIVE, JOB_HOOK, JOB_OVER, JOB_SUSPENDED, JOB_SATISFIED };

struct autoscaler { /* a HorizontalPodAutoscaler */
    struct object object;
    struct owner target; /* the workload that it scales; kind OBJECT_KINDS: none of ours */
    uint32_t replicas;   /* its minimum, at least 1 */
};

struct workload { /* kinds OBJECT_DEPLOYMENT to OBJECT_CRON_JOB */
    struct object object;
    struct pod_spec template;
    struct owner owner;
    const struct labels *labels;   /* metadata.labels, decide nothing; NULL for none */
    const struct labels *selector; /* matchLabels; of a ReplicationController its selector or,
                                      without one, the template's labels; NULL when there is none */
    struct requirement *requirements;
    uint32_t n_requirements;
    uint32_t replicas; /* pods running: DaemonSet 1, Job its parallelism, idle ones and CronJob 0;
                          at most REPLICAS_MAX */
    bool unsaid;       /* spec.replicas is missing: an autoscaler may set it */
    uint8_t idle;      /* enum job_idle */
    uint32_t ordinal;  /* StatefulSet spec.ordinals.start */
    const char *service_name; /* (i) StatefulSet spec.serviceName */
    bool indexed;             /* Job with completionMode Indexed: hostname <job>-<index> */
};

#define REPLICAS_MAX 100000u

/* "Service", "EndpointSlice", ... */
const char *object_kind_name(enum object_kind kind);

/* The kind with this name; OBJECT_KINDS: it is not read here. */
enum object_kind object_kind_find(const char *name);

/* "Service moon/regular-svc", to be freed with g_free. */
char *object_describe(const struct object *object);

/* A zeroed object of its kind's full size with source, namespace and name set. The caller fills in
 * the rest. */
struct object *object_new(enum object_kind kind, struct source *source, const char *ns,
                          const char *name);
void object_free(struct object *object); /* NULL is allowed */

/* It belongs to another source of the same account now, and to that one's zone. No table may have
 * it meanwhile. */
void object_move(struct object *object, struct source *source);

/* Charges the account for a complete object, plus this many bytes, until it is freed. Returns the
 * charge. */
struct usage object_charge(struct object *object, uint32_t besides);
void object_discharge(struct object *object);

/* What it was charged counts for another source of the same account. */
void object_move_charge(const struct object *object, struct source *source);

/* Are two objects of one kind and identity equal, apart from source and position? */
bool object_equal(const struct object *a, const struct object *b);

/* Does a selector with its expressions match? (A workload without either matches nothing.) */
bool workload_selects(const struct workload *workload, const struct labels *labels);

static inline bool object_is_workload(const struct object *object)
{
    return object->kind >= OBJECT_DEPLOYMENT && object->kind < OBJECT_KINDS;
}

/* A DNS label as Kubernetes' names for Services, hostnames and namespaces: 1 to 63 of [a-z0-9-],
 * not starting or ending with '-'. A leading digit is allowed (rule 82). */
bool dns_label_is_valid(const char *text);
