/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All that reports are about: the parts of the loader thread, each to be read only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/config/config.h"
#include "daemon/publish/publisher.h"
#include "daemon/runtime/runtimes.h"
#include "daemon/source/loader_status.h"
#include "event_log.h"
#include "lib/model/cluster.h"

struct inspect_context {
    const struct config *config;          /* the one in force */
    const struct config_options *options; /* with which it is read */
    GPtrArray *refusal; /* char *: what was wrong at the last reload; empty: it was not rejected */
    uint64_t refused;   /* CLOCK_REALTIME, microseconds: when */
    uint64_t reloads;   /* the last that has ended, carried out or rejected; counted from 1 */
    uint64_t reloads_begun; /* the last that has begun */
    struct cluster *cluster;
    struct snapshot_writer *writer;
    struct loader *loader;
    struct runtimes *runtimes;
    struct event_log *events;
    struct backends *backends;
    uint64_t started;   /* CLOCK_MONOTONIC, microseconds */
    uint64_t published; /* the same: the last publish; 0: none yet */
    bool loaded;        /* the first load was complete */
    bool at_work;       /* a batch is being taken in or worked out */
    uint64_t taken;     /* objects that the cluster had taken in before the batch */
};
