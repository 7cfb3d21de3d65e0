/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files of runtimes as text -> sightings. One function for each format, all alike: they get the
 * whole content of a file and know nothing of watching or of directories.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/model/sighting.h"
#include "lib/util/error.h"

struct runtime_text {
    const char *text; /* NUL-terminated, and may contain NULs */
    size_t length;
    int64_t since; /* when it was last written: nanoseconds since the epoch */
    int64_t created;
    bool untouched; /* it has not been written to since it was created */
};

enum {
    PARSE_DONE = 0,
    PARSE_PARTIAL, /* it is incomplete */
    PARSE_BAD,     /* it is not such a file; *problemp says why, to be freed */
};

/* aardvark-dns' file of one podman network, whose name aardvark_network tells: a line of listening
 * addresses, then "ID IPV4[,IPV4] IPV6[,IPV6] NAME[,NAME][ DNS]", fields parted by single spaces
 * and empty if there are none. Of the names the first is the pod's, or the container's. */
MUST_USE int aardvark_parse(const char *file, const struct runtime_text *text, GPtrArray *sightings,
                            char **problemp);

/* The network described by a file of this name, to be freed; NULL: not such a file. */
char *aardvark_network(const char *file);

/* libcni's cached result of one pod's interface, JSON of kind cniCacheV1. A result for a container
 * that is no pod, or of a network that is not among `networks` (NULL: all), has no sighting. */
MUST_USE int libcni_parse(const struct runtime_text *text, char *const *networks,
                          GPtrArray *sightings, char **problemp);

/* The hosts file that kubelet writes for one pod. One on the host's network has no sighting. A
 * pod's containers can write to it, too: only one that is untouched is attested. */
MUST_USE int kubelet_parse(const char *ns, const char *name, const struct runtime_text *text,
                           GPtrArray *sightings, char **problemp);

/* A directory of logs, NAMESPACE_NAME_UID -> its parts, free with g_strfreev; NULL: not one. */
#define KUBELET_NAMESPACE 0
#define KUBELET_NAME 1
#define KUBELET_UID 2
char **kubelet_split(const char *directory);

/* podman's .kube unit -> the paths of its Yaml= lines, relative ones to the unit's directory
 * (char *). A path with specifiers is left out, and *problemp says so. Always DONE. */
MUST_USE int quadlet_parse(const char *directory, const struct runtime_text *text, GPtrArray *paths,
                           char **problemp);
