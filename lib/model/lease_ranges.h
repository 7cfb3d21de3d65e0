/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ranges of one use of leases, and where in them fresh addresses continue.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/util/address.h"

struct lease_ranges;

/* From struct address_range, copied; NULL for none. Free with g_free. */
struct lease_ranges *lease_ranges_new(const GArray *given);

bool lease_ranges_have_family(const struct lease_ranges *ranges, int family);
int lease_ranges_first_family(const struct lease_ranges *ranges); /* 0 without any */
bool lease_ranges_contain(const struct lease_ranges *ranges, const struct address *address);

/* Addresses in all of them, saturating. */
uint64_t lease_ranges_size(const struct lease_ranges *ranges);

/* May the address be leased? */
typedef bool (*lease_ranges_may)(void *userdata, const struct address *address);

/* The next address of a family that has not been passed yet and may be leased. */
bool lease_ranges_fresh(struct lease_ranges *ranges, int family, lease_ranges_may may,
                        void *userdata, struct address *address);

/* One that was passed before and may be leased now: checks every address, but not in a range of
 * more than a million. */
bool lease_ranges_left_over(const struct lease_ranges *ranges, int family, lease_ranges_may may,
                            void *userdata, struct address *address);
