/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why there is no such Service: files that were not read, or not all of them.
 */
#pragma once

#include "service_ref.h"

/* Writes "cause" steps: first what is wrong with the Service itself, then the files it may be in.
 * `tried` (char *): the names that were tried. */
void causes_write(const struct report *report, const GPtrArray *tried);
