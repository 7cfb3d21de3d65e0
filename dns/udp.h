/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A UDP socket: requests are taken and answered in batches.
 */
#pragma once

#include <systemd/sd-event.h>

#include "front.h"
#include "lib/util/error.h"

struct udp;

/* Takes ownership of the bound, non-blocking socket, even if it fails. */
MUST_USE int udp_new(struct udp **udpp, sd_event *event, int fd, struct front *front);
struct udp *udp_free(struct udp *udp); /* returns NULL */
