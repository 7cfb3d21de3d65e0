/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The nameservers that may be asked: those of the options and of resolv.conf, which is followed,
 * without ourselves; and which of them currently answer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "forward.h"
#include "lib/util/endpoint.h"
#include "lib/util/error.h"

struct upstreams;

/* `changed` is called from the event loop when the servers have changed. */
struct upstreams *upstreams_new(sd_event *event, const struct forward_options *options,
                                void (*changed)(void *userdata), void *userdata);
struct upstreams *upstreams_free(struct upstreams *upstreams); /* returns NULL */

/* Those to ask now, in order: first those that have not failed recently. Returns how many. */
size_t upstreams_list(const struct upstreams *upstreams,
                      union endpoint servers[static FORWARD_SERVERS_MAX]);

/* Reports the result of asking one of them; ignored for one that is no longer listed. */
void upstreams_report(struct upstreams *upstreams, const union endpoint *server, bool answered);

/* It sends our queries back to us: it is left out until the servers change. Logged once. */
void upstreams_exclude(struct upstreams *upstreams, const union endpoint *server);
