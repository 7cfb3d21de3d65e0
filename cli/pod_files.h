/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What /etc/hosts and /etc/nsswitch.conf say in a pod.
 */
#pragma once

#include <glib.h>

struct pod_identity {
    const char *hostname;
    const char *kernel_name; /* what uname says: the same, or the pod's domain behind it */
    const char *subdomain;   /* NULL: none */
    const char *ns;
    const char *zone;
    const char *addresses; /* separated by commas */
};

/* To be freed with g_free. `aliases` are further whole lines, or "". */
char *pod_files_hosts(const struct pod_identity *identity, const char *aliases);

/* The text of an nsswitch.conf, with its hosts line replaced by a pod's; free with g_free. */
char *pod_files_nsswitch(const char *text);
