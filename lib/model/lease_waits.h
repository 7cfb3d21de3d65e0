/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which keys asked for an address in vain, by use and family, and whether asking again is
 * worthwhile.
 */
#pragma once

#include "leases.h"

struct lease_waits {
    struct {
        GHashTable *refused; /* set of char *: keys */
        bool full;           /* nothing was left at the last attempt */
        bool relieved;       /* something became free since */
    } of[LEASE_USES][2];     /* of family 4, 6 */
};

void lease_waits_init(struct lease_waits *waits);
void lease_waits_clear(struct lease_waits *waits);

/* Nothing was left, or an address has become free. `family` is 4 or 6. */
void lease_waits_fill(struct lease_waits *waits, enum lease_use use, int family);
void lease_waits_relieve(struct lease_waits *waits, enum lease_use use, int family);
bool lease_waits_is_full(const struct lease_waits *waits, enum lease_use use, int family);

/* The key was refused (copied), or stops waiting. */
void lease_waits_add(struct lease_waits *waits, enum lease_use use, int family, const char *key);
void lease_waits_remove(struct lease_waits *waits, enum lease_use use, int family, const char *key);

/* Number of waiting keys, of either family. */
uint64_t lease_waits_count(const struct lease_waits *waits, enum lease_use use);

/* The keys that should ask again (char *, owned by the array): of every use and family in which an
 * address became free. They stop waiting. */
GPtrArray *lease_waits_take(struct lease_waits *waits);
