/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Namespaces as a pod has them, for this process and what it executes: of users where that must be,
 * of mounts and of the host name. The network, processes and files stay those of the host.
 */
#pragma once

#include <glib.h>

/* A file of the host that has another content in them; it must exist. */
struct pod_file {
    const char *path;
    GBytes *content;
};

/* Enters them; `files` end with a NULL path. NULL: done. Otherwise nothing has changed, and the
 * result is the reason, free with g_free; *remedyp is what would allow it, static, or NULL. */
char *pod_namespaces_enter(const char *hostname, const struct pod_file *files,
                           const char **remedyp);
