/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a Service's selector matches among the pods of its namespace.
 */
#pragma once

#include "report.h"

/* Writes "pod" steps: which pods (or the workloads standing for them) count, and why others do not,
 * the closest to counting first. */
void selector_report_write(const struct report *report, const struct service_state *state);
