/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A kubesvcd of one command's own: it reads the given manifests, listens in a directory that only
 * this user can enter, and ends when this process does, whatever was executed in it meanwhile.
 */
#pragma once

/* `manifests` ends with NULL; `namespace` may be NULL. STATUS_DONE: manifests are loaded and
 * *socketp is where the daemon listens, free with g_free. Otherwise the status, after an error
 * message. */
int private_daemon_start(const char *const *manifests, const char *ns, char **socketp);
