/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether others can interfere with what lies in a directory.
 */
#pragma once

/* What is wrong with the directory, for a message, to be freed with g_free: somebody else than this
 * user and root owns it or may write to it. NULL: nobody, or it cannot be examined, which whoever
 * uses it will find out as well. */
char *exposure_of_directory(const char *path);

/* -EPERM if something is wrong with it, which the log says then; else 0. */
int exposure_refuse(const char *path);
