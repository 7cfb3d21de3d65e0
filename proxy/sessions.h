/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which client stays with which endpoint (sessionAffinity) is known to the kernel alone. When the
 * whole table is replaced, it is taken along.
 */
#pragma once

#include "lib/forward/ruleset.h"

/* `listing`: the table that is there, as libnftables lists it in JSON. Commands that put its
 * clients into the sets of `ruleset` that have the same names, "" for none; to be freed with
 * g_free. */
char *sessions_keep(const char *listing, const struct ruleset *ruleset);
