/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rotation: a fixed table of (tag, position), indexed by a keyed hash of name and family.
 *
 * A table with an entry for every name would have to follow the model and would grow with what is
 * asked; this one needs neither. Two names that meet in one slot push each other out and then begin
 * at a random place, which is fair as well, only not as even.
 *
 * A position is kept below the size of the set instead of counting up for ever: a counter taken
 * modulo the size would favour the first addresses whenever it wraps.
 */
#include "rotation.h"

#include <errno.h>
#include <glib.h>
#include <sys/random.h>

#include "lib/resolve/name.h"
#include "lib/resolve/snapshot.h"

#define ROTATION_SLOTS 16384u /* a power of two */

struct rotation_slot {
    uint32_t tag;
    uint32_t position;
};

struct rotation {
    uint8_t seed[16];
    uint64_t drawn;
    struct rotation_slot slots[ROTATION_SLOTS];
};

int rotation_new(struct rotation **rotationp)
{
    struct rotation *rotation = g_new0(struct rotation, 1);

    if (getrandom(rotation->seed, sizeof rotation->seed, 0) != (ssize_t)sizeof rotation->seed) {
        g_free(rotation);
        return -EIO;
    }
    *rotationp = rotation;
    return 0;
}

struct rotation *rotation_free(struct rotation *rotation)
{
    g_free(rotation);
    return NULL;
}

static uint32_t rotation_draw(struct rotation *rotation, uint32_t n)
{
    uint64_t count = rotation->drawn++;

    return (uint32_t)(snapshot_hash(rotation->seed, &count, sizeof count) % n);
}

uint32_t rotation_next(struct rotation *rotation, const char *owner, size_t length,
                       enum kubesvc_family family, uint32_t n)
{
    char key[KUBESVC_NAME_MAX + 1];
    struct rotation_slot *slot;
    uint64_t hash;
    uint32_t tag, position;

    length = MIN(length, KUBESVC_NAME_MAX);
    key[0] = (char)family;
    for (size_t i = 0; i < length; i++)
        key[i + 1] = name_fold(owner[i]);
    hash = snapshot_hash(rotation->seed, key, length + 1);
    slot = &rotation->slots[hash % ROTATION_SLOTS];
    tag = (uint32_t)(hash >> 32);

    if (slot->tag != tag)
        position = rotation_draw(rotation, n);
    else if (slot->position >= n) /* the set has shrunk */
        position = 0;
    else
        position = slot->position;
    *slot = (struct rotation_slot){.tag = tag, .position = (position + 1) % n};
    return position;
}
