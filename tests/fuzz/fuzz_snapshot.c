/*
 * Damaged snapshots and arbitrary names. An arena of random bytes would be turned away at its
 * header; so the input says where and how a good one is to be damaged, and what is then to be
 * asked:
 *
 *   1 byte    which world, and how many edits follow
 *   4 bytes   an edit: place (16 bits), kind, value
 *   the rest  a name
 */
#include "tests/unit/interrogation.h"
#include "tests/unit/world.h"

#define EDIT_SIZE 4

struct arena_copy {
    uint8_t *bytes;
    size_t size;
};

static struct arena_copy make_arena(const struct world_options *options)
{
    struct snapshot_writer *writer = world_new(options);
    struct snapshot_view view;
    struct arena_copy copy;

    if (!snapshot_writer_view(writer, &view))
        abort();
    view.size = world_used(writer); /* not the room behind it */
    copy = (struct arena_copy){g_memdup2(view.base, view.size), view.size};
    ((struct kubesvc_snapshot_header *)(void *)copy.bytes)->size =
        htole32((uint32_t)(view.size / KUBESVC_SNAPSHOT_ALIGN));
    snapshot_writer_free(writer);
    return copy;
}

static void edit(struct arena_copy *arena, const uint8_t change[static EDIT_SIZE])
{
    static const uint32_t words[] = {0, 1, 8, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff};
    size_t place = (change[0] | (size_t)change[1] << 8) % arena->size;
    uint32_t word;

    switch (change[2] % 4) {
    case 0: arena->bytes[place] ^= change[3]; return;
    case 1: word = htole32(words[change[3] % G_N_ELEMENTS(words)]); break;
    case 2: word = htole32((uint32_t)arena->size / KUBESVC_SNAPSHOT_ALIGN - change[3]); break;
    default: word = htole32(change[3]); break;
    }
    memcpy(arena->bytes + place / 4 * 4, &word, sizeof word);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const search[] = {"prod.svc.cluster.local", "cluster.local", NULL};
    static const struct world_options options[] = {
        {.pods = KUBESVC_PODS_VERIFIED},
        {.pods = KUBESVC_PODS_INSECURE, .flags = KUBESVC_SETTINGS_FALLTHROUGH, .ndots = 1},
        {.pods = KUBESVC_PODS_DISABLED, .search = search},
    };
    static struct arena_copy worlds[G_N_ELEMENTS(options)]; /* made once, then only copied */
    const struct arena_copy *world;
    struct arena_copy damaged;
    struct snapshot_view view;
    g_autofree char *name = NULL;
    unsigned edits;

    if (worlds[0].bytes == NULL)
        for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
            worlds[i] = make_arena(&options[i]);
    if (size < 1)
        return 0;
    world = &worlds[data[0] % G_N_ELEMENTS(options)];
    edits = data[0] / 16;
    data++;
    size--;

    damaged = (struct arena_copy){g_memdup2(world->bytes, world->size), world->size};
    for (; edits > 0 && size >= EDIT_SIZE; edits--, data += EDIT_SIZE, size -= EDIT_SIZE)
        edit(&damaged, data);
    interrogate(damaged.bytes, damaged.size);
    if (size > 0 && size <= 254 && snapshot_view_open(&view, damaged.bytes, damaged.size)) {
        name = g_memdup2(data, size);
        if (name_is_valid(name, size))
            interrogate_name(&view, name, size);
        interrogate_search(&view, name, size);
        snapshot_find(&view, name, size);
    }
    g_free(damaged.bytes);
    return 0;
}
