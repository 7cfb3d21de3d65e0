/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Leases with a journal in a directory, for tests.
 */
#pragma once

#include "daemon/state/lease_journal.h"

struct lease_store {
    struct leases *leases; /* pods have 10.0.0.0/12 */
    struct lease_journal *journal;
};

/* Fails the test if it cannot be opened. Without a directory there is no journal. */
void lease_store_open(struct lease_store *store, const char *directory);
void lease_store_close(struct lease_store *store);

void lease_store_take(struct lease_store *store, const char *key, char text[ADDRESS_TEXT_MAX]);
void lease_store_release(struct lease_store *store, const char *key);
void lease_store_write(struct lease_store *store);

void lease_store_sync(struct lease_store *store); /* compacts if that is due */

/* All that the leases say, to compare. To be freed. */
char *lease_store_dump(const struct lease_store *store);

/* The same of what a daemon would restore that was started now. */
char *lease_store_dump_directory(const char *directory);

/* Setup and teardown of a test: *state is the path of an empty directory. */
int lease_store_make_directory(void **state);
int lease_store_remove_directory(void **state);

/* Removes what journals leave there, and the directory. */
int lease_store_remove(const char *directory);
