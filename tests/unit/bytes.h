/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes in memory as the reader of a file gets them, in pieces. Header only, because a fuzz target
 * is built from one file.
 */
#pragma once

#include <glib.h>
#include <string.h>
#include <sys/types.h>

struct bytes {
    const char *at;
    size_t left, piece; /* at most so many at once; 0: as many as asked for */
};

static inline ssize_t bytes_give(void *userdata, void *buffer, size_t size)
{
    struct bytes *bytes = userdata;
    size_t n = MIN(size, bytes->left);

    if (bytes->piece > 0)
        n = MIN(n, bytes->piece);
    if (n > 0)
        memcpy(buffer, bytes->at, n);
    bytes->at += n;
    bytes->left -= n;
    return (ssize_t)n;
}
