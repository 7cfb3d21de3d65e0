/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The nameservers of a file in the form of resolv.conf(5).
 */
#pragma once

#include "endpoint.h"
#include "error.h"

/* Reads the first `max` of them, with port 53 unless the file says otherwise. Other lines are
 * skipped. Returns how many, or negative errno if the file cannot be read. */
MUST_USE int resolv_conf_read(const char *path, union endpoint servers[], int max);
