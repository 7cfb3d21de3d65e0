/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The process-wide key of the daemon's hash tables, drawn at first use and never changed. The only
 * global value of the model, because GLib passes no context to a hash function.
 */
#include "hash.h"

#include <stdint.h>
#include <sys/random.h>

#include "lib/resolve/snapshot.h"

static const uint8_t *hash_seed(void)
{
    static uint8_t seed[16];
    static bool drawn;
    if (!drawn) {
        /* Without random bytes the tables still work; only the defence is weaker. */
        if (getrandom(seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
            memset(seed, 0x5a, sizeof seed);
        drawn = true;
    }
    return seed;
}

guint hash_bytes(const void *data, size_t length)
{
    return (guint)snapshot_hash(hash_seed(), data, length);
}
