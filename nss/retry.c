/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small table for the whole process. Nothing else would do: no thread-local, no allocation, and
 * glibc passes another buffer each time (guest rules 38 and 47). What a lookup has left of its 250
 * ms soon expires, so nothing needs cleaning up: an entry is taken by the call that it was meant
 * for, overwritten, or out of date.
 *
 * An entry is 32 bits, which every processor can store atomically without a helper library: 10 bits
 * to identify the lookup, 14 bits of its deadline in milliseconds, and the size with 3 bits of
 * mantissa, rounded down. If two lookups collide, one of them may get less time, or be asked once
 * more than necessary for a larger buffer.
 */
#include "retry.h"

#include <pthread.h>
#include <stdatomic.h>

#define SLOTS 64u
#define TAG_BITS 10u
#define TIME_BITS 14u
#define MANTISSA_BITS 3u

static _Atomic uint32_t slots[SLOTS];

static uint32_t hash(uint32_t h, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++)
        h = (h ^ bytes[i]) * 0x01000193u; /* FNV-1a */
    return h;
}

uint32_t retry_key(const struct query_question *question, enum pack_form form)
{
    const pthread_t thread = pthread_self();
    const uint8_t kind[] = {(uint8_t)question->type, (uint8_t)question->family, (uint8_t)form};
    uint32_t h = hash(0x811c9dc5u, &thread, sizeof(thread));

    h = hash(h, kind, sizeof(kind));
    if (question->type == KUBESVC_REQUEST_NAME)
        return hash(h, question->name, question->name_length);
    return hash(h, question->address, sizeof(question->address));
}

static uint32_t bits(uint32_t value, unsigned count)
{
    return value & ((1u << count) - 1);
}

static uint32_t size_pack(size_t size)
{
    uint32_t exponent = 0;

    for (; size >= 2u << MANTISSA_BITS; size >>= 1)
        exponent++;
    return exponent << MANTISSA_BITS | bits((uint32_t)size, MANTISSA_BITS);
}

static size_t size_unpack(uint32_t packed)
{
    return ((size_t)1 << MANTISSA_BITS | bits(packed, MANTISSA_BITS)) << (packed >> MANTISSA_BITS);
}

size_t retry_take(uint32_t key, int64_t *deadlinep)
{
    _Atomic uint32_t *slot = &slots[key % SLOTS];
    uint32_t now = (uint32_t)(*deadlinep - KUBESVC_DEADLINE_MS);
    uint32_t entry = atomic_load_explicit(slot, memory_order_relaxed);
    uint32_t left = bits((entry >> TAG_BITS) - now, TIME_BITS);

    if (entry == 0 || bits(entry, TAG_BITS) != key >> (32 - TAG_BITS) || left == 0 ||
        left > KUBESVC_DEADLINE_MS ||
        !atomic_compare_exchange_strong_explicit(slot, &entry, 0, memory_order_relaxed,
                                                 memory_order_relaxed))
        return 0;
    *deadlinep += (int64_t)left - KUBESVC_DEADLINE_MS;
    return size_unpack(entry >> (TAG_BITS + TIME_BITS));
}

void retry_put(uint32_t key, int64_t deadline, size_t size)
{
    uint32_t entry = key >> (32 - TAG_BITS) | bits((uint32_t)deadline, TIME_BITS) << TAG_BITS |
                     size_pack(size) << (TAG_BITS + TIME_BITS);

    atomic_store_explicit(&slots[key % SLOTS], entry, memory_order_relaxed);
}
