/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The configuration: kubesvcd.yaml, its drop-ins and the options of the command line, checked and
 * with defaults.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "config_dns.h"
#include "lib/util/address.h"
#include "lib/util/diagnostic.h"
#include "lib/util/error.h"
#include <kubesvc/snapshot.h>

struct config_directory {
    char *path;
    char *ns;   /* for objects without one; NULL: the configuration's */
    char *zone; /* of the names of its objects; NULL: the configuration's */
    bool recursive;
    bool skips; /* as k3s: NAME is not read if there is a NAME.skip */
    bool allocate;
    bool allocate_given; /* else it follows the configuration's */
};

/* Where to look for addresses of pods that run on this machine, or for more manifests. */
enum config_runtime {
    CONFIG_PODMAN,  /* the files of its name server, aardvark-dns */
    CONFIG_CNI,     /* the cache of results of network plugins */
    CONFIG_KUBELET, /* hosts files of pods, and the directories of their logs */
    CONFIG_K3S,     /* as CONFIG_CNI, and the manifests that k3s deploys */
    CONFIG_QUADLET, /* the manifests of podman's .kube units */
    CONFIG_RUNTIMES
};

struct config_source { /* NULL: the runtime's default */
    enum config_runtime runtime;
    char *directory;
    char *logs;      /* of CONFIG_KUBELET */
    char *manifests; /* of CONFIG_K3S */
    char *node;      /* this node's name, which the names of static pods end with */
    char **networks; /* only these; NULL: all */
};

/* The settings: the keys of the file, then those of the command line only. */
enum config_key {
    CONFIG_ZONE,
    CONFIG_NAMESPACE,
    CONFIG_MANIFESTS,
    CONFIG_SERVICE_CIDRS,
    CONFIG_POD_CIDRS,
    CONFIG_NODE_IPS,
    CONFIG_ALLOCATE,
    CONFIG_PODS,
    CONFIG_NAMESPACES,
    CONFIG_FALLTHROUGH,
    CONFIG_SEARCH,
    CONFIG_NDOTS,
    CONFIG_MAX_FILE_SIZE,
    CONFIG_ENDPOINT_POD_NAMES,
    CONFIG_IGNORE_EMPTY_SERVICE,
    CONFIG_NAMESERVERS,
    CONFIG_LOOKUPS,
    CONFIG_PROXY,
    CONFIG_DNS,
    CONFIG_SOURCES,
    CONFIG_SOCKET,
    CONFIG_STATE,
    CONFIG_KEYS
};

/* Where a value comes from. */
struct config_origin {
    const char *path;   /* one of the configuration's files, or NULL */
    const char *option; /* "--zone", or NULL; neither: the default */
    unsigned line;      /* of the key */
    unsigned value_line, value_column;
};

struct config {
    char *zone;            /* the main one; lower case, no final dot */
    char **zones;          /* it and those of directories, NULL-terminated; none lies in another */
    char *ns;              /* default namespace */
    GPtrArray *manifests;  /* struct config_directory *; the last wins */
    GArray *service_cidrs; /* struct address_range */
    GArray *pod_cidrs;     /* struct address_range */
    GArray *node_ips;      /* struct address; empty: determined at start and reload */
    bool allocate;
    enum kubesvc_pod_names pods;
    char **namespaces; /* exposed ones, NULL-terminated; NULL: all */
    bool fallthrough;
    bool endpoint_pod_names;
    bool ignore_empty_service;
    char **search; /* NULL: the default list; else names without final dot, possibly none */
    unsigned ndots;
    GPtrArray *nameservers; /* char *, "ADDRESS" or "ADDRESS:PORT"; empty: resolv.conf */
    uint64_t max_file_size;
    bool maps;      /* programs may answer from the mapped snapshot */
    bool proxy_all; /* kubesvc-proxy forwards to stated cluster IPs as well as to allocated ones */
    struct config_dns dns;
    GPtrArray *sources; /* struct config_source * */
    char *socket;
    char *state;      /* directory of the leases */
    GPtrArray *files; /* char *: the files read, in order */
    struct config_origin origins[CONFIG_KEYS];
};

/* The options of the command line; NULL if absent. They override the file. */
struct config_options {
    const char *path;     /* --config */
    bool path_given;      /* then the file must exist */
    GPtrArray *manifests; /* char *; replaces the file's list when not empty */
    const char *socket, *state, *ns, *zone;
    bool user_ranges; /* if the file sets none, use ranges of this user's own */
};

enum { CONFIG_BAD = 1 };

/* Reads and checks the file, then its drop-ins, the .yaml files of FILE.d, in bytewise order: a
 * later one overrides keys of earlier ones. 0: *configp is set. CONFIG_BAD: it is not;
 * `diagnostics` (struct diagnostic *) say why, with path, line and column; those of the file itself
 * have no path. Negative errno: the file itself cannot be read. */
MUST_USE int config_load(struct config **configp, const struct config_options *options,
                         GPtrArray *diagnostics);
/* As config_load, but never negative: `errors` (char *) say what is wrong as lines of text. */
MUST_USE int config_load_texts(struct config **configp, const struct config_options *options,
                               GPtrArray *errors);

/* The same; the lines go to the log as well. */
MUST_USE int config_load_logged(struct config **configp, const struct config_options *options,
                                GPtrArray *errors);

struct config *config_free(struct config *config); /* returns NULL */

/* The key as written in the file; "socket" and "state" for the last two. */
const char *config_key_name(enum config_key key);

/* Is anything allocated at all, for any directory? */
bool config_allocates(const struct config *config);

/* Is the zone of NAMESPACE@ZONE one of ours? NULL, or a namespace of the main zone: yes. */
bool config_has_zone_of(const struct config *config, const char *ns);
