/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of mappings: what is taken into it, how long it stays mapped while readers come, go and
 * get lost, and what the header of a mapping says of the daemon behind it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <endian.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "nss/mapping.h"

#define READERS 4
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* How often snapshots are mapped into this process. */
static unsigned mapped_here(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    unsigned n = 0;

    assert_non_null(maps);
    while (fgets(line, sizeof line, maps))
        n += strstr(line, "memfd:") != NULL;
    fclose(maps);
    return n;
}

static void drop_current(void)
{
    struct mapping *mapping = mapping_enter();

    if (!mapping)
        return;
    mapping_drop(mapping);
    mapping_leave(mapping);
}

#define SEALED (F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE)

static struct kubesvc_snapshot_header *own; /* of the last descriptor that was made */

/* A region of our own: a header and nothing behind it. */
static int make_region(size_t size, unsigned seals)
{
    const struct kubesvc_snapshot_header good = {
        .magic = htole32(KUBESVC_SNAPSHOT_MAGIC),
        .size = htole32(4096 / KUBESVC_SNAPSHOT_ALIGN),
        .version = htole32(KUBESVC_SNAPSHOT_VERSION),
        .owner = {1},
    };
    int fd = memfd_create("test-region", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    own = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(own, MAP_FAILED);
    if (size >= sizeof good)
        *own = good;
    assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static int good; /* a region that is mapped before each test */

static int set_up(void **state)
{
    (void)state;
    good = make_region(4096, SEALED);
    assert_int_equal(munmap(own, 4096), 0);
    assert_true(mapping_set(good));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    drop_current();
    close(good);
    assert_int_equal(mapped_here(), 0);
    return 0;
}

/* Unmapped memory would be the end of this program. */
static void assert_readable(const struct mapping *mapping)
{
    const struct kubesvc_snapshot_header *header = (const void *)mapping->base;

    assert_int_equal(le32toh(__atomic_load_n(&header->magic, __ATOMIC_RELAXED)),
                     KUBESVC_SNAPSHOT_MAGIC);
}

static void assert_mapped(void)
{
    struct mapping *mapping = mapping_enter();

    assert_non_null(mapping);
    assert_readable(mapping);
    mapping_leave(mapping);
}

/* --- Readers --- */

static _Atomic bool done;

static void *enter_and_leave(void *data)
{
    (void)data;
    while (!done) {
        struct mapping *mapping = mapping_enter();

        if (!mapping)
            continue;
        assert_readable(mapping);
        mapping_leave(mapping);
    }
    return NULL;
}

static void *set_and_drop(void *data)
{
    (void)data;
    for (unsigned i = 0; i < 2000; i++) {
        mapping_set(good); /* not, while all slots are being left */
        if (i % 3 == 0)
            drop_current();
    }
    return NULL;
}

static void mappings_come_and_go_under_readers(void **state)
{
    pthread_t readers[READERS], setters[2];

    (void)state;
    done = false;
    for (unsigned i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, enter_and_leave, NULL), 0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&setters[i], NULL, set_and_drop, NULL), 0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_join(setters[i], NULL), 0);
    done = true;
    for (unsigned i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(readers[i], NULL), 0);
    drop_current();
    assert_int_equal(mapped_here(), 0);
}

/* Readers that never return keep their mapping, and nothing else. */
static void readers_that_never_leave(void **state)
{
    struct mapping *lost[16];
    unsigned n = 0, mapped;

    (void)state;
    do
        lost[n++] = mapping_enter();
    while (n < LENGTH(lost) && mapping_set(good));
    assert_true(n < LENGTH(lost));
    mapped = mapped_here();
    for (unsigned i = 0; i < 100; i++)
        assert_false(mapping_set(good));
    assert_int_equal(mapped_here(), mapped);
    assert_mapped(); /* the last one continues */
    for (unsigned i = 0; i < n; i++)
        mapping_leave(lost[i]);
    assert_true(mapping_set(good));
    assert_mapped();
    drop_current();
    assert_int_equal(mapped_here(), 0);
}

/* --- What is mapped, and believed --- */

static void assert_refused(int fd)
{
    unsigned mapped = mapped_here();

    assert_true(fd >= 0);
    assert_false(mapping_set(fd));
    assert_int_equal(mapped_here(), mapped);
    close(fd);
}

static void forget_region(void)
{
    assert_int_equal(munmap(own, 4096), 0);
}

static void only_sealed_snapshots_are_mapped(void **state)
{
    static const struct {
        size_t size;
        unsigned seals;
    } bad[] = {{4096, 0},
               {4096, F_SEAL_SHRINK},
               {4096, F_SEAL_FUTURE_WRITE},
               {0, SEALED},
               {sizeof(struct kubesvc_snapshot_header) - 1, SEALED},
               {2048, SEALED}}; /* it says that it is larger */
    int ends[2];

    (void)state;
    for (unsigned i = 0; i < LENGTH(bad); i++) {
        assert_refused(make_region(bad[i].size, bad[i].seals));
        forget_region();
    }
    for (unsigned i = 0; i < 2; i++) {
        int fd = make_region(4096, SEALED);

        if (i == 0)
            own->version = htole32(KUBESVC_SNAPSHOT_VERSION + 1);
        else
            own->magic ^= 1;
        assert_refused(fd);
        forget_region();
    }
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_refused(ends[0]);
    close(ends[1]);
    assert_refused(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    assert_refused(open("/dev/zero", O_RDONLY | O_CLOEXEC));
    assert_mapped(); /* the one that was there before still is */
}

static void the_header_says_what_counts(void **state)
{
    static const struct {
        uint32_t state, owner;
        int32_t age;
        enum mapping_state expected;
    } cases[] = {
        {0, 1, 0, MAPPING_FRESH},
        {0, 1, -1, MAPPING_FRESH}, /* written by a clock that has just moved on */
        {0, 1, 14, MAPPING_FRESH},
        {0, 1, 20, MAPPING_STALE},
        {0, 1, 290, MAPPING_STALE},
        {0, 1, 310, MAPPING_LOST},
        {0, 1, -100, MAPPING_LOST}, /* no clock of this machine */
        {0, 0, 0, MAPPING_STALE},
        {0, KUBESVC_OWNER_DIED, 0, MAPPING_STALE},
        {0, KUBESVC_OWNER_DIED | 1, 0, MAPPING_STALE},
        {0, 0x80000001, 0, MAPPING_FRESH}, /* a thread waits for the mutex */
        {KUBESVC_SNAPSHOT_WATCHED, 1, 0, MAPPING_WATCHED},
        {KUBESVC_SNAPSHOT_WATCHED, 1, 20, MAPPING_STALE},
        {KUBESVC_SNAPSHOT_WATCHED, 1, 310, MAPPING_LOST},
        {KUBESVC_SNAPSHOT_RETIRED, 1, 0, MAPPING_GONE},
        {KUBESVC_SNAPSHOT_STOPPED, 1, 0, MAPPING_GONE},
        {KUBESVC_SNAPSHOT_STOPPED | KUBESVC_SNAPSHOT_WATCHED, 0, 310, MAPPING_GONE},
        {0x80, 1, 0, MAPPING_GONE}, /* of a later version */
    };
    int fd = make_region(4096, SEALED);

    (void)state;
    assert_true(mapping_set(fd));
    close(fd);
    struct mapping *mapping = mapping_enter();

    assert_non_null(mapping);
    for (unsigned i = 0; i < LENGTH(cases); i++) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
        own->state = htole32(cases[i].state);
        own->owner[0] = cases[i].owner;
        own->heartbeat = htole32((uint32_t)now.tv_sec - (uint32_t)cases[i].age);
        assert_int_equal(mapping_state(mapping), cases[i].expected);
    }
    mapping_leave(mapping);
    forget_region();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(mappings_come_and_go_under_readers),
        TEST(readers_that_never_leave),
        TEST(only_sealed_snapshots_are_mapped),
        TEST(the_header_says_what_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
