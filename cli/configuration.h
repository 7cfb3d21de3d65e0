/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state of the daemon's configuration, in wording shared by several commands.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <yajl/yajl_tree.h>

/* "/etc/kubesvc/kubesvcd.yaml and 2 drop-ins"; free with g_free. */
char *configuration_files(yajl_val config);

/* What is wrong in one sentence, NULL if nothing is; free with g_free. *rejectedp (may be NULL):
 * whether it is an error, and not only files that have not been read yet. */
char *configuration_wrong(yajl_val config, bool *rejectedp);

/* The same as comments, with every single error. */
void configuration_print(yajl_val config);
