/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rotation: a fixed table of (tag, position), indexed by a keyed hash of name and family.
 *
 * A table with an entry for every name would have to follow the model and would grow with what is
 * asked; this one needs neither. Two names in one slot evict each other and then start at a random
 * place, which is fair as well, only less even.
 *
 * A position is kept below the size of the set instead of counting up for ever: a counter taken
 * modulo the size would favour the first addresses whenever it wraps.
 */
#include "round_robin.h"

#include <errno.h>
#include <glib.h>
#include <sys/random.h>

#include "lib/resolve/name.h"
#include "lib/resolve/snapshot.h"

#define ROUND_ROBIN_SLOTS 16384u /* a power of two */

struct round_robin_slot {
    uint32_t tag;
    uint32_t position;
};

struct round_robin {
    uint8_t seed[16];
    uint64_t drawn;
    struct round_robin_slot slots[ROUND_ROBIN_SLOTS];
};

int round_robin_new(struct round_robin **round_robinp)
{
    struct round_robin *round_robin = g_new0(struct round_robin, 1);

    if (getrandom(round_robin->seed, sizeof round_robin->seed, 0) !=
        (ssize_t)sizeof round_robin->seed) {
        g_free(round_robin);
        return -EIO;
    }
    *round_robinp = round_robin;
    return 0;
}

struct round_robin *round_robin_free(struct round_robin *round_robin)
{
    g_free(round_robin);
    return NULL;
}

static uint32_t round_robin_draw(struct round_robin *round_robin, uint32_t n)
{
    uint64_t count = round_robin->drawn++;

    return (uint32_t)(snapshot_hash(round_robin->seed, &count, sizeof count) % n);
}

uint32_t round_robin_next(struct round_robin *round_robin, const char *owner, size_t length,
                          enum kubesvc_family family, uint32_t n)
{
    char key[KUBESVC_NAME_MAX + 1];
    struct round_robin_slot *slot;
    uint64_t hash;
    uint32_t tag, position;

    length = MIN(length, KUBESVC_NAME_MAX);
    key[0] = (char)family;
    for (size_t i = 0; i < length; i++)
        key[i + 1] = name_fold(owner[i]);
    hash = snapshot_hash(round_robin->seed, key, length + 1);
    slot = &round_robin->slots[hash % ROUND_ROBIN_SLOTS];
    tag = (uint32_t)(hash >> 32);

    if (slot->tag != tag)
        position = round_robin_draw(round_robin, n);
    else if (slot->position >= n) /* the set has shrunk */
        position = 0;
    else
        position = slot->position;
    *slot = (struct round_robin_slot){.tag = tag, .position = (position + 1) % n};
    return position;
}
