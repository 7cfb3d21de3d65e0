/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who asked for an address in vain, by use and family, and whether asking again is worth it.
 */
#pragma once

#include "leases.h"

struct lease_waits {
    struct {
        GHashTable *refused; /* set of char *: keys */
        bool full;           /* nothing was left when last looked for */
        bool relieved;       /* something became free since */
    } of[LEASE_USES][2];     /* of family 4, 6 */
};

void lease_waits_init(struct lease_waits *waits);
void lease_waits_clear(struct lease_waits *waits);

/* Nothing was left, or something has become free. `family` is 4 or 6. */
void lease_waits_fill(struct lease_waits *waits, enum lease_use use, int family);
void lease_waits_relieve(struct lease_waits *waits, enum lease_use use, int family);
bool lease_waits_is_full(const struct lease_waits *waits, enum lease_use use, int family);

/* The key was refused (copied), or waits no longer. */
void lease_waits_add(struct lease_waits *waits, enum lease_use use, int family, const char *key);
void lease_waits_remove(struct lease_waits *waits, enum lease_use use, int family, const char *key);

/* Keys that wait, in whatever family. */
uint64_t lease_waits_count(const struct lease_waits *waits, enum lease_use use);

/* The keys that are to ask again (char *, owned by the array): of every use and family in which
 * something became free. They wait no longer. */
GPtrArray *lease_waits_take(struct lease_waits *waits);
