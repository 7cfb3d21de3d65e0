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

struct page {
    uint64_t magic;
    uint64_t file, stamp;   /* that the daemon is reading */
    uint32_t busy;          /* it is reading one */
    _Atomic uint32_t ended; /* shut down in good order, possibly while reading one */
    struct suspect suspects[SUSPECTS];
};

struct start_guard {
    struct page *page;
};

/* Keeps the order of stores around it: the daemon may die in between. */
static void set_busy(struct start_guard *guard, bool busy)
{
    atomic_signal_fence(memory_order_seq_cst);
    guard->page->busy = busy;
    atomic_signal_fence(memory_order_seq_cst);
}

static uint64_t hash_path(const char *path)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *path; path++)
        hash = (hash ^ (unsigned char)*path) * UINT64_C(0x100000001b3);
    return hash;
}

/* The entry of a file, or a free one, or the one with the fewest deaths. */
static struct suspect *entry_for(struct page *page, uint64_t file)
{
    struct suspect *best = &page->suspects[0];

    for (unsigned i = 0; i < SUSPECTS; i++) {
        struct suspect *suspect = &page->suspects[i];

        if (suspect->deaths > 0 && suspect->file == file)
            return suspect;
        if (suspect->deaths < best->deaths)
            best = suspect;
    }
    return best;
}

static struct suspect *find(struct page *page, uint64_t file)
{
    struct suspect *suspect = entry_for(page, file);

    return suspect->deaths > 0 && suspect->file == file ? suspect : NULL;
}

/* Only consecutive deaths count: one elsewhere resets the count, unless the file is skipped. */
static void forget_others(struct page *page, const struct suspect *kept)
{
    for (unsigned i = 0; i < SUSPECTS; i++) {
        struct suspect *suspect = &page->suspects[i];

        if (suspect != kept && suspect->deaths < START_GUARD_DEATHS)
            suspect->deaths = 0;
    }
}

static void count_death(struct page *page)
{
    struct suspect *suspect = entry_for(page, page->file);
    bool same = suspect->deaths > 0 && suspect->file == page->file && suspect->stamp == page->stamp;

    suspect->deaths = same ? suspect->deaths + (suspect->deaths < UINT32_MAX) : 1;
    suspect->file = page->file;
    suspect->stamp = page->stamp;
    forget_others(page, suspect);
}

/* NULL: errno says why. */
static struct page *map(int fd)
{
    void *page;

    /* a store must never hit a full disk */
    int r = posix_fallocate(fd, 0, sizeof(struct page));
    if (r != 0) {
        errno = r;
        return NULL;
    }
    page = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return page == MAP_FAILED ? NULL : page;
}

int start_guard_open(struct start_guard **guardp, const char *directory)
{
    g_autofree char *path = g_build_filename(directory, NAME, NULL);
    g_autofree struct start_guard *guard = g_new0(struct start_guard, 1);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600), r;

    if (fd < 0)
        return -errno;
    guard->page = map(fd);
    r = -errno;
    close(fd);
    if (!guard->page)
        return r;
    if (guard->page->magic != MAGIC)
        *guard->page = (struct page){.magic = MAGIC};
    if (guard->page->busy && !guard->page->ended)
        count_death(guard->page);
    guard->page->busy = 0;
    guard->page->ended = 0;
    *guardp = g_steal_pointer(&guard);
    return 0;
}

void start_guard_end(struct start_guard *guard)
{
    if (guard)
        guard->page->ended = 1;
}

struct start_guard *start_guard_close(struct start_guard *guard)
{
    if (!guard)
        return NULL;
    start_guard_end(guard);
    munmap(guard->page, sizeof *guard->page);
    g_free(guard);
    return NULL;
}

void start_guard_enter(struct start_guard *guard, const char *path, uint64_t stamp)
{
    uint64_t file;

    if (!guard)
        return;
    file = hash_path(path);
    if (guard->page->busy && guard->page->file == file && guard->page->stamp == stamp)
        return;
    set_busy(guard, false);
    guard->page->file = file;
    guard->page->stamp = stamp;
    set_busy(guard, true);
}

void start_guard_leave(struct start_guard *guard)
{
    if (guard)
        set_busy(guard, false);
}

unsigned start_guard_deaths(struct start_guard *guard, const char *path, uint64_t stamp)
{
    struct suspect *suspect = guard ? find(guard->page, hash_path(path)) : NULL;

    if (!suspect)
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
    forget_others(guard->page, NULL);
}
