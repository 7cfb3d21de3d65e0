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
    GArray *all; /* struct range */
};

struct lease_ranges *lease_ranges_new(void)
{
    struct lease_ranges *ranges = g_new0(struct lease_ranges, 1);
    ranges->all = g_array_new(FALSE, FALSE, sizeof(struct range));
    return ranges;
}

struct lease_ranges *lease_ranges_free(struct lease_ranges *ranges)
{
    if (!ranges)
        return NULL;
    g_array_unref(ranges->all);
    g_free(ranges);
    return NULL;
}

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

void lease_ranges_set(struct lease_ranges *ranges, const GArray *given)
{
    g_array_set_size(ranges->all, 0);
    for (guint i = 0; given && i < given->len; i++) {
        struct range range = {.range = g_array_index(given, struct address_range, i)};
        range.next = first_of(&range.range);
        g_array_append_val(ranges->all, range);
    }
}

static bool is_family(const struct range *range, int family)
{
    return address_family(&range->range.base) == family;
}

bool lease_ranges_have_family(const struct lease_ranges *ranges, int family)
{
    for (guint i = 0; i < ranges->all->len; i++)
        if (is_family(&g_array_index(ranges->all, struct range, i), family))
            return true;
    return false;
}

int lease_ranges_first_family(const struct lease_ranges *ranges)
{
    if (ranges->all->len == 0)
        return 0;
    return address_family(&g_array_index(ranges->all, struct range, 0).range.base);
}

bool lease_ranges_contain(const struct lease_ranges *ranges, const struct address *address)
{
    for (guint i = 0; i < ranges->all->len; i++)
        if (address_range_contains(&g_array_index(ranges->all, struct range, i).range, address))
            return true;
    return false;
}

uint64_t lease_ranges_size(const struct lease_ranges *ranges)
{
    uint64_t size = 0;
    for (guint i = 0; i < ranges->all->len; i++) {
        unsigned bits = 128 - g_array_index(ranges->all, struct range, i).range.prefix;
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
    for (guint i = 0; i < ranges->all->len; i++) {
        struct range *range = &g_array_index(ranges->all, struct range, i);
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
    for (guint i = 0; i < ranges->all->len; i++) {
        const struct range *range = &g_array_index(ranges->all, struct range, i);
        if (is_family(range, family) && left_over_in(&range->range, may, userdata, address))
            return true;
    }
    return false;
}
