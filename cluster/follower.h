/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Following one cluster: its feeds, the store they fill and the directory it lies in.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "api_server.h"
#include "files.h"
#include "lib/util/error.h"

struct follower;

struct follower_config {
    const char *cluster, *address; /* for the status */
    const char *const *namespaces; /* NULL: all */
    bool pods;
    bool once;        /* end with the event loop's exit code 0 once all is written, 1 on failure */
    uint64_t max_age; /* microseconds; 0: never too old */
    uint64_t jitter;  /* the longest delay of the first list where there is a copy already */
};

/* All is borrowed. */
MUST_USE int follower_new(struct follower **followerp, sd_event *event, struct api_server *server,
                          struct files *files, const struct follower_config *config);
/* Records in the status that no process follows any more. Returns NULL. */
struct follower *follower_free(struct follower *follower);
