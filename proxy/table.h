/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table in the kernel, through libnftables. One process of a network namespace has it at a
 * time.
 */
#pragma once

#include <stdbool.h>

#include "lib/util/error.h"

struct table;

/* 0, TABLE_BUSY: another process has it, or negative errno: -EPERM without CAP_NET_ADMIN,
 * -EOPNOTSUPP if the kernel has no such thing. What a
 * process that was killed left behind stays in effect until the first table_run. */
#define TABLE_BUSY 1
MUST_USE int table_open(struct table **tablep);

/* Deletes the table; returns NULL. */
struct table *table_close(struct table *table);

/* Runs commands as one transaction. False: nothing was changed; why is in the log. */
bool table_run(struct table *table, const char *commands);

/* What is in it, as JSON of libnftables, "" if it is not there; to be freed with g_free. */
char *table_list(struct table *table);

/* Is it there? Others may delete it, as `nft flush ruleset` does. */
bool table_exists(struct table *table);
