/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Journals of leases that this daemon cannot use, or not all of it: they stay beside the one in
 * use, under another name, in case somebody wants to have the leases in them back.
 */
#pragma once

#include <stddef.h>

#include "lib/util/error.h"

/* Does the text begin as the journal of another version does? Then its version, to be freed; else
 * NULL. */
char *kept_journal_version(const char *text, size_t size);

/* Gives the journal in the directory the name of its version instead. `directory` is for the log.
 * Negative errno: it has its name still. */
MUST_USE int kept_journal_put_aside(int directory_fd, const char *directory, const char *version);

/* Gives the journal another name as well, by which it stays when a new one takes its place. */
void kept_journal_keep(int directory_fd, const char *directory);
