/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LDFLAGS: -Wl,--wrap=search_name,--wrap=search_address,--wrap=host_lookup_plan */
/* LDFLAGS: -Wl,--wrap=mapping_read_begin,--wrap=mapping_read_holds -lresolv */
/*
 * Damaged snapshots and arbitrary names. An arena of random bytes would be turned away at its
 * header; so the input says where and how a good one is to be damaged, and what is then to be
 * asked:
 *
 *   1 byte    which world, and how many edits follow
 *   4 bytes   an edit: place (16 bits; or in the header), kind, value
 *   1 byte    how many more edits follow, which are made under a reader that has it mapped, and
 *             what that one asks
 *   the rest  a name
 */
#include "nss/mapped.h"
#include "tests/unit/dns_world.h"
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
    static const uint32_t args[] = {0, 1, 8, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff};
    size_t room = (change[2] & 4) != 0 ? sizeof(struct kubesvc_snapshot_header) : arena->size;
    size_t place = (change[0] | (size_t)change[1] << 8) % room;
    uint32_t word;

    switch (change[2] % 4) {
    case 0: arena->bytes[place] ^= change[3]; return;
    case 1: word = htole32(args[change[3] % G_N_ELEMENTS(args)]); break;
    case 2: word = htole32((uint32_t)arena->size / KUBESVC_SNAPSHOT_ALIGN - change[3]); break;
    default: word = htole32(change[3]); break;
    }
    memcpy(arena->bytes + place / 4 * 4, &word, sizeof word);
}

/* --- The reader that has it mapped: each step of it finds one more edit made --- */

static struct {
    struct arena_copy arena;
    const uint8_t *events;
    size_t n;
} meanwhile;

static void happen(void)
{
    if (meanwhile.n == 0)
        return;
    edit(&meanwhile.arena, meanwhile.events);
    meanwhile.events += EDIT_SIZE;
    meanwhile.n--;
}

#define WRAP(type, name, parameters, ...)                                                          \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        happen();                                                                                  \
        return __real_##name(__VA_ARGS__);                                                         \
    }

WRAP(uint32_t, mapping_read_begin, (const struct mapping *mapping), mapping)
WRAP(bool, mapping_read_holds, (const struct mapping *mapping, uint32_t reuse), mapping, reuse)
WRAP(void, search_name,
     (const struct snapshot_view *view, const struct search_question *query,
      search_external external, void *userdata, struct search_result *result),
     view, query, external, userdata, result)
WRAP(void, search_address,
     (const struct snapshot_view *view, enum kubesvc_family family, const uint8_t *address,
      struct search_result *result),
     view, family, address, result)
WRAP(void, host_lookup_plan,
     (struct host_lookup * lookup, uint32_t names, uint32_t names_size, uint32_t inet,
      uint32_t inet6),
     lookup, names, names_size, inet, inet6)

/* What the caller gets must be sound, whatever it was made from. */
static void check_answer(struct host_lookup *lookup)
{
    const char *names = lookup->buffer.start + lookup->layout.names;
    struct hostent host;

    interrogation_check(lookup->counts.inet + lookup->counts.inet6 > 0);
    interrogation_check(lookup->layout.size <= lookup->buffer.size);
    interrogation_check(pack_names_are_valid(names, &lookup->counts));
    if (lookup->counts.form == PACK_TUPLES) {
        pack_tuples(lookup->buffer, &lookup->counts, &lookup->layout);
        return;
    }
    pack_hostent(lookup->buffer, &lookup->counts, &lookup->layout, &host);
    interrogation_check(strlen(host.h_name) <= KUBESVC_NAME_MAX);
}

static void look_up(const struct arena_copy *arena, const char *name, size_t length, uint8_t how)
{
    static const char other_zone[] = "testns@east.example";
    const struct mapping mapping = {.base = arena->bytes, .size = arena->size};
    const size_t size = how & 0x20 ? 200 : 8192;
    g_autofree char *buffer = g_malloc(size);
    struct host_lookup lookup = {
        .question = {.type = KUBESVC_REQUEST_NAME, .name = name, .name_length = length},
        .buffer = pack_buffer_new(buffer, size),
        .counts.form = how & 0x10 ? PACK_TUPLES : PACK_HOSTENT,
    };
    enum outcome outcome = OUTCOME_ABSENT;

    if (how & 0x40) {
        lookup.question.type = KUBESVC_REQUEST_ADDRESS;
        memcpy(lookup.question.address,
               interrogation_addresses[how % G_N_ELEMENTS(interrogation_addresses)], 16);
    } else if (!name_is_valid(name, length)) {
        lookup.question.name = interrogation_names[how % G_N_ELEMENTS(interrogation_names)];
        lookup.question.name_length = strlen(lookup.question.name);
    }
    lookup.question.family = lookup.counts.form == PACK_TUPLES && !(how & 0x40)
                                 ? KUBESVC_FAMILY_ANY
                                 : (how & 0x80 ? KUBESVC_FAMILY_INET6 : KUBESVC_FAMILY_INET);
    if (how & 8) {
        memcpy(lookup.question.ns, other_zone, strlen(other_zone));
        lookup.question.namespace_length = (uint8_t)strlen(other_zone);
    }
    mapping_state(&mapping);
    if (mapped_answer(&mapping, &lookup, &outcome) && outcome == OUTCOME_FOUND)
        check_answer(&lookup);
    mapped_is_in_zone(&mapping, &lookup);
}

/* Edits and a name, as the input has them. */
static void look_up_amid_changes(struct arena_copy arena, const uint8_t *data, size_t size)
{
    g_autofree char *name = NULL;
    uint8_t how;

    if (size < 1)
        return;
    how = *data++;
    size--;
    meanwhile.arena = arena;
    meanwhile.events = data;
    meanwhile.n = MIN(how % 16u, size / EDIT_SIZE);
    data += meanwhile.n * EDIT_SIZE;
    size -= meanwhile.n * EDIT_SIZE;
    name = g_memdup2(data, size);
    look_up(&arena, name, size, how);
    meanwhile.n = 0;
}

/* --- By DNS --- */

static size_t make_request(uint8_t request[static 300], const char *name, enum packet_type type)
{
    static const uint8_t header[] = {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    g_auto(GStrv) labels = g_strsplit(name, ".", -1);
    uint8_t *end = mempcpy(request, header, sizeof header);

    for (char **label = labels; *label != NULL; label++) {
        *end++ = (uint8_t)strlen(*label);
        end = mempcpy(end, *label, strlen(*label));
    }
    end = mempcpy(end, (const uint8_t[]){0, 0, (uint8_t)type, 0, 1}, 5);
    return (size_t)(end - request);
}

/* What is written of a damaged snapshot may be nonsense, but it has room. */
static void ask_by_dns(const struct arena_copy *arena)
{
    static const enum packet_type types[] = {PACKET_A, PACKET_AAAA, PACKET_SRV, PACKET_CNAME};
    static uint8_t response[PACKET_SIZE_MAX];
    struct dns_world world = {.ns = "prod"};
    uint8_t request[300];

    if (!snapshot_view_open(&world.view, arena->bytes, arena->size))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(interrogation_names); i++) {
        const enum packet_type type = types[i % G_N_ELEMENTS(types)];
        size_t size = make_request(request, interrogation_names[i], type);
        size_t room = i % 2 == 0 ? PACKET_UDP_SIZE : sizeof response;

        interrogation_check(dns_world_answer(&world, request, size, false, response, room) <= room);
        size = make_request(request, interrogation_names[i], PACKET_SRV);
        interrogation_check(dns_world_answer(&world, request, size, false, response, room) <= room);
    }
    size_t size = make_request(request, "1.0.0.10.in-addr.arpa", PACKET_PTR);

    interrogation_check(dns_world_answer(&world, request, size, false, response, PACKET_UDP_SIZE) <=
                        PACKET_UDP_SIZE);
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
    ask_by_dns(&damaged);
    if (size > 0 && size <= 254 && snapshot_view_open(&view, damaged.bytes, damaged.size)) {
        name = g_memdup2(data, size);
        if (name_is_valid(name, size))
            interrogate_name(&view, name, size);
        interrogate_search(&view, name, size);
        snapshot_find(&view, name, size);
    }
    look_up_amid_changes(damaged, data, size);
    g_free(damaged.bytes);
    return 0;
}
