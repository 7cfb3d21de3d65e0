/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The layout of an answer in the caller's buffer. Names and addresses are received where they stay,
 * so packing only fills in the pointers between them; tuples, which are larger than their
 * addresses, are expanded in place.
 */
#include "pack.h"

#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/resolve/name.h"

#define INET_SIZE 4u
#define INET6_SIZE 16u

/* A part that follows another without padding must not need stricter alignment than the first. */
#define PACK_ALIGNMENT alignof(struct gaih_addrtuple)
_Static_assert(alignof(char *) <= PACK_ALIGNMENT, "pointers stand at the start");
_Static_assert(sizeof(struct gaih_addrtuple) >= INET6_SIZE, "a tuple covers its address");
_Static_assert(KUBESVC_ADDRESSES_MAX < (SIZE_MAX - KUBESVC_NAMES_SIZE_MAX) / 64 &&
                   sizeof(struct gaih_addrtuple) < 64,
               "no layout within the limits overflows");

struct pack_buffer pack_buffer_new(char *buffer, size_t size)
{
    size_t padding = -(uintptr_t)buffer % PACK_ALIGNMENT;

    if (!buffer || size <= padding)
        return (struct pack_buffer){0};
    return (struct pack_buffer){.start = buffer + padding, .size = size - padding};
}

struct pack_layout pack_layout_new(const struct pack_counts *counts)
{
    struct pack_layout layout = {0};
    size_t addresses = (size_t)counts->inet + counts->inet6;

    layout.addresses_size = INET_SIZE * (size_t)counts->inet + INET6_SIZE * (size_t)counts->inet6;
    if (counts->form == PACK_HOSTENT) {
        layout.list = counts->names * sizeof(char *);
        layout.addresses = layout.list + (addresses + 1) * sizeof(char *);
        layout.names = layout.addresses + layout.addresses_size;
    } else {
        layout.names = addresses * sizeof(struct gaih_addrtuple);
        layout.addresses = layout.names - layout.addresses_size;
    }
    layout.size = layout.names + counts->names_size;
    return layout;
}

uint32_t pack_room(struct pack_buffer buffer, enum pack_form form, int family)
{
    struct pack_counts counts = {.form = form, .names = 1, .names_size = KUBESVC_NAME_MAX + 1};
    size_t fixed = pack_layout_new(&counts).size;

    if (family == AF_INET6)
        counts.inet6 = 1;
    else
        counts.inet = 1;
    size_t each = pack_layout_new(&counts).size - fixed;
    size_t room = buffer.size < fixed ? 0 : (buffer.size - fixed) / each;

    return room < KUBESVC_ADDRESSES_MAX ? (uint32_t)room : KUBESVC_ADDRESSES_MAX;
}

bool pack_names_are_valid(const char *names, const struct pack_counts *counts)
{
    size_t left = counts->names_size;

    for (uint32_t i = 0; i < counts->names; i++) {
        size_t length = strnlen(names, left);

        if (length == left || !name_is_valid(names, length))
            return false;
        names += length + 1;
        left -= length + 1;
    }
    return left == 0;
}

void pack_hostent(struct pack_buffer buffer, const struct pack_counts *counts,
                  const struct pack_layout *layout, struct hostent *host)
{
    char **aliases = (char **)(void *)(buffer.start + layout->aliases);
    char **list = (char **)(void *)(buffer.start + layout->list);
    char *address = buffer.start + layout->addresses;
    char *name = buffer.start + layout->names;
    uint32_t length = counts->inet ? INET_SIZE : INET6_SIZE;
    uint32_t addresses = counts->inet + counts->inet6;

    *host = (struct hostent){
        .h_name = name,
        .h_aliases = aliases,
        .h_addrtype = counts->inet ? AF_INET : AF_INET6,
        .h_length = (int)length,
        .h_addr_list = list,
    };
    for (uint32_t i = 1; i < counts->names; i++) { /* the owners before the canonical name */
        name += strlen(name) + 1;
        *aliases++ = name;
    }
    *aliases = NULL;
    for (uint32_t i = 0; i < addresses; i++, address += length)
        *list++ = address;
    *list = NULL;
}

struct gaih_addrtuple *pack_tuples(struct pack_buffer buffer, const struct pack_counts *counts,
                                   const struct pack_layout *layout)
{
    struct gaih_addrtuple *tuples = (struct gaih_addrtuple *)(void *)(buffer.start + layout->list);
    const char *address = buffer.start + layout->addresses;
    char *name = buffer.start + layout->names;
    size_t addresses = (size_t)counts->inet + counts->inet6;

    for (size_t i = 0; i < addresses; i++) {
        size_t length = i < counts->inet ? INET_SIZE : INET6_SIZE;
        struct gaih_addrtuple tuple = {
            .next = i + 1 < addresses ? tuples + i + 1 : NULL,
            .name = name,
            .family = length == INET_SIZE ? AF_INET : AF_INET6,
        };

        /* The address is read before its tuple is written: they overlap towards the end. */
        memcpy(tuple.addr, address, length);
        address += length;
        tuples[i] = tuple;
    }
    return tuples;
}
