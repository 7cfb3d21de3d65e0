/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Only the kernel knows which client stays with which endpoint (sessionAffinity). When the whole
 * table is replaced, this is carried over.
 */
#pragma once

#include "lib/forward/ruleset.h"

/* `listing`: the existing table, as listed by libnftables in JSON. Commands that put its clients
 * into the sets of `ruleset` that have the same names, "" for none; free with g_free. */
char *sessions_keep(const char *listing, const struct ruleset *ruleset);
