/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Journals of leases that this daemon cannot use, or only in part: they stay beside the current
 * one, under another name, so that an administrator can recover their leases.
 */
#pragma once

#include <stddef.h>

#include "lib/util/error.h"

/* Does the text begin like the journal of another version? Then its version, to be freed; else
 * NULL. */
char *kept_journal_version(const char *text, size_t size);

/* Renames the journal in the directory after its version. `directory` is for the log. Negative
 * errno: it still has its name. */
MUST_USE int kept_journal_put_aside(int directory_fd, const char *directory, const char *version);

/* Gives the journal a second name, under which it stays when a new one replaces it. */
void kept_journal_keep(int directory_fd, const char *directory);
