/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is behind cluster IPs, for programs that forward connections to it: the verb `backends` of
 * include/kubesvc/inspect.h. Runs on the loader thread; while no program follows, it costs nothing.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "report.h"

struct backends;

/* Receives, after a publish that changed something, the lines for all followers, and frees them
 * with g_free. */
typedef void (*backends_told)(void *userdata, char *lines);

struct backends *backends_new(backends_told told, void *userdata);
struct backends *backends_free(struct backends *backends); /* returns NULL */

/* A Service that may have changed, or is gone. */
void backends_note(struct backends *backends, const char *ns, const char *name);

/* All was published. */
void backends_published(struct backends *backends, const struct inspect_context *context);

/* The configuration is another one: any line may change. */
void backends_reconfigure(struct backends *backends);

/* Writes what the followers have received so far; the new one receives later changes. What was not
 * published yet comes with the next publish. */
void backends_follow(struct backends *backends, const struct report *report);

/* No program follows any more. */
void backends_rest(struct backends *backends);

/* How many Services exceed the limit (BACKENDS_MAX) with those before them; *id: one of them,
 * "namespace/name", valid until the next publish. */
unsigned backends_over_limit(const struct backends *backends, const char **id);

/* Is a proxy of this daemon to forward what is sent to the Service's cluster IPs? Those that were
 * allocated, and with `proxy: {services: all}` stated ones, but none of a copy of a cluster, whose
 * own proxy does that, and none that has only special addresses (forward.h). May read directories,
 * so not on the server thread. */
bool backends_is_forwarded(const struct inspect_context *context, const struct service_state *state,
                           const struct service_view *view);
