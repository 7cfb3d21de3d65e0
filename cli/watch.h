/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc get -w: the rows, and then those that change.
 */
#pragma once

#include "listing.h"

/* Prints the rows of `listing`, and what changes in them until it is interrupted or the daemon
 * ends. An exit status. */
int watch_listing(struct listing *listing, const struct arguments *arguments, const char *ns);
