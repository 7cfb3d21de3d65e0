/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes of the table as commands for nft(8).
 */
#pragma once

#include <glib.h>

#include "items.h"

struct change { /* of one piece of the table */
    const struct item *item;
    const char *before, *after; /* the item's value; NULL: it is not there */
};

/* Creates the table, without any piece, whatever was there. */
extern const char commands_frame[];

/* Appends what makes the changes (struct change, which are sorted): one transaction. */
void commands_write(GString *text, GArray *changes);
