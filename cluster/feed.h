/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One resource of a cluster, of all namespaces or of one: listed, then watched, for ever.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "api_server.h"
#include "lib/util/error.h"
#include "resource.h"
#include "store.h"

struct feed;

enum feed_health {
    FEED_SYNCED,
    FEED_STARTING,
    FEED_DISCONNECTED,
    FEED_DENIED
}; /* worse and worse */

struct feed_state {
    char *name;    /* "services", "services in namespace moon" */
    char *version; /* of the last object or list; NULL before the first list */
    char *problem; /* NULL while it is synced or starting */
    enum feed_health health;
    bool listed; /* once at least */
};

struct feed_handler {
    /* It needs to list: call feed_list when no other feed is listing. */
    void (*want_list)(void *userdata, struct feed *feed);
    /* It has listed, well or not, so that another one may. */
    void (*list_over)(void *userdata, struct feed *feed);
    /* The store may have changed. */
    void (*changed)(void *userdata, struct feed *feed);
    /* The health or the problem of its state is another one. */
    void (*health)(void *userdata, struct feed *feed);
    void *userdata;
};

struct feed_config {
    sd_event *event;
    struct api_server *server;
    struct store *store;
    unsigned index; /* of this feed in the store */
    enum resource resource;
    const char *ns; /* borrowed; NULL: all namespaces */
    uint64_t delay; /* before the first list, in microseconds */
};

MUST_USE int feed_new(struct feed **feedp, const struct feed_config *config,
                      const struct feed_handler *handler);
struct feed *feed_free(struct feed *feed); /* returns NULL */

void feed_list(struct feed *feed);

const struct feed_state *feed_state(const struct feed *feed);
