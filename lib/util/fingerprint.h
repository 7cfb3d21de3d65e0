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
    int64_t mtime, ctime; /* see fingerprint_time */
    mode_t mode;
};

/* Nanoseconds since the epoch. The owner of a file can set its time to one that does not fit. */
static inline int64_t fingerprint_time(int64_t seconds, int64_t nanoseconds)
{
    const int64_t most = INT64_MAX / 1000000000 - 1;

    return CLAMP(seconds, -most, most) * 1000000000 + nanoseconds;
}

static inline struct fingerprint fingerprint_of(const struct stat *st)
{
    return (struct fingerprint){
        .dev = st->st_dev,
        .ino = st->st_ino,
        .size = st->st_size,
        .mtime = fingerprint_time(st->st_mtim.tv_sec, st->st_mtim.tv_nsec),
        .ctime = fingerprint_time(st->st_ctim.tv_sec, st->st_ctim.tv_nsec),
        .mode = st->st_mode,
    };
}

static inline bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime == b->mtime &&
           a->ctime == b->ctime && a->mode == b->mode;
}

/* Can only attributes of the file have changed, such as its owner? Only if a writer would have been
 * noticed: a modification time can be set back. */
static inline bool fingerprint_same_content(const struct fingerprint *a,
                                            const struct fingerprint *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime == b->mtime &&
           (a->mode & S_IFMT) == (b->mode & S_IFMT);
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
