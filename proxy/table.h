/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table in the kernel, through libnftables. Only one process of a network namespace owns it at
 * a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/util/error.h"

struct nft_table;

/* 0, TABLE_BUSY: another process has it, or negative errno: -EPERM without CAP_NET_ADMIN
 * over this network namespace, -EOPNOTSUPP if the kernel does not support it. The table of a killed
 * process stays in effect until the first nft_table_run. */
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

/* Does it exist, with our chains? */
bool nft_table_exists(struct nft_table *table);

/* The kernel's number of it, 0 if there is none: another one if it was deleted and created again,
 * by us or by a program that restores a saved ruleset. */
uint64_t nft_table_handle(struct nft_table *table);

/* Does it lack a rule that it always has? Costs the same however many Services there are. */
bool nft_table_is_flushed(struct nft_table *table);
