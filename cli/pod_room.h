/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a command finds around it when it runs as a pod: host name, /etc/hosts, a hosts line that
 * asks kubesvc, and the module, also where it is not installed.
 */
#pragma once

#include "pod_files.h"

/* Arranges it for this process and what it executes. `identity->kernel_name` is NULL for a pod of
 * the host's network, which keeps the host's name and hosts file. `aliases` as for pod_files_hosts.
 * Where that is not allowed, it says so, and all stays as it is. */
void pod_room_enter(const struct pod_identity *identity, const char *aliases);
