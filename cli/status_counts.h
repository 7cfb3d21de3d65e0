/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The numbers of `kubesvc status`, as fields.
 */
#pragma once

#include <yajl/yajl_tree.h>

void status_print_uptime(yajl_val status);

/* Leases, snapshot, questions and how quickly they were answered. */
void status_print_counts(yajl_val status);
