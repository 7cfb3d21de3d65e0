/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How fresh the copy of a cluster is: the content of .status.json.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resource.h"

enum freshness_state {
    FRESHNESS_STARTING,
    FRESHNESS_SYNCED,
    FRESHNESS_DISCONNECTED,
    FRESHNESS_DENIED,
    FRESHNESS_EXPIRED, /* older than maxAge: its files were removed */
    FRESHNESS_STOPPED,
};

struct freshness_feed {
    const char *name, *version;
    const char *problem; /* or NULL */
};

struct freshness {
    const char *cluster, *server, *problem; /* the latter or NULL */
    enum freshness_state state;
    uint64_t since;   /* of the state; microseconds of CLOCK_REALTIME, as all of these */
    uint64_t contact; /* the cluster's state was known to be this; 0: never */
    unsigned objects[N_RESOURCES];
    const struct freshness_feed *feeds;
    unsigned n_feeds;
};

char *freshness_write(const struct freshness *freshness, size_t *sizep);

/* The time of the last contact according to the text; 0: unknown. */
uint64_t freshness_read_contact(const char *text);
