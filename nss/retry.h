/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a lookup leaves behind when the caller's buffer was too small. glibc calls again with a
 * larger one, up to 17 times; to the program that is one lookup, and it has one deadline.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "pack.h"
#include "query.h"

/* Identifies a lookup and its thread. Two may share a key. */
uint32_t retry_key(const struct query_question *question, enum pack_form form);

/* Starts a lookup. If it is a repeated call, `*deadlinep` (just set by connection_new) becomes what
 * the first call had left, and a size in bytes that is certainly needed is returned; else 0. */
size_t retry_take(uint32_t key, int64_t *deadlinep);

/* Ends a lookup that needs a buffer of `size` bytes. */
void retry_put(uint32_t key, int64_t deadline, size_t size);
