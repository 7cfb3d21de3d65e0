/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Watches every directory and every symbolic link on a path, each for the one name that the path
 * goes through. So a path is noticed when it appears, vanishes or leads elsewhere, whichever of its
 * parts is created, renamed or relinked.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "watch.h"

struct path_watch;

/* Something on the path has changed. `last`: the name at the end (inotify's `mask` says how), else
 * the path may lead elsewhere now. */
typedef void (*path_watch_event)(void *userdata, uint32_t mask, bool last);

struct path_watch *path_watch_new(struct watch *watch, path_watch_event event, void *userdata);
struct path_watch *path_watch_free(struct path_watch *path_watch); /* returns NULL */

/* Follows `target`, starting at the directory `from` (absolute and free of links) unless it is
 * absolute, and watches it as far as it leads. 0: *resolvedp is an absolute path without links.
 * Else negative errno as of a path lookup; the missing part is waited for. */
MUST_USE int path_watch_follow(struct path_watch *path_watch, const char *from, const char *target,
                               char **resolvedp);

/* Does it end at another name, or in another directory, than when it was last followed? */
bool path_watch_has_moved(const struct path_watch *path_watch);
