/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which keys asked for an address in vain, by use and family, and whether asking again is
 * worthwhile.
 */
#pragma once

#include "leases.h"

struct lease_waiters {
    struct {
        GHashTable *keys; /* set of char *: keys */
        bool exhausted;   /* nothing was left at the last attempt */
        bool freed;       /* something became free since */
    } of[LEASE_USES][2];  /* of family 4, 6 */
};

void lease_waiters_init(struct lease_waiters *waits);
void lease_waiters_clear(struct lease_waiters *waits);

/* Nothing was left, or an address has become free. `family` is 4 or 6. */
void lease_waiters_set_exhausted(struct lease_waiters *waits, enum lease_use use, int family);
void lease_waiters_note_freed(struct lease_waiters *waits, enum lease_use use, int family);
bool lease_waiters_is_exhausted(const struct lease_waiters *waits, enum lease_use use, int family);

/* The key was refused (copied), or stops waiting. */
void lease_waiters_add(struct lease_waiters *waits, enum lease_use use, int family,
                       const char *key);
void lease_waiters_remove(struct lease_waiters *waits, enum lease_use use, int family,
                          const char *key);

/* Number of waiting keys, of either family. */
uint64_t lease_waiters_count(const struct lease_waiters *waits, enum lease_use use);

/* The keys that should ask again (char *, owned by the array): of every use and family in which an
 * address became free. They stop waiting. */
GPtrArray *lease_waiters_take(struct lease_waiters *waits);
