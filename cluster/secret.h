/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A certificate, a key or a token: inline, or in a file that is replaced from time to time and
 * therefore read again.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define SECRET_MAX (1u << 20)   /* bytes */
#define SECRET_PERIOD 60000000u /* microseconds after which a file is read again */

struct secret {
    char *path; /* NULL: inline */
    GString *data;
    uint64_t read_at;
};

static inline bool secret_is_set(const struct secret *secret)
{
    return secret->path || secret->data;
}

/* What it holds at the time `now`; an unreadable file keeps what it held, and is logged. NULL: it
 * never could be read, or is not set. `force`: reads the file in any case. */
const GString *secret_get(struct secret *secret, uint64_t now, bool force);
void secret_clear(struct secret *secret);
