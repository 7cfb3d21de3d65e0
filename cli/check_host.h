/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What `kubesvc check` says about this host rather than about the files: whether the cluster IPs
 * that their Services would get here lead anywhere.
 */
#pragma once

#include "input_set.h"

/* NULL: there is nothing to say, also if no daemon answers at `socket`, as in CI. To be freed with
 * g_free. After lint_model_index. */
char *check_host_note(const struct input_set *inputs, const char *socket);
