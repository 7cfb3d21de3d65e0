/*
 * The configuration: kubesvcd.yaml and the options of the command line, checked and with defaults.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/util/address.h"
#include "lib/util/diagnostic.h"
#include "lib/util/error.h"
#include <kubesvc/snapshot.h>

struct config_directory {
    char *path;
    char *namespace; /* for objects that name none; NULL: the configuration's */
    bool recursive;
    bool allocate;
};

struct config {
    char *zone;            /* lower case, no final dot */
    char *namespace;       /* default namespace */
    GPtrArray *manifests;  /* struct config_directory *; the last wins */
    GArray *service_cidrs; /* struct address_range */
    GArray *pod_cidrs;     /* struct address_range */
    GArray *node_ips;      /* struct address; empty: found at start and reload */
    bool allocate;
    enum kubesvc_pod_names pods;
    char **namespaces; /* exposed ones, NULL-terminated; NULL: all */
    bool fallthrough;
    bool endpoint_pod_names;
    bool ignore_empty_service;
    char **search; /* NULL: the default list; else names without final dot, maybe none */
    unsigned ndots;
    GPtrArray *nameservers; /* char *, "ADDRESS" or "ADDRESS:PORT"; empty: resolv.conf */
    uint64_t max_file_size;
    char *socket;
    char *state; /* directory of the leases */
};

/* What the command line said; NULL where it said nothing. It wins over the file. */
struct config_options {
    const char *path;     /* --config */
    bool path_given;      /* then the file must exist */
    GPtrArray *manifests; /* char *; replaces the file's list when not empty */
    const char *socket, *state, *namespace, *zone;
};

#define CONFIG_BAD 1

/* Reads and checks. 0: *configp is set. CONFIG_BAD: it is not; `diagnostics` (struct diagnostic *)
 * says why with line and column, `path` of them is options->path. Negative errno: the file cannot
 * be read. */
MUST_USE int config_load(struct config **configp, const struct config_options *options,
                         GPtrArray *diagnostics);
struct config *config_free(struct config *config); /* returns NULL */

/* Is anything allocated at all, in some directory? */
bool config_allocates(const struct config *config);
