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

static inline guint hash_text(const char *text)
{
    return hash_bytes(text, strlen(text));
}

/* The same for GLib, whose equality is g_str_equal. */
static inline guint hash_key(gconstpointer text)
{
    return hash_text(text);
}

static inline guint hash_address(const struct address *address)
{
    return hash_bytes(address->bytes, sizeof address->bytes);
}
