/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Seeded hashes for tables whose keys come from manifests: the author of a manifest must not be
 * able to choose keys that collide (guest rule 71).
 */
#pragma once

#include <glib.h>
#include <stddef.h>

#include "address.h"

/* SipHash-2-4, keyed once per process with random bytes. */
guint hash_bytes(const void *data, size_t length);

/* The hash of a text, whose equality is g_str_equal. */
static inline guint hash_text(gconstpointer text)
{
    return hash_bytes(text, strlen(text));
}

/* Of a struct address, or of anything that begins with one. */
static inline guint hash_address(gconstpointer address)
{
    return hash_bytes(((const struct address *)address)->bytes, sizeof(struct address));
}

static inline gboolean equal_address(gconstpointer a, gconstpointer b)
{
    return address_compare(a, b) == 0;
}
