/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The snapshot writer against a plain hash table: what was put is found, in every published state
 * and through every compaction.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/publish/compaction.h"
#include "daemon/publish/snapshot_writer.h"
#include "daemon/publish/trie.h"

static struct snapshot_writer *new_writer(void)
{
    struct snapshot_writer *writer;

    assert_int_equal(snapshot_writer_new(&writer), 0);
    return writer;
}

static void put(struct snapshot_writer *writer, const char *key, const char *record)
{
    assert_int_equal(snapshot_writer_put(writer, key, strlen(key), record, strlen(record)), 0);
}

/* No view that was taken before is used any more. */
static void pass(struct snapshot_writer *writer)
{
    snapshot_writer_release(writer, snapshot_writer_retired(writer));
}

static struct snapshot_view view_of(const struct snapshot_writer *writer)
{
    struct snapshot_view view;

    assert_true(snapshot_writer_view(writer, &view));
    return view;
}

static void assert_record(struct snapshot_record record, const char *expected)
{
    if (expected == NULL) {
        assert_null(record.data);
        return;
    }
    assert_non_null(record.data);
    assert_int_equal((uintptr_t)record.data % KUBESVC_SNAPSHOT_ALIGN, 0);
    assert_int_equal(record.length, strlen(expected));
    assert_memory_equal(record.data, expected, record.length);
}

static void assert_published(const struct snapshot_writer *writer, const char *key,
                             const char *expected)
{
    struct snapshot_view view = view_of(writer);

    assert_record(snapshot_find(&view, key, strlen(key)), expected);
}

static void nothing_is_visible_before_the_first_publish(void **state)
{
    struct snapshot_writer *writer = new_writer();
    struct snapshot_view view;

    (void)state;
    assert_false(snapshot_writer_view(writer, &view));
    put(writer, "c", "settings");
    assert_false(snapshot_writer_view(writer, &view));
    assert_record(snapshot_writer_find(writer, "c", 1), "settings");
    snapshot_writer_publish(writer);
    assert_published(writer, "c", "settings");
    snapshot_writer_free(writer);
}

static void a_batch_becomes_visible_at_once(void **state)
{
    struct snapshot_writer *writer = new_writer();

    (void)state;
    put(writer, "a", "1");
    put(writer, "b", "1");
    snapshot_writer_publish(writer);

    put(writer, "a", "2");
    put(writer, "c", "2");
    assert_int_equal(snapshot_writer_remove(writer, "b", 1), 0);
    assert_published(writer, "a", "1");
    assert_published(writer, "b", "1");
    assert_published(writer, "c", NULL);
    assert_record(snapshot_writer_find(writer, "a", 1), "2");
    assert_record(snapshot_writer_find(writer, "b", 1), NULL);

    snapshot_writer_publish(writer);
    assert_published(writer, "a", "2");
    assert_published(writer, "b", NULL);
    assert_published(writer, "c", "2");
    snapshot_writer_free(writer);
}

static void putting_what_is_there_appends_nothing(void **state)
{
    struct snapshot_writer *writer = new_writer();
    struct snapshot_writer_status before, after;

    (void)state;
    put(writer, "a", "record");
    put(writer, "empty", "");
    snapshot_writer_publish(writer);
    snapshot_writer_status(writer, &before);
    put(writer, "a", "record");
    put(writer, "empty", "");
    assert_int_equal(snapshot_writer_remove(writer, "none", 4), 0);
    snapshot_writer_publish(writer);
    snapshot_writer_status(writer, &after);
    assert_int_equal(after.used, before.used);
    assert_int_equal(after.records, 2);
    assert_int_equal(after.published, 2);
    assert_published(writer, "empty", "");
    snapshot_writer_free(writer);
}

static void a_first_load_leaves_little_garbage(void **state)
{
    struct snapshot_writer *writer = new_writer();
    struct snapshot_writer_status status;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        g_autofree char *key = g_strdup_printf("s%u.ns", i);

        put(writer, key, key);
    }
    snapshot_writer_publish(writer);
    snapshot_writer_status(writer, &status);
    assert_int_equal(status.records, 20000);
    assert_true(status.used - status.live < status.live / 20);
    assert_false(snapshot_writer_wants_compaction(writer));
    snapshot_writer_free(writer);
}

static void a_removed_store_is_empty_again(void **state)
{
    struct snapshot_writer *writer = new_writer();
    struct snapshot_writer_status status;

    (void)state;
    for (unsigned i = 0; i < 500; i++)
        assert_int_equal(snapshot_writer_put(writer, &i, sizeof i, "record", 6), 0);
    snapshot_writer_publish(writer);
    for (unsigned i = 0; i < 500; i++)
        assert_int_equal(snapshot_writer_remove(writer, &i, sizeof i), 0);
    snapshot_writer_publish(writer);
    snapshot_writer_status(writer, &status);
    assert_int_equal(status.records, 0);
    assert_int_equal(status.live, 0);
    snapshot_writer_free(writer);
}

/* --- The model --- */

struct world {
    struct snapshot_writer *writer;
    GHashTable *pending, *published; /* char * -> char * */
    GRand *random;
};

static void copy_table(GHashTable *to, GHashTable *from)
{
    GHashTableIter iter;
    gpointer key, value;

    g_hash_table_remove_all(to);
    g_hash_table_iter_init(&iter, from);
    while (g_hash_table_iter_next(&iter, &key, &value))
        g_hash_table_insert(to, g_strdup(key), g_strdup(value));
}

static char *random_record(GRand *random)
{
    gint32 length = g_rand_int_range(random, 0, g_rand_int_range(random, 1, 400));
    char *record = g_malloc((gsize)length + 1);

    for (gint32 i = 0; i < length; i++)
        record[i] = (char)g_rand_int_range(random, 'a', 'z');
    record[length] = '\0';
    return record;
}

static void change(struct world *world, gint32 keys)
{
    g_autofree char *key = g_strdup_printf("%d", g_rand_int_range(world->random, 0, keys));

    if (g_rand_int_range(world->random, 0, 3) == 0) {
        assert_int_equal(snapshot_writer_remove(world->writer, key, strlen(key)), 0);
        g_hash_table_remove(world->pending, key);
    } else {
        char *record = random_record(world->random);

        put(world->writer, key, record);
        g_hash_table_insert(world->pending, g_steal_pointer(&key), record);
    }
}

static void check(const struct world *world, gint32 keys)
{
    struct snapshot_writer_status status;
    struct snapshot_view view = view_of(world->writer);

    for (gint32 i = 0; i < keys; i++) {
        g_autofree char *key = g_strdup_printf("%d", i);

        assert_record(snapshot_find(&view, key, strlen(key)),
                      g_hash_table_lookup(world->published, key));
        assert_record(snapshot_writer_find(world->writer, key, strlen(key)),
                      g_hash_table_lookup(world->pending, key));
    }
    snapshot_writer_status(world->writer, &status);
    assert_int_equal(status.records, g_hash_table_size(world->pending));
    assert_true(status.live <= status.used);
}

/* The trie's own count of what is live: a fresh copy holds exactly that. */
static void check_live(struct world *world)
{
    struct snapshot_writer_status status;
    snapshot_writer_status(world->writer, &status);
    if (!snapshot_writer_wants_compaction(world->writer))
        return;
    assert_int_equal(snapshot_writer_compact(world->writer), 0);
    pass(world->writer);
    {
        uint64_t live = status.live;

        snapshot_writer_status(world->writer, &status);
        assert_int_equal(status.live, live);
    }
}

static void run_model(guint32 seed, gint32 keys, unsigned rounds)
{
    struct world world = {
        .writer = new_writer(),
        .pending = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
        .published = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
        .random = g_rand_new_with_seed(seed),
    };
    struct snapshot_writer_status status;

    put(world.writer, "0", "first");
    g_hash_table_insert(world.pending, g_strdup("0"), g_strdup("first"));
    for (unsigned round = 0; round < rounds; round++) {
        for (gint32 n = g_rand_int_range(world.random, 0, 200); n > 0; n--)
            change(&world, keys);
        if (round % 16 == 7 && round > 7)
            check(&world, keys); /* old view, unpublished changes */
        if (g_hash_table_size(world.pending) == 0) {
            put(world.writer, "0", "again");
            g_hash_table_insert(world.pending, g_strdup("0"), g_strdup("again"));
        }
        snapshot_writer_publish(world.writer);
        copy_table(world.published, world.pending);
        if (g_rand_boolean(world.random))
            assert_int_equal(snapshot_writer_compact(world.writer), 0);
        if (g_rand_boolean(world.random))
            pass(world.writer);
        if (round % 16 == 0)
            check(&world, keys);
    }
    check(&world, keys);
    check_live(&world);
    check(&world, keys);
    snapshot_writer_status(world.writer, &status);
    assert_true(status.compactions > 0);

    g_rand_free(world.random);
    g_hash_table_unref(world.pending);
    g_hash_table_unref(world.published);
    snapshot_writer_free(world.writer);
}

static void agrees_with_a_hash_table(void **state)
{
    (void)state;
    run_model(1, 300, 200);
    run_model(2, 3000, 200);
    run_model(3, 30000, 100);
}

/* --- Compaction --- */

static void compaction_needs_a_published_state(void **state)
{
    struct snapshot_writer *writer = new_writer();

    (void)state;
    put(writer, "a", "1");
    assert_int_equal(snapshot_writer_compact(writer), -EINVAL);
    snapshot_writer_publish(writer);
    assert_false(snapshot_writer_wants_compaction(writer));
    assert_int_equal(snapshot_writer_compact(writer), 0);
    snapshot_writer_free(writer);
}

/* Changes one key until so much of the store is garbage that it is worth a compaction. */
static void litter(struct snapshot_writer *writer)
{
    for (unsigned i = 0; !snapshot_writer_wants_compaction(writer); i++) {
        assert_int_equal(snapshot_writer_put(writer, "k", 1, &i, sizeof i), 0);
        snapshot_writer_publish(writer);
    }
}

static struct snapshot_writer *new_store(void)
{
    struct snapshot_writer *writer = new_writer();

    for (unsigned i = 0; i < 5000; i++)
        assert_int_equal(snapshot_writer_put(writer, &i, sizeof i, "record", 6), 0);
    snapshot_writer_publish(writer);
    return writer;
}

struct in_the_middle {
    struct snapshot_writer *writer;
    unsigned n;
};

static void look_at_both(void *userdata)
{
    struct in_the_middle *middle = userdata;
    uint32_t key = 1;
    struct snapshot_view view;

    middle->n++;
    assert_non_null(snapshot_writer_find(middle->writer, &key, sizeof key).data);
    assert_true(snapshot_writer_view(middle->writer, &view));
    assert_non_null(snapshot_find(&view, &key, sizeof key).data);
}

static void compaction_may_be_looked_at(void **state)
{
    struct snapshot_writer *writer = new_store();
    struct in_the_middle middle = {.writer = writer};

    (void)state;
    litter(writer);
    snapshot_writer_set_between(writer, (struct between){look_at_both, &middle});
    assert_int_equal(snapshot_writer_compact(writer), 0);
    assert_true(middle.n > 10);
    snapshot_writer_free(writer);
}

static void compaction_leaves_no_garbage(void **state)
{
    struct snapshot_writer *writer = new_store();
    struct snapshot_writer_status status;

    (void)state;
    litter(writer);
    assert_int_equal(snapshot_writer_compact(writer), 0);
    snapshot_writer_status(writer, &status);
    assert_int_equal(status.compactions, 1);
    assert_int_equal(status.records, 5001);
    assert_int_equal(status.used, status.live);
    snapshot_writer_free(writer);
}

/* An earlier reader continues to see its state, and the next compaction waits. */
static void memory_is_kept_until_its_readers_have_passed(void **state)
{
    struct snapshot_writer *writer = new_store();
    unsigned last = 0;

    (void)state;
    litter(writer);
    struct snapshot_view view = view_of(writer);
    uint64_t before = snapshot_writer_retired(writer);
    unsigned seen = *(const unsigned *)(const void *)snapshot_find(&view, "k", 1).data;
    assert_int_equal(snapshot_writer_compact(writer), 0);
    assert_int_equal(snapshot_writer_retired(writer), before + 1);
    bool due = false;
    for (unsigned i = 0; !due; i++) {
        struct snapshot_writer_status status;

        /* What there is room for is garbage enough for another compaction, were it its turn. */
        assert_int_equal(snapshot_writer_put(writer, "k", 1, &i, sizeof i), 0);
        snapshot_writer_publish(writer);
        snapshot_writer_status(writer, &status);
        due = status.used - status.live > MAX(status.live / 4, 65536u);
    }
    assert_false(snapshot_writer_wants_compaction(writer));
    snapshot_writer_release(writer, before); /* not far enough */
    assert_int_equal(*(const unsigned *)(const void *)snapshot_find(&view, "k", 1).data, seen);
    assert_record(snapshot_find(&view, &last, sizeof last), "record");
    pass(writer);
    assert_true(snapshot_writer_wants_compaction(writer));
    snapshot_writer_free(writer);
}

/* An arena that readers have does not grow. Their data stays in place, even while the batch
 * continues elsewhere. */
static void a_full_arena_is_left_in_the_middle_of_a_batch(void **state)
{
    struct snapshot_writer *writer = new_store();
    g_autofree char *record = g_strnfill(1000, 'x');
    struct snapshot_writer_status status;

    (void)state;
    struct snapshot_view view = view_of(writer);
    uint64_t retired = snapshot_writer_retired(writer);
    for (unsigned i = 0; i < 20000; i++)
        assert_int_equal(snapshot_writer_put(writer, &i, sizeof i, record, 1000), 0);
    assert_int_equal(snapshot_writer_retired(writer), retired);
    assert_ptr_equal(view_of(writer).base, view.base);
    for (unsigned i = 0; i < 20000; i += 100)
        assert_record(snapshot_find(&view, &i, sizeof i), i < 5000 ? "record" : NULL);
    snapshot_writer_publish(writer);
    assert_int_equal(snapshot_writer_retired(writer), retired + 1);
    assert_record(snapshot_find(&view, &(unsigned){4999}, sizeof(unsigned)), "record");
    pass(writer);
    view = view_of(writer);
    for (unsigned i = 0; i < 20000; i += 100)
        assert_record(snapshot_find(&view, &i, sizeof i), record);
    snapshot_writer_status(writer, &status);
    assert_int_equal(status.records, 20000);
    snapshot_writer_free(writer);
}

/* --- Regions --- */

/* A store that changes for ever stays in one region; each time memory is reused, readers in other
 * processes are warned. */
static void changes_stay_in_one_region(void **state)
{
    struct snapshot_writer *writer = new_store();
    const struct snapshot_root *root = snapshot_writer_root(writer);
    const struct kubesvc_snapshot_header *header = root->base;
    int fd = root->fd;

    (void)state;
    assert_true(fd >= 0);
    for (unsigned n = 1; n <= 10; n++) {
        litter(writer);
        assert_int_equal(snapshot_writer_compact(writer), 0);
        pass(writer);
        assert_ptr_equal(root->base, header);
        assert_int_equal(root->fd, fd);
        assert_int_equal(le32toh(header->reuse), n - 1); /* the first goes into a fresh space */
    }
    assert_int_equal(header->state, 0);
    snapshot_writer_free(writer);
}

/* One that outgrows its region moves to another one, and marks the old one for its readers. The
 * header's data about the daemon moves along. */
static void growth_retires_the_region(void **state)
{
    struct snapshot_writer *writer = new_store();
    struct snapshot_root *root = snapshot_writer_root(writer);
    int old = dup(root->fd);
    struct kubesvc_snapshot_header header;

    (void)state;
    snapshot_root_beat(root, 1, KUBESVC_SNAPSHOT_WATCHED);
    for (unsigned i = 0; i < 50000; i++)
        assert_int_equal(snapshot_writer_put(writer, &i, sizeof i, "record", 6), 0);
    snapshot_writer_publish(writer);
    assert_int_equal(pread(old, &header, sizeof header, 0), sizeof header);
    assert_int_equal(le32toh(header.state), KUBESVC_SNAPSHOT_RETIRED | KUBESVC_SNAPSHOT_WATCHED);
    assert_int_equal(pread(root->fd, &header, sizeof header, 0), sizeof header);
    assert_int_equal(le32toh(header.state), KUBESVC_SNAPSHOT_WATCHED);
    assert_int_equal(le32toh(header.version), KUBESVC_SNAPSHOT_VERSION);
    close(old);
    snapshot_writer_free(writer);
}

static off_t region_size(struct snapshot_writer *writer)
{
    int fd = snapshot_root_fd(snapshot_writer_root(writer));
    struct stat status;

    assert_int_equal(fstat(fd, &status), 0);
    return status.st_size;
}

/* What the loader does after a publish, until nothing is left to do; a bounded number of times. */
static void settle(struct snapshot_writer *writer)
{
    unsigned compactions = 0;

    for (pass(writer); snapshot_writer_wants_compaction(writer); pass(writer)) {
        assert_int_equal(snapshot_writer_compact(writer), 0);
        compactions++;
    }
    assert_in_range(compactions, 0, 2);
}

static void resize_store(struct snapshot_writer *writer, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        assert_int_equal(snapshot_writer_put(writer, &i, sizeof i, "record", 6), 0);
    for (unsigned i = to; i < from; i++)
        assert_int_equal(snapshot_writer_remove(writer, &i, sizeof i), 0);
    snapshot_writer_publish(writer);
    settle(writer);
}

/* The memory of a store follows what is in it, also after it was larger, again and again. */
static void a_store_that_shrank_moves_to_a_smaller_region(void **state)
{
    struct snapshot_writer *writer = new_store();
    const struct snapshot_root *root = snapshot_writer_root(writer);
    off_t small = region_size(writer);
    unsigned last = 4999;

    (void)state;
    for (unsigned round = 0; round < 5; round++) {
        struct kubesvc_snapshot_header header;

        resize_store(writer, 5000, 100000);
        assert_true(region_size(writer) > 8 * small);
        int old = dup(root->fd);
        resize_store(writer, 100000, 5000);
        assert_true(region_size(writer) <= small);
        assert_int_equal(pread(old, &header, sizeof header, 0), sizeof header);
        assert_int_equal(le32toh(header.state), KUBESVC_SNAPSHOT_RETIRED);
        close(old);
        struct snapshot_view view = view_of(writer);
        assert_record(snapshot_find(&view, &last, sizeof last), "record");
        assert_record(snapshot_find(&view, &(unsigned){5000}, sizeof last), NULL);
    }
    snapshot_writer_free(writer);
}

/* One that only halves stays where it is: readers would have to map another region. */
static void a_store_that_halves_keeps_its_region(void **state)
{
    struct snapshot_writer *writer = new_writer();
    const struct snapshot_root *root = snapshot_writer_root(writer);

    (void)state;
    resize_store(writer, 0, 100000);
    const void *base = root->base;
    resize_store(writer, 100000, 50000);
    resize_store(writer, 50000, 90000);
    resize_store(writer, 90000, 50000);
    assert_ptr_equal(root->base, base);
    snapshot_writer_free(writer);
}

/* The descriptor allows reading, and nothing else; not even root can reopen it for writing. */
static void readers_cannot_write(void **state)
{
    struct snapshot_writer *writer = new_store();
    int fd = snapshot_writer_root(writer)->fd, seals = fcntl(fd, F_GET_SEALS);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    int again = open(path, O_RDWR | O_CLOEXEC);

    (void)state;
    assert_int_equal(seals & (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL),
                     F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
    assert_int_equal(write(fd, "x", 1), -1);
    assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
    if (again >= 0) { /* root may */
        assert_int_equal(write(again, "x", 1), -1);
        assert_int_equal(errno, EPERM);
        assert_int_equal(ftruncate(again, 0), -1);
        assert_ptr_equal(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, again, 0), MAP_FAILED);
        assert_int_equal(fallocate(again, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
        close(again);
    }
    snapshot_writer_free(writer);
}

/* --- A reader in another thread --- */

#define KEYS 200u
#define VERSIONS 3000u

struct reading {
    const struct snapshot_root *root;
    uint64_t asked, passed; /* atomic: what the writer retired, and the reader has passed */
    bool ends;              /* atomic */
    unsigned views, mixed;
};

static unsigned version_of(const struct snapshot_view *view, unsigned key)
{
    struct snapshot_record record = snapshot_find(view, &key, sizeof key);
    unsigned version;

    if (!record.data || record.length < sizeof version)
        return UINT32_MAX;
    memcpy(&version, record.data, sizeof version);
    return version;
}

/* Every view shows all keys in one version. */
static void *read_views(void *data)
{
    struct reading *reading = data;
    struct snapshot_view view;

    while (!__atomic_load_n(&reading->ends, __ATOMIC_ACQUIRE)) {
        uint64_t asked = __atomic_load_n(&reading->asked, __ATOMIC_ACQUIRE);

        if (snapshot_root_view(reading->root, &view)) {
            unsigned version = version_of(&view, 0);

            reading->views++;
            for (unsigned key = 1; key < KEYS; key++)
                reading->mixed += version_of(&view, key) != version;
        }
        __atomic_store_n(&reading->passed, asked, __ATOMIC_RELEASE);
    }
    return NULL;
}

static void a_reader_beside_the_writer_sees_whole_batches(void **state)
{
    struct snapshot_writer *writer = new_writer();
    struct reading reading = {.root = snapshot_writer_root(writer)};
    struct snapshot_writer_status status;
    uint8_t record[256] = {0};
    GThread *thread = g_thread_new("reader", read_views, &reading);

    (void)state;
    for (unsigned version = 0; version < VERSIONS; version++) {
        memcpy(record, &version, sizeof version);
        for (unsigned key = 0; key < KEYS; key++)
            assert_int_equal(
                snapshot_writer_put(writer, &key, sizeof key, record, sizeof version + key), 0);
        snapshot_writer_publish(writer);
        assert_int_equal(snapshot_writer_compact(writer), 0);
        __atomic_store_n(&reading.asked, snapshot_writer_retired(writer), __ATOMIC_RELEASE);
        snapshot_writer_release(writer, __atomic_load_n(&reading.passed, __ATOMIC_ACQUIRE));
    }
    __atomic_store_n(&reading.ends, true, __ATOMIC_RELEASE);
    g_thread_join(thread);
    snapshot_writer_status(writer, &status);
    assert_true(status.compactions > 0);
    assert_int_equal(reading.mixed, 0);
    snapshot_writer_free(writer);
}

/* A store that may not be as long as it would have to be is private: from the start, or from where
 * it has grown to. */
static void a_limit_of_file_sizes_makes_it_private(void **state)
{
    struct rlimit before, limit;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (rlim_t size = 0; size <= 4 << 20; size += 2 << 20) {
        struct snapshot_writer *writer;
        struct snapshot_view view;

        limit = (struct rlimit){.rlim_cur = size, .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_int_equal(snapshot_writer_new(&writer), 0);
        for (unsigned i = 0; i < 100000; i++)
            assert_int_equal(snapshot_writer_put(writer, &i, sizeof i, &i, sizeof i), 0);
        snapshot_writer_publish(writer);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(snapshot_writer_root(writer)->fd, -1);
        view = view_of(writer);
        for (unsigned i = 0; i < 100000; i++) {
            struct snapshot_record found = snapshot_find(&view, &i, sizeof i);

            assert_non_null(found.data);
            assert_memory_equal(found.data, &i, sizeof i);
        }
        snapshot_writer_free(writer);
    }
}

/* --- Hashes that agree --- */

static struct snapshot_record find(const struct trie *trie, uint64_t hash, const char *key)
{
    struct snapshot_view view = {
        .base = arena_at(&trie->arena, 0),
        .size = (size_t)trie->arena.used * KUBESVC_SNAPSHOT_ALIGN,
        .root = trie->root,
    };

    return snapshot_find_hashed(&view, hash, key, strlen(key));
}

static void keys_of_one_hash_are_chained(void **state)
{
    /* The same 60 bits twice, and one that agrees in all but the last level. */
    static const uint64_t same = 0x0123456789abcdef, top = 0xf123456789abcdef,
                          near = same ^ UINT64_C(1) << 59;
    static const uint8_t seed[16];
    struct trie trie, copy;

    (void)state;
    assert_int_equal(trie_open(&trie, seed, 0), 0);
    assert_int_equal(trie_put(&trie, same, "a", 1, "1", 1), TRIE_CHANGED);
    assert_int_equal(trie_put(&trie, same, "b", 1, "2", 1), TRIE_CHANGED);
    trie_seal(&trie, 0);
    assert_int_equal(trie_put(&trie, top, "c", 1, "3", 1), TRIE_CHANGED);
    assert_int_equal(trie_put(&trie, near, "d", 1, "4", 1), TRIE_CHANGED);
    assert_int_equal(trie_put(&trie, same, "a", 1, "5", 1), TRIE_CHANGED);
    assert_int_equal(trie_put(&trie, same, "a", 1, "5", 1), 0);
    trie_seal(&trie, 0);
    assert_record(find(&trie, same, "a"), "5");
    assert_record(find(&trie, same, "b"), "2");
    assert_record(find(&trie, top, "c"), "3");
    assert_record(find(&trie, near, "d"), "4");
    assert_record(find(&trie, top, "a"), NULL); /* another hash in the upper bits */

    assert_int_equal(compaction_copy(&copy, &trie, 0, &(struct between){0}), 0);
    assert_int_equal(copy.live, trie.live);
    assert_int_equal(copy.live, arena_taken(&copy.arena));
    trie_close(&trie);
    trie = copy;
    trie_seal(&trie, 0);
    assert_record(find(&trie, same, "b"), "2");
    assert_record(find(&trie, top, "c"), "3");

    assert_int_equal(trie_remove(&trie, same, "b", 1), TRIE_CHANGED);
    assert_int_equal(trie_remove(&trie, same, "b", 1), 0);
    assert_record(find(&trie, same, "a"), "5");
    assert_record(find(&trie, top, "c"), "3");
    assert_int_equal(trie_remove(&trie, near, "d", 1), TRIE_CHANGED);
    assert_false(trie_is_branch(&trie.arena, trie.root)); /* a lone chain has no branch above it */
    assert_int_equal(trie_remove(&trie, same, "a", 1), TRIE_CHANGED);
    assert_int_equal(trie_remove(&trie, top, "c", 1), TRIE_CHANGED);
    assert_int_equal(trie.root, 0);
    assert_int_equal(trie.records, 0);
    trie_close(&trie);
}

static void a_chain_has_a_limit(void **state)
{
    static const uint8_t seed[16];
    struct trie trie;

    (void)state;
    assert_int_equal(trie_open(&trie, seed, 0), 0);
    for (unsigned i = 0; i < KUBESVC_CHAIN_LIMIT; i++)
        assert_int_equal(trie_put(&trie, 7, &i, sizeof i, "r", 1), TRIE_CHANGED);
    assert_int_equal(trie_put(&trie, 7, "other", 5, "r", 1), -ENOSPC);
    assert_int_equal(trie.records, KUBESVC_CHAIN_LIMIT);
    trie_close(&trie);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_visible_before_the_first_publish),
        cmocka_unit_test(a_batch_becomes_visible_at_once),
        cmocka_unit_test(putting_what_is_there_appends_nothing),
        cmocka_unit_test(a_first_load_leaves_little_garbage),
        cmocka_unit_test(a_removed_store_is_empty_again),
        cmocka_unit_test(agrees_with_a_hash_table),
        cmocka_unit_test(compaction_needs_a_published_state),
        cmocka_unit_test(compaction_may_be_looked_at),
        cmocka_unit_test(compaction_leaves_no_garbage),
        cmocka_unit_test(memory_is_kept_until_its_readers_have_passed),
        cmocka_unit_test(a_full_arena_is_left_in_the_middle_of_a_batch),
        cmocka_unit_test(changes_stay_in_one_region),
        cmocka_unit_test(growth_retires_the_region),
        cmocka_unit_test(a_store_that_shrank_moves_to_a_smaller_region),
        cmocka_unit_test(a_store_that_halves_keeps_its_region),
        cmocka_unit_test(readers_cannot_write),
        cmocka_unit_test(a_limit_of_file_sizes_makes_it_private),
        cmocka_unit_test(a_reader_beside_the_writer_sees_whole_batches),
        cmocka_unit_test(keys_of_one_hash_are_chained),
        cmocka_unit_test(a_chain_has_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
