/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes of one record under construction: a struct at its head, then tables, texts and sets of
 * addresses, all found by their offset. Everything returned is already little-endian.
 */
#pragma once

#include <glib.h>
#include <stddef.h>

#include "lib/util/address.h"
#include <kubesvc/snapshot.h>

struct record_builder {
    GByteArray *bytes;
    GHashTable *arrays; /* GBytes -> offset; NULL while there is none */
    GHashTable *sets;   /* GArray of struct address -> struct kubesvc_set; NULL as well */
    GPtrArray *kept;    /* of GArray: freed with the builder; NULL as well */
    /* The last union of several, which the next entry usually has as well. */
    const GArray **united;
    size_t n_united;
    struct kubesvc_set last_union;
};

/* Leaves room for a head of `size` bytes. */
void record_builder_begin(struct record_builder *builder, size_t size);

/* Fills in the head and returns the record; the builder is empty then. */
GByteArray *record_builder_end(struct record_builder *builder, const void *head, size_t size);

/* Leaves room for a table of structs of 32-bit fields, `size` bytes, to be filled in later. */
struct kubesvc_span record_builder_table(struct record_builder *builder, size_t size);
void record_builder_fill(struct record_builder *builder, struct kubesvc_span table,
                         const void *rows);

struct kubesvc_span record_builder_text(struct record_builder *builder, const char *text,
                                        size_t length);
struct kubesvc_span record_builder_lower(struct record_builder *builder, const char *text);

/* Takes an array that must not be freed before the record is complete. */
void record_builder_keep(struct record_builder *builder, GArray *addresses);

/* The set of these addresses (GArray of struct address, NULL for none). The array must not change
 * before the record is complete. */
struct kubesvc_set record_builder_set(struct record_builder *builder, const GArray *addresses);

/* The union of `n` arrays, which must not change before the record is complete. */
struct kubesvc_set record_builder_union(struct record_builder *builder, const GArray *const *arrays,
                                        size_t n);

/* Ascending, each address once. */
void record_sort_addresses(GArray *addresses);
int record_compare_addresses(const void *a, const void *b);
