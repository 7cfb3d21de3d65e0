/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the parts of an answer go in the caller's buffer, in the two forms that glibc asks for.
 *
 * One function computes every offset and their sum from counts alone; both the size check and the
 * filling use its result (guest rule 34).
 */
#pragma once

#include <netdb.h>
#include <nss.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kubesvc/limits.h>

/* The part of a caller's buffer from its first aligned byte on; size 0 if there is none. */
struct pack_buffer {
    char *start;
    size_t size;
};

struct pack_buffer pack_buffer_new(char *buffer, size_t size);

enum pack_form {
    PACK_HOSTENT, /* addresses of one family */
    PACK_TUPLES,  /* a list of struct gaih_addrtuple */
};

/* What to pack, within the limits of the protocol. */
struct pack_counts {
    enum pack_form form;
    uint32_t names; /* canonical name first */
    uint32_t names_size;
    uint32_t inet;
    uint32_t inet6;
};

/* Offsets from the aligned start. */
struct pack_layout {
    size_t aliases;   /* HOSTENT: char *[names] */
    size_t list;      /* HOSTENT: char *[addresses + 1]; TUPLES: struct gaih_addrtuple[] */
    size_t addresses; /* where they are received; TUPLES: at the end of the tuples */
    size_t addresses_size;
    size_t names; /* where the strings are received */
    size_t size;  /* total */
};

struct pack_layout pack_layout_new(const struct pack_counts *counts);

/* The most addresses of `family` that fit in `buffer` under one name of any length. */
uint32_t pack_room(struct pack_buffer buffer, enum pack_form form, int family);

/* Are there exactly as many strings at `names` as `counts` says, each terminated, and all of them
 * host names? */
bool pack_names_are_valid(const char *names, const struct pack_counts *counts);

/* Fills in `*host` once names and addresses are where the layout says. */
void pack_hostent(struct pack_buffer buffer, const struct pack_counts *counts,
                  const struct pack_layout *layout, struct hostent *host);

/* The same for tuples; returns the first, of at least one. */
struct gaih_addrtuple *pack_tuples(struct pack_buffer buffer, const struct pack_counts *counts,
                                   const struct pack_layout *layout);
