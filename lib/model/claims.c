/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists that are compared when sorted, so that of a million claims only those that change cost more
 * than that.
 */
#include "claims.h"

#include "labels.h"

/* The number of claims in one piece of work. */
#define CLAIMS_BETWEEN 1024u

struct address_claim {
    struct address address;
    enum claim_kind kind;
    const char *label; /* reference held */
};

static void claim_clear(gpointer data)
{
    name_unref(((struct address_claim *)data)->label);
}

GArray *claims_new(guint expected)
{
    GArray *claims = g_array_sized_new(FALSE, FALSE, sizeof(struct address_claim), expected);
    g_array_set_clear_func(claims, claim_clear);
    return claims;
}

static int compare_claims(gconstpointer a, gconstpointer b)
{
    const struct address_claim *x = a, *y = b;
    int order = address_compare(&x->address, &y->address);
    if (order != 0)
        return order;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->label == y->label)
        return 0;
    return (uintptr_t)x->label < (uintptr_t)y->label ? -1 : 1;
}

void claims_add(GArray *claims, const struct address *address, enum claim_kind kind,
                const char *label)
{
    struct address_claim entry = {.address = *address, .kind = kind, .label = name_ref(label)};
    g_array_append_val(claims, entry);
}

void claims_exchange(GArray **claimsp, GArray *after, const struct claim_owner *owner,
                     struct reverse *reverse, const struct between *between)
{
    const GArray *before = *claimsp;
    g_array_sort(after, compare_claims);
    const struct address_claim *old = before ? (void *)before->data : NULL;
    const struct address_claim *new = (void *)after->data;
    guint n_old = before ? before->len : 0, n_new = after->len;
    for (guint i = 0, j = 0, n = 1; i < n_old || j < n_new; n++) {
        if (n % CLAIMS_BETWEEN == 0)
            between_pieces(between);
        if (i + 1 < n_old && compare_claims(&old[i], &old[i + 1]) == 0) {
            i++;
            continue;
        }
        if (j + 1 < n_new && compare_claims(&new[j], &new[j + 1]) == 0) {
            j++;
            continue;
        }
        int order = i == n_old ? 1 : j == n_new ? -1 : compare_claims(&old[i], &new[j]);
        if (order < 0)
            reverse_unclaim(reverse, &old[i].address, old[i].kind, owner, old[i].label);
        else if (order > 0)
            reverse_claim(reverse, &new[j].address, new[j].kind, owner, new[j].label);
        i += order <= 0;
        j += order >= 0;
    }
    g_clear_pointer(claimsp, g_array_unref);
    *claimsp = after;
}
