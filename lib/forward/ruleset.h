/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Services to an nftables ruleset: the table `kubesvc` of family inet, as text for nft(8). It does
 * what kube-proxy does in its nftables mode; docs/proxy.md shows the table. A change costs what it
 * changes, however many Services there are. Knows no kernel: what it gives is the same everywhere.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "forward.h"

#define RULESET_TABLE_NAME "kubesvc"
#define RULESET_TABLE "inet " RULESET_TABLE_NAME

struct ruleset;

struct ruleset *ruleset_new(void);
struct ruleset *ruleset_free(struct ruleset *ruleset); /* returns NULL */

/* The Service as it is now, which is not kept; and one that is gone. */
void ruleset_set(struct ruleset *ruleset, const struct forward_service *service);
void ruleset_remove(struct ruleset *ruleset, const char *ns, const char *name);

/* All Services are added again from here; those that were not are then removed. */
void ruleset_mark(struct ruleset *ruleset);
void ruleset_sweep(struct ruleset *ruleset);

unsigned ruleset_size(const struct ruleset *ruleset); /* Services */

/* Commands that make the table what the ruleset is, whatever it was; and those that do so to the
 * table as it was at the last ruleset_settle, NULL if none are needed. Both are one transaction. To
 * be freed with g_free. */
char *ruleset_whole(const struct ruleset *ruleset);
char *ruleset_changes(const struct ruleset *ruleset);

/* Are there any sets of clients, and is there one with this name? */
bool ruleset_has_sets(const struct ruleset *ruleset);
bool ruleset_has_set(const struct ruleset *ruleset, const char *name);

/* UDP destinations that lead elsewhere than at the last ruleset_settle, called for each Service IP
 * and port: `targets` are its current "ADDRESS . PORT", each between two newlines; "" if there is
 * none. */
typedef void (*ruleset_flow)(void *userdata, const struct address *address, uint16_t port,
                             const char *targets);
void ruleset_flows(const struct ruleset *ruleset, ruleset_flow each, void *userdata);

/* The table is as the ruleset now. */
void ruleset_settle(struct ruleset *ruleset);
