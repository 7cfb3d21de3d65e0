/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ranges of leases. Fresh addresses come in ascending order and each only once, so that a freed
 * one is not reused early; skipped ones are searched only when everything else is used up.
 */
#include "lease_ranges.h"

#define LEFT_OVER_BITS 20u /* ranges beyond 2^20 addresses are not searched */

struct range {
    struct address_range range;
    struct address next; /* fresh addresses from here on */
    bool exhausted;
};

struct lease_ranges {
    guint n;
    struct range all[];
};

static void address_increment(struct address *address)
{
    for (int i = 15; i >= 0 && ++address->bytes[i] == 0; i--)
        ;
}

/* The network address is never leased, as in a control plane's allocator. */
static struct address first_of(const struct address_range *range)
{
    struct address first = range->base;
    if (range->prefix < 127)
        address_increment(&first);
    return first;
}

/* Nor is the broadcast address of an IPv4 range wider than two. */
static bool is_broadcast(const struct address_range *range, const struct address *address)
{
    if (!address_is_inet(address) || range->prefix >= 127)
        return false;
    struct address next = *address;
    address_increment(&next);
    return !address_range_contains(range, &next);
}

struct lease_ranges *lease_ranges_new(const GArray *given)
{
    guint n = given ? given->len : 0;
    struct lease_ranges *ranges = g_malloc0(sizeof *ranges + n * sizeof ranges->all[0]);
    ranges->n = n;
    for (guint i = 0; i < n; i++) {
        ranges->all[i].range = g_array_index(given, struct address_range, i);
        ranges->all[i].next = first_of(&ranges->all[i].range);
    }
    return ranges;
}

static bool is_family(const struct range *range, int family)
{
    return address_family(&range->range.base) == family;
}

bool lease_ranges_have_family(const struct lease_ranges *ranges, int family)
{
    for (guint i = 0; i < ranges->n; i++)
        if (is_family(&ranges->all[i], family))
            return true;
    return false;
}

int lease_ranges_first_family(const struct lease_ranges *ranges)
{
    return ranges->n > 0 ? address_family(&ranges->all[0].range.base) : 0;
}

bool lease_ranges_contain(const struct lease_ranges *ranges, const struct address *address)
{
    for (guint i = 0; i < ranges->n; i++)
        if (address_range_contains(&ranges->all[i].range, address))
            return true;
    return false;
}

uint64_t lease_ranges_size(const struct lease_ranges *ranges)
{
    uint64_t size = 0;
    for (guint i = 0; i < ranges->n; i++) {
        unsigned bits = 128 - ranges->all[i].range.prefix;
        uint64_t count = bits >= 63 ? UINT64_MAX / 2 : UINT64_C(1) << bits;
        size = size > UINT64_MAX - count ? UINT64_MAX : size + count;
    }
    return size;
}

static bool fresh_in(struct range *range, lease_ranges_may may, void *userdata,
                     struct address *address)
{
    while (!range->exhausted) {
        *address = range->next;
        address_increment(&range->next);
        range->exhausted = !address_range_contains(&range->range, &range->next);
        if (!is_broadcast(&range->range, address) && may(userdata, address))
            return true;
    }
    return false;
}

bool lease_ranges_fresh(struct lease_ranges *ranges, int family, lease_ranges_may may,
                        void *userdata, struct address *address)
{
    for (guint i = 0; i < ranges->n; i++) {
        struct range *range = &ranges->all[i];
        if (is_family(range, family) && fresh_in(range, may, userdata, address))
            return true;
    }
    return false;
}

static bool left_over_in(const struct address_range *range, lease_ranges_may may, void *userdata,
                         struct address *address)
{
    if (128 - range->prefix > LEFT_OVER_BITS)
        return false;
    for (*address = first_of(range); address_range_contains(range, address);
         address_increment(address))
        if (!is_broadcast(range, address) && may(userdata, address))
            return true;
    return false;
}

bool lease_ranges_left_over(const struct lease_ranges *ranges, int family, lease_ranges_may may,
                            void *userdata, struct address *address)
{
    for (guint i = 0; i < ranges->n; i++) {
        const struct range *range = &ranges->all[i];
        if (is_family(range, family) && left_over_in(&range->range, may, userdata, address))
            return true;
    }
    return false;
}
