/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How fresh the copy of a cluster is: the content of .status.json.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "store.h"

enum freshness_state {
    FRESHNESS_STARTING,
    FRESHNESS_SYNCED,
    FRESHNESS_DISCONNECTED,
    FRESHNESS_DENIED,
    FRESHNESS_EXPIRED, /* older than maxAge: its files were removed */
    FRESHNESS_STOPPED,
};

struct freshness {
    const char *cluster, *server;
    enum freshness_state state;
    char *problem;    /* NULL: none */
    uint64_t since;   /* of the state; microseconds of CLOCK_REALTIME, as all of these */
    uint64_t contact; /* the cluster's state was known to be this; 0: never */
};

/* Sets state and problem at the time `now`. False: they were these already. */
bool freshness_change(struct freshness *freshness, enum freshness_state state, const char *problem,
                      uint64_t now);

/* The text of the file, with the state of each feed (struct feed *) and the store's counts. */
GString *freshness_write(const struct freshness *freshness, const GPtrArray *feeds,
                         const struct store *store);

/* The time of the last contact according to the text; 0: unknown. */
uint64_t freshness_read_contact(const char *text);
