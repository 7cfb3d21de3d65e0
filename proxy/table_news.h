/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel says about changes of the table, whoever makes them. Reading costs what changed.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "netlink.h"

struct table_news {
    struct netlink netlink;
    GHashTable *losers; /* chains that have lost rules in the transaction that is being told */
};

struct table_seen {
    bool deleted; /* the table, perhaps by ourselves to create a new one */
    bool flushed; /* rules were deleted, not by ourselves; nothing deleted the table since */
    bool lost;    /* the kernel had more to say: anything may have happened */
};

/* 0 or negative errno. */
MUST_USE int table_news_open(struct table_news *news);
void table_news_close(struct table_news *news);

/* All that has happened since the last call. */
struct table_seen table_news_read(struct table_news *news);
