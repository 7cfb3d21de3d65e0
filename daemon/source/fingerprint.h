/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tells whether a file may have changed: its identity, size and time of writing.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct fingerprint {
    dev_t dev;
    ino_t ino;
    off_t size;
    int64_t mtime, ctime; /* nanoseconds */
    mode_t mode;
};

static inline struct fingerprint fingerprint_of(const struct stat *st)
{
    return (struct fingerprint){
        .dev = st->st_dev,
        .ino = st->st_ino,
        .size = st->st_size,
        .mtime = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
        .ctime = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec,
        .mode = st->st_mode,
    };
}

static inline bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime == b->mtime &&
           a->ctime == b->ctime && a->mode == b->mode;
}

/* Microseconds since one of its times. */
static inline int64_t fingerprint_age(int64_t time)
{
    return g_get_real_time() - time / 1000;
}

/* A hash of it. */
static inline uint64_t fingerprint_stamp(const struct fingerprint *fingerprint)
{
    const uint64_t parts[] = {fingerprint->dev, fingerprint->ino, (uint64_t)fingerprint->size,
                              (uint64_t)fingerprint->mtime, (uint64_t)fingerprint->ctime};
    uint64_t stamp = UINT64_C(0xcbf29ce484222325);

    for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++)
        stamp = (stamp ^ parts[i]) * UINT64_C(0x9e3779b97f4a7c15);
    return stamp;
}
