/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * System calls that fail when a test wants it: to be preloaded into the daemon. The file that
 * FAULTS names is mapped; it holds native int32_t that the test writes and this reads at each call:
 * what errno to fail with (0: do not), how many bytes read at once, and how often each failed or
 * was cut. Only what concerns the store is touched: reads and writes of regular files, inotify, and
 * mappings of the snapshot's size.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Parameters cannot be called as in libc's headers: those names are reserved for it. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */

#define BIG ((size_t)1 << 20) /* the snapshot's first mapping */

enum fault { INSTANCE, WATCH, MAP, READ, READ_SIZE, WRITE, SYNC, FAULTS };

struct faults {
    int32_t wanted[FAULTS];
    int32_t met[FAULTS];
};

static struct faults *get_faults(void)
{
    static struct faults *faults;

    if (!faults) {
        const char *path = getenv("FAULTS");
        int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
        struct faults *map = NULL;
        void *(*real)(void *, size_t, int, int, int, off_t);

        *(void **)&real = dlsym(RTLD_NEXT, "mmap");
        if (fd >= 0)
            map = real(NULL, sizeof(*map), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (!map || map == MAP_FAILED)
            abort();
        close(fd);
        faults = map;
    }
    return faults;
}

static bool fails(enum fault fault)
{
    struct faults *faults = get_faults();
    int32_t wanted = __atomic_load_n(&faults->wanted[fault], __ATOMIC_ACQUIRE);

    if (wanted == 0)
        return false;
    __atomic_fetch_add(&faults->met[fault], 1, __ATOMIC_RELEASE);
    errno = wanted;
    return true;
}

static bool is_file(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

int inotify_init1(int flags)
{
    int (*real)(int);

    *(void **)&real = dlsym(RTLD_NEXT, "inotify_init1");
    return fails(INSTANCE) ? -1 : real(flags);
}

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    int (*real)(int, const char *, uint32_t);

    *(void **)&real = dlsym(RTLD_NEXT, "inotify_add_watch");
    return fails(WATCH) ? -1 : real(fd, path, mask);
}

/* The daemon is built for large files. */
void *mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset)
{
    void *(*real)(void *, size_t, int, int, int, off64_t);

    *(void **)&real = dlsym(RTLD_NEXT, "mmap64");
    if (size >= BIG && fd < 0 && fails(MAP))
        return MAP_FAILED;
    return real(at, size, protection, flags, fd, offset);
}

void *mremap(void *at, size_t old_size, size_t size, int flags, ...)
{
    void *(*real)(void *, size_t, size_t, int, ...);

    *(void **)&real = dlsym(RTLD_NEXT, "mremap");
    if (size >= BIG && fails(MAP))
        return MAP_FAILED;
    return real(at, old_size, size, flags);
}

ssize_t read(int fd, void *buffer, size_t size)
{
    ssize_t (*real)(int, void *, size_t);
    int saved = errno;

    *(void **)&real = dlsym(RTLD_NEXT, "read");
    if (is_file(fd)) {
        struct faults *faults = get_faults();
        size_t most = (size_t)__atomic_load_n(&faults->wanted[READ_SIZE], __ATOMIC_ACQUIRE);
        if (fails(READ))
            return -1;
        if (most > 0 && size > most) {
            faults->met[READ_SIZE]++;
            size = most;
        }
    }
    errno = saved;
    return real(fd, buffer, size);
}

ssize_t write(int fd, const void *buffer, size_t size)
{
    ssize_t (*real)(int, const void *, size_t);
    int saved = errno;

    *(void **)&real = dlsym(RTLD_NEXT, "write");
    if (is_file(fd) && fails(WRITE)) {
        /* A full disk takes what still fits. */
        return errno == ENOSPC && size > 8 ? real(fd, buffer, size / 2) : -1;
    }
    errno = saved;
    return real(fd, buffer, size);
}

int fsync(int fd)
{
    int (*real)(int);

    *(void **)&real = dlsym(RTLD_NEXT, "fsync");
    return fails(SYNC) ? -1 : real(fd);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
