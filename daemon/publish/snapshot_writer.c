/*
 * The writer of a snapshot: a trie, the hash of its seed, and at times a compaction of it. Keys are
 * hashed with a random seed, because whoever may write a manifest may choose the names in it.
 */
#include "snapshot_writer.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/random.h>

#include "compaction.h"
#include "trie.h"

/* Units of garbage that are not worth a copy. */
#define GARBAGE_MIN (UINT64_C(256) * 1024 / KUBESVC_SNAPSHOT_ALIGN)

struct snapshot_writer {
    struct trie trie;
    struct compaction *compaction; /* NULL while none is under way */
    uint8_t seed[16];
    bool changed; /* since the last publish */
    uint64_t published, compactions;
};

int snapshot_writer_new(struct snapshot_writer **writerp)
{
    struct snapshot_writer *writer = g_new0(struct snapshot_writer, 1);
    int r;

    *writerp = NULL;
    r = getrandom(writer->seed, sizeof writer->seed, 0) < 0 ? -errno : 0;
    if (r == 0)
        r = trie_open(&writer->trie, writer->seed);
    if (r < 0) {
        g_free(writer);
        return r;
    }
    *writerp = writer;
    return 0;
}

struct snapshot_writer *snapshot_writer_free(struct snapshot_writer *writer)
{
    if (writer == NULL)
        return NULL;
    compaction_free(writer->compaction);
    trie_close(&writer->trie);
    g_free(writer);
    return NULL;
}

static int note_change(struct snapshot_writer *writer, uint64_t hash, int r)
{
    if (r != TRIE_CHANGED)
        return r;
    writer->changed = true;
    if (writer->compaction != NULL)
        compaction_touch(writer->compaction, hash);
    return 0;
}

int snapshot_writer_put(struct snapshot_writer *writer, const void *key, size_t key_length,
                        const void *record, size_t record_length)
{
    uint64_t hash = snapshot_hash(writer->seed, key, key_length);

    return note_change(writer, hash,
                       trie_put(&writer->trie, hash, key, key_length, record, record_length));
}

int snapshot_writer_remove(struct snapshot_writer *writer, const void *key, size_t key_length)
{
    uint64_t hash = snapshot_hash(writer->seed, key, key_length);

    return note_change(writer, hash, trie_remove(&writer->trie, hash, key, key_length));
}

void snapshot_writer_publish(struct snapshot_writer *writer)
{
    trie_seal(&writer->trie);
    writer->changed = false;
    writer->published++;
}

bool snapshot_writer_view(const struct snapshot_writer *writer, struct snapshot_view *view)
{
    const struct arena *arena = &writer->trie.arena;

    return snapshot_view_open(view, arena->base, (size_t)arena->used * KUBESVC_SNAPSHOT_ALIGN);
}

struct snapshot_record snapshot_writer_find(const struct snapshot_writer *writer, const void *key,
                                            size_t key_length)
{
    const struct arena *arena = &writer->trie.arena;
    struct snapshot_view view = {
        .base = arena->base,
        .size = (size_t)arena->used * KUBESVC_SNAPSHOT_ALIGN,
        .root = writer->trie.root,
    };

    memcpy(view.seed, writer->seed, sizeof view.seed);
    return snapshot_find(&view, key, key_length);
}

bool snapshot_writer_wants_compaction(const struct snapshot_writer *writer)
{
    uint64_t live = writer->trie.live, garbage = writer->trie.arena.used - live;

    return writer->compaction != NULL || (garbage >= GARBAGE_MIN && garbage > live / 4);
}

static int compact_step(struct snapshot_writer *writer, uint64_t budget)
{
    int r;

    if (compaction_is_switched(writer->compaction))
        return compaction_release(writer->compaction);
    r = compaction_step(writer->compaction, &writer->trie, budget);
    if (r != 0)
        return r;
    r = compaction_switch(writer->compaction, &writer->trie);
    if (r < 0)
        return r;
    writer->compactions++;
    return 1;
}

int snapshot_writer_compact(struct snapshot_writer *writer, uint64_t budget)
{
    int r;

    if (writer->changed)
        return -EINVAL; /* the switch would publish half a batch */
    if (!snapshot_writer_wants_compaction(writer))
        return 0;
    if (writer->compaction == NULL) {
        r = compaction_new(&writer->compaction, writer->seed);
        if (r < 0)
            return r;
    }
    r = compact_step(writer, budget);
    if (r <= 0)
        writer->compaction = compaction_free(writer->compaction);
    return r;
}

void snapshot_writer_status(const struct snapshot_writer *writer,
                            struct snapshot_writer_status *status)
{
    *status = (struct snapshot_writer_status){
        .used = (uint64_t)writer->trie.arena.used * KUBESVC_SNAPSHOT_ALIGN,
        .live = writer->trie.live * KUBESVC_SNAPSHOT_ALIGN,
        .published = writer->published,
        .records = writer->trie.records,
        .compactions = writer->compactions,
    };
}
