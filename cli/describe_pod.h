/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Pod, or a replica of a workload, as `kubesvc describe` shows it.
 */
#pragma once

#include <yajl/yajl_tree.h>

#include "arguments.h"

/* The pod of that name, to be freed with yajl_tree_free; returns an exit status, FAILED after an
 * error message. */
int describe_pod_find(const struct arguments *arguments, const char *ns, const char *name,
                      yajl_val *podp);

/* Prints its fields, and the Services that select it. */
int describe_pod_print(const struct arguments *arguments, yajl_val pod);
