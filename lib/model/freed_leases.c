/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Queues of freed leases. Each lease records its queue: the ranges may have changed by the time it
 * is removed.
 */
#include "freed_leases.h"

static unsigned family_index(int family)
{
    return family == 6 ? 1 : 0;
}

static GQueue *queue_of(struct freed_leases *freed, const struct lease *lease)
{
    unsigned family = family_index(address_family(&lease->address));

    return lease->outside ? &freed->of[lease->use][family].outside
                          : &freed->of[lease->use][family].inside;
}

static void enqueue(struct freed_leases *freed, struct lease *lease,
                    const struct lease_ranges *ranges)
{
    lease->outside = !lease_ranges_contain(ranges, &lease->address);
    lease->link.data = lease;
    g_queue_push_tail_link(queue_of(freed, lease), &lease->link);
}

void freed_leases_add(struct freed_leases *freed, struct lease *lease,
                      const struct lease_ranges *ranges)
{
    lease->freed = ++freed->freed;
    enqueue(freed, lease, ranges);
}

void freed_leases_remove(struct freed_leases *freed, struct lease *lease)
{
    g_queue_unlink(queue_of(freed, lease), &lease->link);
    lease->freed = 0;
}

int freed_leases_compare(gconstpointer a, gconstpointer b)
{
    const struct lease *x = *(struct lease *const *)a, *y = *(struct lease *const *)b;

    if (x->freed != y->freed)
        return x->freed < y->freed ? -1 : 1;
    return address_compare(&x->address, &y->address);
}

static void take_all(GQueue *queue, GPtrArray *all)
{
    for (GList *link; (link = g_queue_pop_head_link(queue));)
        g_ptr_array_add(all, link->data);
}

void freed_leases_sort(struct freed_leases *freed, enum lease_use use,
                       const struct lease_ranges *ranges)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();

    for (unsigned family = 0; family < 2; family++) {
        take_all(&freed->of[use][family].inside, all);
        take_all(&freed->of[use][family].outside, all);
    }
    g_ptr_array_sort(all, freed_leases_compare);
    for (guint i = 0; i < all->len; i++)
        enqueue(freed, all->pdata[i], ranges);
}

struct lease *freed_leases_oldest(struct freed_leases *freed, enum lease_use use, int family)
{
    return g_queue_peek_head(&freed->of[use][family_index(family)].inside);
}

struct lease *freed_leases_surplus(struct freed_leases *freed, enum lease_use use, int family)
{
    GQueue *inside = &freed->of[use][family_index(family)].inside;
    GQueue *outside = &freed->of[use][family_index(family)].outside;

    if (inside->length > LEASES_REMEMBERED_MAX)
        return inside->head->data;
    return outside->length > LEASES_REMEMBERED_MAX ? outside->head->data : NULL;
}
