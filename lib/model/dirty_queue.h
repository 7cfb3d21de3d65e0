/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What must be recomputed because something that it depends on has changed, each item once. The
 * lists that are worked off in order are taken as a whole.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "namespace.h"
#include "reverse.h"
#include "service.h"
#include "workload.h"

/* A Pod of the manifests whose address is leased or seen; outlives the object until that is
 * settled. */
struct bare_pod {
    const char *name; /* interned */
    struct ns *ns;
    struct address claimed[2]; /* that have its pod names */
    uint8_t n_claimed;
    bool dirty;
};

struct dirty_queue {
    GPtrArray *namespaces; /* struct ns * whose record must be written */
    GArray *stated;        /* struct address: newly stated but leased; the lease must give way */
    GPtrArray *unlinked;   /* struct ns * with selections to link, may repeat */
    GPtrArray *pods;       /* struct bare_pod * */
    GPtrArray *workloads;  /* struct workload_state * */
    GPtrArray *services;   /* struct service_state * */
};

void dirty_queue_init(struct dirty_queue *queue);
void dirty_queue_clear(struct dirty_queue *queue);

/* Adding NULL or a duplicate does nothing. */
void dirty_queue_namespace(struct dirty_queue *queue, struct ns *ns);
void dirty_queue_service(struct dirty_queue *queue, struct service_state *state);
void dirty_queue_workload(struct dirty_queue *queue, struct workload_state *state);
void dirty_queue_pod(struct dirty_queue *queue, struct bare_pod *pod);
/* The Services, or the workloads, that select a group. */
void dirty_queue_group_services(struct dirty_queue *queue, const struct group *group);
void dirty_queue_group_workloads(struct dirty_queue *queue, const struct group *group);

/* A whole list by namespace, name and kind, to be freed; the queue's list is empty then, and
 * additions start another. */
GPtrArray *dirty_queue_take_pods(struct dirty_queue *queue);
GPtrArray *dirty_queue_take_workloads(struct dirty_queue *queue);
GPtrArray *dirty_queue_take_services(struct dirty_queue *queue);
