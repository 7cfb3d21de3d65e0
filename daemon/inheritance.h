/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What one process of the daemon leaves to the next under a service manager that keeps descriptors
 * (FileDescriptorStoreMax=): the listening socket, so that no client is refused in between; the
 * snapshot, so that names are answered while the manifests are read again; and how often in a row
 * it was started, so that a daemon that dies again and again does not take the machine's time.
 *
 * Only where the service manager also removes the socket's directory when the unit is stopped: else
 * a socket without a daemon would be left behind.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/config/config.h"
#include "daemon/publish/snapshot_root.h"
#include "lib/util/notify.h"

struct inheritance;

/* Takes what was left, if anything. `socket` is the path of the configuration. */
struct inheritance *inheritance_new(struct notify *notify, const char *socket);

/* Closes what is still there; returns NULL. */
struct inheritance *inheritance_free(struct inheritance *inheritance);

/* Is there a service manager that keeps descriptors? */
bool inheritance_is_kept(const struct inheritance *inheritance);

/* The listening socket, the caller's from now on; -1: none. */
int inheritance_take_socket(struct inheritance *inheritance);

/* Lets `root` answer from the inherited snapshot, if it was built with these settings, until
 * another one is published. */
void inheritance_answer(struct inheritance *inheritance, struct snapshot_root *root,
                        const struct config *config);

/* Another one is published, and no view of the old one is left. */
void inheritance_end(struct inheritance *inheritance);

/* Leaves the socket, or the snapshot that `root` leads to now, to the next process. */
void inheritance_leave_socket(struct inheritance *inheritance, int fd);
void inheritance_leave_snapshot(struct inheritance *inheritance, const struct snapshot_root *root);

/* How long to wait before the manifests are read, in microseconds. */
uint64_t inheritance_delay(const struct inheritance *inheritance);
