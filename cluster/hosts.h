/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The addresses of a host, from the hosts file and the nameservers of /etc/resolv.conf by c-ares,
 * never through NSS: its hosts line may lead to kubesvcd, which waits for what this helper writes.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/util/error.h"

struct hosts;

/* `addresses`: "ADDRESS[,ADDRESS...]", IPv6 in brackets, or NULL: `problem` says why. */
typedef void (*hosts_found)(void *userdata, const char *addresses, const char *problem);

MUST_USE int hosts_new(struct hosts **hostsp, sd_event *event);
struct hosts *hosts_free(struct hosts *hosts); /* returns NULL; forgets what is under way */

/* Sends a new query for every call, to the nameservers then in resolv.conf. One at a time; `found`
 * may be called before this returns. */
MUST_USE int hosts_find(struct hosts *hosts, const char *name, hosts_found found, void *userdata);
