/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A line of the journal of leases (lease_journal.h): what happened to which address, and a
 * checksum.
 */
#pragma once

#include "lib/model/leases.h"

#define LEASE_JOURNAL_TITLE "kubesvc leases 1\n"
#define LEASE_LINE_MAX (LEASE_KEY_MAX + 128u)

void lease_line_append(GString *out, enum lease_event event, const struct lease *lease);

/* Restores every lease, one per line. */
void lease_line_append_all(GString *out, const struct leases *leases);

/* Parses a line (in place, without its newline); false if it is damaged. */
bool lease_line_restore(char *line, size_t length, struct leases *leases);
