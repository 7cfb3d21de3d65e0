/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which pod `kubesvc run` is: one by its name, or a free one of a workload or a Service, as
 * `kubectl exec` takes them.
 */
#pragma once

#include <yajl/yajl_tree.h>

#include "arguments.h"

/* `what` is POD or KIND/NAME. STATUS_DONE: *podp is a line of the request `pods`, to be freed with
 * yajl_tree_free, and the pod's address is marked as taken in this network namespace for as long as
 * this process, what it executes and their children live. Otherwise the status, after an error
 * message. */
int pod_choose(const struct arguments *arguments, const char *ns, const char *what, yajl_val *podp);
