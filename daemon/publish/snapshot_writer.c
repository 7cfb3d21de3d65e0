/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The writer of a snapshot: a trie, the hash of its seed, and the memory that readers may still be
 * using. Keys are hashed with a random seed, because the author of a manifest chooses the names in
 * it.
 *
 * An arena that readers have cannot grow; a full one is compacted into a larger one, even in the
 * middle of a batch. What is published then stays in the old arena until the batch is published.
 */
#include "snapshot_writer.h"

#include <endian.h>
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/random.h>

#include "compaction.h"
#include "trie.h"

/* Units of garbage that are not worth a copy; less than the spare room of a region. */
#define GARBAGE_MIN (UINT64_C(64) * 1024 / KUBESVC_SNAPSHOT_ALIGN)

struct snapshot_writer {
    struct trie trie;
    struct snapshot_root root;
    struct arena left; /* what is published, while the trie has moved on; else closed */
    GArray *retired;   /* struct retired, the oldest first */
    uint64_t n_retired;
    uint8_t seed[16];
    struct between between;
    bool changed; /* since the last publish */
    uint64_t changes, published, compactions;
};

struct retired {
    struct arena arena;
    uint64_t number;
};

int snapshot_writer_new(struct snapshot_writer **writerp)
{
    struct snapshot_writer *writer = g_new0(struct snapshot_writer, 1);

    writer->root.fd = -1;
    ATOMIC_WORDS(&writer->root, sizeof writer->root);
    writer->retired = g_array_new(FALSE, FALSE, sizeof(struct retired));
    int r = getrandom(writer->seed, sizeof writer->seed, 0) < 0 ? -errno : 0;
    if (r == 0)
        r = trie_open(&writer->trie, writer->seed, 0);
    if (r < 0) {
        snapshot_writer_free(writer);
        return r;
    }
    *writerp = writer;
    return 0;
}

void snapshot_writer_set_between(struct snapshot_writer *writer, struct between between)
{
    writer->between = between;
}

struct snapshot_writer *snapshot_writer_free(struct snapshot_writer *writer)
{
    if (writer == NULL)
        return NULL;
    snapshot_writer_release(writer, UINT64_MAX);
    g_array_unref(writer->retired);
    arena_close(&writer->left);
    trie_close(&writer->trie);
    g_free(writer);
    return NULL;
}

struct snapshot_root *snapshot_writer_root(struct snapshot_writer *writer)
{
    return &writer->root;
}

/* Readers may use it until they have passed. */
static void retire(struct snapshot_writer *writer, const struct arena *arena)
{
    struct retired retired = {*arena, ++writer->n_retired};

    g_array_append_val(writer->retired, retired);
}

/* Lets the trie go on in an arena of its own, with room for `bytes` more at least. */
static int move(struct snapshot_writer *writer, size_t bytes)
{
    struct trie copy;
    int r = compaction_copy(&copy, &writer->trie, bytes / KUBESVC_SNAPSHOT_ALIGN, &writer->between);
    if (r < 0)
        return r;
    if (arena_is_published(&writer->trie.arena))
        writer->left = writer->trie.arena;
    else
        arena_close(&writer->trie.arena);
    writer->trie = copy;
    writer->compactions++;
    return 0;
}

static int note_change(struct snapshot_writer *writer, int r)
{
    if (r != TRIE_CHANGED)
        return r;
    writer->changed = true;
    writer->changes++;
    return 0;
}

int snapshot_writer_put(struct snapshot_writer *writer, const void *key, size_t key_length,
                        const void *record, size_t record_length)
{
    uint64_t hash = snapshot_hash(writer->seed, key, key_length);
    int r = trie_put(&writer->trie, hash, key, key_length, record, record_length);
    if (r == -ENOBUFS) {
        r = move(writer, key_length + record_length);
        if (r == 0)
            r = trie_put(&writer->trie, hash, key, key_length, record, record_length);
    }
    return note_change(writer, r);
}

int snapshot_writer_remove(struct snapshot_writer *writer, const void *key, size_t key_length)
{
    uint64_t hash = snapshot_hash(writer->seed, key, key_length);
    int r = trie_remove(&writer->trie, hash, key, key_length);
    if (r == -ENOBUFS) {
        r = move(writer, 0);
        if (r == 0)
            r = trie_remove(&writer->trie, hash, key, key_length);
    }
    return note_change(writer, r);
}

/* Publishes the trie's current state. An abandoned region is marked for those that have it
 * mapped. */
static void show(struct snapshot_writer *writer)
{
    struct region *region = writer->trie.arena.region;
    struct arena *left = &writer->left;

    trie_seal(&writer->trie, (uint32_t)(g_get_monotonic_time() / G_USEC_PER_SEC));
    if (region->base != writer->root.base)
        snapshot_root_set(&writer->root, region_header(region), region->reader_fd);
    if (left->region != NULL && left->region != region)
        __atomic_or_fetch(&region_header(left->region)->state, htole32(KUBESVC_SNAPSHOT_RETIRED),
                          __ATOMIC_RELEASE);
    if (left->region != NULL)
        retire(writer, left);
    writer->left = (struct arena){0};
}

void snapshot_writer_publish(struct snapshot_writer *writer)
{
    show(writer);
    writer->changed = false;
    writer->published++;
}

bool snapshot_writer_view(const struct snapshot_writer *writer, struct snapshot_view *view)
{
    return snapshot_root_view(&writer->root, view);
}

struct snapshot_record snapshot_writer_find(const struct snapshot_writer *writer, const void *key,
                                            size_t key_length)
{
    const struct arena *arena = &writer->trie.arena;
    struct snapshot_view view = {
        .base = arena_at(arena, 0),
        .size = (size_t)arena->used * KUBESVC_SNAPSHOT_ALIGN,
        .root = writer->trie.root,
    };

    memcpy(view.seed, writer->seed, sizeof view.seed);
    return snapshot_find(&view, key, key_length);
}

bool snapshot_writer_wants_compaction(const struct snapshot_writer *writer)
{
    uint64_t live = writer->trie.live, garbage = arena_taken(&writer->trie.arena) - live;

    if (writer->retired->len > 0)
        return false;
    return (garbage >= GARBAGE_MIN && garbage > live / 4) || compaction_shrinks(&writer->trie);
}

int snapshot_writer_compact(struct snapshot_writer *writer)
{
    if (writer->changed)
        return -EINVAL; /* half a batch would be published */
    if (!snapshot_writer_wants_compaction(writer))
        return 0;
    int r = move(writer, 0);
    if (r == 0)
        show(writer);
    return r;
}

uint64_t snapshot_writer_retired(const struct snapshot_writer *writer)
{
    return writer->n_retired;
}

void snapshot_writer_release(struct snapshot_writer *writer, uint64_t passed)
{
    while (writer->retired->len > 0) {
        struct retired *oldest = &g_array_index(writer->retired, struct retired, 0);

        if (oldest->number > passed)
            return;
        arena_close(&oldest->arena);
        g_array_remove_index(writer->retired, 0);
    }
}

void snapshot_writer_status(const struct snapshot_writer *writer,
                            struct snapshot_writer_status *status)
{
    *status = (struct snapshot_writer_status){
        .used = arena_taken(&writer->trie.arena) * KUBESVC_SNAPSHOT_ALIGN,
        .live = writer->trie.live * KUBESVC_SNAPSHOT_ALIGN,
        .published = writer->published,
        .records = writer->trie.records,
        .changes = writer->changes,
        .compactions = writer->compactions,
    };
}
