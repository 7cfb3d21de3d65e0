/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The page: what the daemon is reading, and how often it died at which file. Files are identified
 * by hashes only, because the caller knows the path. The page is written by plain stores, the word
 * that makes an entry valid last; dying in between loses one count.
 */
#include "start_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "starting"
#define MAGIC UINT64_C(0x6b75626573766331)
#define SUSPECTS 32u

struct suspect {
    uint64_t file, stamp;
    uint32_t deaths; /* 0: the entry is free */
    uint32_t unused;
};

struct start_guard {
    uint64_t magic;
    uint64_t file, stamp;   /* that the daemon is reading */
    uint32_t busy;          /* it is reading one */
    _Atomic uint32_t ended; /* shut down in good order, possibly while reading one */
    struct suspect suspects[SUSPECTS];
};

/* Keeps the order of stores around it: the daemon may die in between. */
static void set_busy(struct start_guard *guard, bool busy)
{
    atomic_signal_fence(memory_order_seq_cst);
    guard->busy = busy;
    atomic_signal_fence(memory_order_seq_cst);
}

static uint64_t hash_path(const char *path)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *path; path++)
        hash = (hash ^ (unsigned char)*path) * UINT64_C(0x100000001b3);
    return hash;
}

static bool is_about(const struct suspect *suspect, uint64_t file)
{
    return suspect->deaths > 0 && suspect->file == file;
}

/* The entry of a file, or a free one, or the one with the fewest deaths. */
static struct suspect *entry_for(struct start_guard *guard, uint64_t file)
{
    struct suspect *best = &guard->suspects[0];

    for (unsigned i = 0; i < SUSPECTS; i++) {
        struct suspect *suspect = &guard->suspects[i];

        if (is_about(suspect, file))
            return suspect;
        if (suspect->deaths < best->deaths)
            best = suspect;
    }
    return best;
}

/* Only consecutive deaths count: one elsewhere resets the count, unless the file is skipped. */
static void forget_others(struct start_guard *guard, const struct suspect *kept)
{
    for (unsigned i = 0; i < SUSPECTS; i++) {
        struct suspect *suspect = &guard->suspects[i];

        if (suspect != kept && suspect->deaths < START_GUARD_DEATHS)
            suspect->deaths = 0;
    }
}

static void count_death(struct start_guard *guard)
{
    struct suspect *suspect = entry_for(guard, guard->file);
    bool same = is_about(suspect, guard->file) && suspect->stamp == guard->stamp;

    suspect->deaths = same ? suspect->deaths + (suspect->deaths < UINT32_MAX) : 1;
    suspect->file = guard->file;
    suspect->stamp = guard->stamp;
    forget_others(guard, suspect);
}

int start_guard_open(struct start_guard **guardp, const char *directory)
{
    g_autofree char *path = g_build_filename(directory, NAME, NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);

    if (fd < 0)
        return -errno;
    struct start_guard *guard = MAP_FAILED;
    /* a store must never hit a full disk */
    int r = -posix_fallocate(fd, 0, sizeof *guard);
    if (r == 0)
        guard = mmap(NULL, sizeof *guard, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (r == 0 && guard == MAP_FAILED)
        r = -errno;
    close(fd);
    if (r < 0)
        return r;
    if (guard->magic != MAGIC)
        *guard = (struct start_guard){.magic = MAGIC};
    if (guard->busy && !guard->ended)
        count_death(guard);
    guard->busy = 0;
    guard->ended = 0;
    *guardp = guard;
    return 0;
}

void start_guard_end(struct start_guard *guard)
{
    if (guard)
        guard->ended = 1;
}

struct start_guard *start_guard_close(struct start_guard *guard)
{
    if (!guard)
        return NULL;
    start_guard_end(guard);
    munmap(guard, sizeof *guard);
    return NULL;
}

void start_guard_enter(struct start_guard *guard, const char *path, uint64_t stamp)
{
    if (!guard)
        return;
    uint64_t file = hash_path(path);
    if (guard->busy && guard->file == file && guard->stamp == stamp)
        return;
    set_busy(guard, false);
    guard->file = file;
    guard->stamp = stamp;
    set_busy(guard, true);
}

void start_guard_leave(struct start_guard *guard)
{
    if (guard)
        set_busy(guard, false);
}

unsigned start_guard_deaths(struct start_guard *guard, const char *path, uint64_t stamp)
{
    uint64_t file = hash_path(path);
    struct suspect *suspect = guard ? entry_for(guard, file) : NULL;

    if (!suspect || !is_about(suspect, file))
        return 0;
    if (suspect->stamp != stamp)
        suspect->deaths = 0;
    return suspect->deaths;
}

void start_guard_finish(struct start_guard *guard)
{
    if (!guard)
        return;
    set_busy(guard, false);
    forget_others(guard, NULL);
}
