/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The account. Sums only; what is refused, and with what consequence, is decided where objects are
 * created.
 */
#include "account.h"

#include <glib.h>

struct account *account_new(void)
{
    struct account *account = g_new0(struct account, 1);

    account->references = 1;
    return account;
}

struct account *account_ref(struct account *account)
{
    if (account)
        account->references++;
    return account;
}

void account_unref(struct account *account)
{
    if (account && --account->references == 0)
        g_free(account);
}

void usage_add(struct usage *usage, const struct usage *more)
{
    usage->objects += more->objects;
    usage->labels += more->labels;
    usage->bytes += more->bytes;
}

void usage_subtract(struct usage *usage, const struct usage *less)
{
    usage->objects -= less->objects;
    usage->labels -= less->labels;
    usage->bytes -= less->bytes;
}

const char *usage_exceeds(const struct usage *used, const struct usage *more)
{
    if (used->objects + more->objects > ACCOUNT_OBJECTS_MAX)
        return "524288 objects";
    if (used->labels + more->labels > ACCOUNT_LABELS_MAX)
        return "8388608 labels";
    if (used->bytes + more->bytes > ACCOUNT_BYTES_MAX)
        return "256 MiB of what decides names";
    return NULL;
}

_Static_assert(ACCOUNT_OBJECTS_MAX == 524288 && ACCOUNT_LABELS_MAX == 8388608 &&
                   ACCOUNT_BYTES_MAX == 268435456,
               "the texts above say so");
