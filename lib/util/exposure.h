/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether other users can interfere with the contents of a directory.
 */
#pragma once

#include <sys/types.h>

/* What is wrong with the directory, for a message, to be freed with g_free: a user other than
 * `user` and root owns it or may write to it. NULL: nothing, or it cannot be examined, which the
 * caller will find out when using it. */
char *exposure_of_directory(const char *path, uid_t user);

/* -EPERM if something is wrong with it, after logging what; else 0. `purpose` completes "not using
 * it for". */
int exposure_refuse(const char *path, const char *purpose);
