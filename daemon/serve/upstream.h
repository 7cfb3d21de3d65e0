/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names outside the zone, for ExternalName targets: resolved through the hosts file and the
 * nameservers with c-ares on the event loop, never through NSS; answers are cached for their TTL,
 * negative ones for at most 5 s; one query in flight for each name and family; bounded in number.
 */
#pragma once

#include <glib.h>
#include <systemd/sd-event.h>

#include "lib/resolve/search.h"
#include "lib/util/error.h"

struct upstream;

/* `answered` is called from the event loop after any query ended: waiting searches run again. */
MUST_USE int upstream_new(struct upstream **upstreamp, sd_event *event,
                          const GPtrArray *nameservers /* char *; empty: resolv.conf, followed */,
                          void (*answered)(void *userdata), void *userdata);
struct upstream *upstream_free(struct upstream *upstream); /* returns NULL */

/* Switches to other nameservers; the cache is dropped. */
MUST_USE int upstream_configure(struct upstream *upstream, const GPtrArray *nameservers);

/* A search_external (userdata: struct upstream *): what is known now; starts a query if nothing
 * is. */
void upstream_lookup(void *userdata, const char *target, enum kubesvc_family family,
                     struct external_answer *answer);

/* A search_external as well, but starts nothing: what is not known counts as failed. */
void upstream_known(void *userdata, const char *target, enum kubesvc_family family,
                    struct external_answer *answer);
