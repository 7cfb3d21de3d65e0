/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The freed leases in the order they were freed, separated by whether they lie in the ranges. Each
 * lease has its own link, so that reusing one leaves nothing behind.
 */
#pragma once

#include "lease_ranges.h"
#include "leases.h"

struct freed_leases {
    uint64_t freed; /* total ever freed: gives the order */
    struct {
        GQueue inside, outside; /* struct lease, oldest first */
    } of[LEASE_USES][2];        /* of family 4, 6 */
};

/* Adds a lease as the last one freed. It must not be queued. `ranges` are those of its use. */
void freed_leases_add(struct freed_leases *freed, struct lease *lease,
                      const struct lease_ranges *ranges);
/* Removes it: it is held again, or about to be forgotten. */
void freed_leases_remove(struct freed_leases *freed, struct lease *lease);

/* The ranges of a use have changed. */
void freed_leases_sort(struct freed_leases *freed, enum lease_use use,
                       const struct lease_ranges *ranges);

/* The oldest one in the ranges, or NULL. `family` is 4 or 6. */
struct lease *freed_leases_oldest(struct freed_leases *freed, enum lease_use use, int family);

/* One to forget, because there are more than LEASES_REMEMBERED_MAX; or NULL. */
struct lease *freed_leases_surplus(struct freed_leases *freed, enum lease_use use, int family);

/* Compares two struct lease * by the order in which they were freed. */
int freed_leases_compare(gconstpointer a, gconstpointer b);
