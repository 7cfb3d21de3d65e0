/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The variables that describe a namespace's Services to a container, as kubelet sets them: those of
 * Kubernetes, WEB_SERVICE_HOST and so on, and those of Docker's links, WEB_PORT_80_TCP_ADDR.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <yajl/yajl_tree.h>

/* Adds those of a Service, a line of the request `services`, to a pod of a namespace: `links` as
 * its enableServiceLinks says. None if it has no cluster IP. Later Services win. */
void service_variables_add(GHashTable *variables, yajl_val service, const char *ns, bool links);
