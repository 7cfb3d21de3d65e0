/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table in the kernel, through libnftables. Only one process of a network namespace owns it at
 * a time.
 */
#pragma once

#include <stdbool.h>

#include "lib/util/error.h"

struct nft_table;

/* 0, TABLE_BUSY: another process has it, or negative errno: -EPERM without CAP_NET_ADMIN,
 * -EOPNOTSUPP if the kernel does not support it. The table of a killed process stays in effect
 * until the first nft_table_run. */
#define TABLE_BUSY 1
MUST_USE int nft_table_new(struct nft_table **tablep);

/* Leaves the table in effect, and lets another process have it; returns NULL. */
struct nft_table *nft_table_free(struct nft_table *table);

void nft_table_delete(struct nft_table *table);

/* Runs commands as one transaction. False: nothing was changed; the log says why, once as long as
 * the reason stays the same. */
bool nft_table_run(struct nft_table *table, const char *commands);

/* Its contents, as JSON of libnftables, "" if it does not exist; free with g_free. */
char *nft_table_list(struct nft_table *table);

/* Does it exist? Other programs may delete it, as `nft flush ruleset` does. */
bool nft_table_exists(struct nft_table *table);
