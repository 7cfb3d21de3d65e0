/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LDFLAGS: -Wl,--wrap=search_name,--wrap=host_lookup_plan,--wrap=settings_enter */
/* LDFLAGS: -Wl,--wrap=mapping_read_begin,--wrap=mapping_read_holds */
/*
 * Answers from a snapshot that is written meanwhile. Every answer says which generation of the
 * store it is of, and how many addresses that generation has; so one that was put together from
 * memory of two of them, or from memory that was used again, is recognized.
 *
 * The linker puts the writer's work where it hurts: between the reading of the root and the walk,
 * and between the walk and the copy. And it takes the check at the end away, to prove that there is
 * something to be found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/resolve/search.h"
#include "nss/mapped.h"
#include "tests/unit/world.h"

#define SERVICES 16u
#define READERS 4
#define PUBLISHES 3000u

/* --- What the linker puts in between --- */

enum place { BEFORE_THE_ROOT, BEFORE_THE_WALK, BEFORE_THE_COPY, PLACES };

static void (*meanwhile[PLACES])(void);
static void (*before_the_zone)(void);
static bool unchecked;

static void reach(enum place place)
{
    if (meanwhile[place])
        meanwhile[place]();
}

void __real_search_name(const struct snapshot_view *view, const struct search_question *question,
                        search_external external, void *userdata, struct search_result *result);
void __wrap_search_name(const struct snapshot_view *view, const struct search_question *question,
                        search_external external, void *userdata, struct search_result *result);
void __real_host_lookup_plan(struct host_lookup *lookup, uint32_t names, uint32_t names_size,
                             uint32_t inet, uint32_t inet6);
void __wrap_host_lookup_plan(struct host_lookup *lookup, uint32_t names, uint32_t names_size,
                             uint32_t inet, uint32_t inet6);
bool __real_settings_enter(struct settings *settings, const char *name, size_t length);
bool __wrap_settings_enter(struct settings *settings, const char *name, size_t length);
uint32_t __real_mapping_read_begin(const struct mapping *mapping);
uint32_t __wrap_mapping_read_begin(const struct mapping *mapping);
bool __real_mapping_read_holds(const struct mapping *mapping, uint32_t reuse);
bool __wrap_mapping_read_holds(const struct mapping *mapping, uint32_t reuse);

void __wrap_search_name(const struct snapshot_view *view, const struct search_question *question,
                        search_external external, void *userdata, struct search_result *result)
{
    reach(BEFORE_THE_WALK);
    __real_search_name(view, question, external, userdata, result);
}

void __wrap_host_lookup_plan(struct host_lookup *lookup, uint32_t names, uint32_t names_size,
                             uint32_t inet, uint32_t inet6)
{
    __real_host_lookup_plan(lookup, names, names_size, inet, inet6);
    reach(BEFORE_THE_COPY);
}

bool __wrap_settings_enter(struct settings *settings, const char *name, size_t length)
{
    if (before_the_zone)
        before_the_zone();
    return __real_settings_enter(settings, name, length);
}

uint32_t __wrap_mapping_read_begin(const struct mapping *mapping)
{
    reach(BEFORE_THE_ROOT);
    return __real_mapping_read_begin(mapping);
}

bool __wrap_mapping_read_holds(const struct mapping *mapping, uint32_t reuse)
{
    return __real_mapping_read_holds(mapping, reuse) || unchecked;
}

/* --- The writer --- */

static struct snapshot_writer *writer;
static _Atomic uint32_t begun, published; /* generations */

static uint32_t addresses_of(uint32_t generation)
{
    return 1 + generation * 5 % 13;
}

static void put(unsigned service, uint32_t generation)
{
    g_autoptr(GString) addresses = g_string_new(NULL);
    char name[16];

    snprintf(name, sizeof name, "s%u", service);
    for (uint32_t i = 0; i < addresses_of(generation); i++)
        g_string_append_printf(addresses, "%s10.%u.%u.%u", i > 0 ? " " : "", generation >> 8,
                               generation & 255, service << 4 | i);
    world_put_service(writer, &(struct world_service){name, "testns", ZONE_HEADLESS,
                                                      .addresses = addresses->str});
}

static void pass(void)
{
    snapshot_writer_release(writer, snapshot_writer_retired(writer));
}

/* One more generation, and as much of the memory of those before it as can be had. */
static void publish(void)
{
    uint32_t generation = ++begun;

    for (unsigned service = 0; service < SERVICES; service++)
        put(service, generation);
    snapshot_writer_publish(writer);
    published = generation;
    pass();
    assert_int_equal(snapshot_writer_compact(writer), 0);
    pass();
}

static const struct kubesvc_snapshot_header *header(void)
{
    return snapshot_writer_root(writer)->base;
}

/* Goes on until memory has been used again, and is full of something else. */
static void use_again(void)
{
    uint32_t before = header()->reuse;

    while (header()->reuse - before < 2)
        publish();
}

static void use_again_once(void)
{
    memset(meanwhile, 0, sizeof meanwhile);
    before_the_zone = NULL;
    use_again();
}

static int set_up(void **state)
{
    static const char *const services[] = {NULL};

    (void)state;
    writer = world_new(&(struct world_options){.services = services});
    begun = published = 0;
    publish();
    int fd = dup(snapshot_writer_root(writer)->fd);

    assert_true(fd >= 0);
    assert_true(mapping_set(fd));
    close(fd);
    return 0;
}

static void drop_current(void)
{
    struct mapping *mapping = mapping_enter();

    if (!mapping)
        return;
    mapping_drop(mapping);
    mapping_leave(mapping);
}

static int tear_down(void **state)
{
    (void)state;
    memset(meanwhile, 0, sizeof meanwhile);
    before_the_zone = NULL;
    unchecked = false;
    drop_current();
    snapshot_writer_free(writer);
    return 0;
}

/* --- Readers --- */

enum verdict { RIGHT, WRONG, UNANSWERED };

/* Is it an answer of a generation between these two? */
static bool is_sound(const struct host_lookup *lookup, unsigned service, uint32_t first,
                     uint32_t last)
{
    const uint8_t *address = (const uint8_t *)lookup->buffer.start + lookup->layout.addresses;
    uint32_t generation = (uint32_t)address[1] << 8 | address[2], seen = 0;
    g_autofree char *name = g_strdup_printf("s%u.testns.svc.cluster.local", service);

    for (uint32_t i = 0; i < lookup->counts.inet; i++, address += 4) {
        if (address[0] != 10 || ((uint32_t)address[1] << 8 | address[2]) != generation ||
            address[3] >> 4 != service)
            return false;
        seen |= UINT32_C(1) << (address[3] & 15);
    }
    return generation >= first && generation <= last &&
           lookup->counts.inet == addresses_of(generation) && lookup->counts.inet6 == 0 &&
           seen == (UINT32_C(1) << addresses_of(generation)) - 1 &&
           strcmp(lookup->buffer.start + lookup->layout.names, name) == 0;
}

static enum verdict look_up(unsigned service)
{
    char buffer[1024], name[16];
    uint32_t first = published;
    struct mapping *mapping = mapping_enter();
    struct host_lookup lookup = {
        .question = {.type = KUBESVC_REQUEST_NAME, .family = KUBESVC_FAMILY_INET, .name = name},
        .buffer = pack_buffer_new(buffer, sizeof buffer),
        .counts.form = PACK_HOSTENT,
    };
    enum outcome outcome;

    lookup.question.name_length = (size_t)snprintf(name, sizeof name, "s%u", service);
    bool answered = mapped_answer(mapping, &lookup, &outcome);

    mapping_leave(mapping);
    if (!answered)
        return UNANSWERED;
    return outcome == OUTCOME_FOUND && is_sound(&lookup, service, first, begun) ? RIGHT : WRONG;
}

/* Memory that is used again under a lookup makes it begin again. */
static void a_reading_that_was_overtaken_is_repeated(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        meanwhile[i % PLACES] = use_again_once;
        assert_int_equal(look_up(i % SERVICES), RIGHT);
    }
}

/* Time after time: then it is the daemon's to answer. */
static void a_reading_that_is_always_overtaken_ends(void **state)
{
    (void)state;
    for (enum place place = BEFORE_THE_WALK; place < PLACES; place++) {
        meanwhile[place] = use_again;
        for (unsigned i = 0; i < 10; i++)
            assert_int_equal(look_up(i % SERVICES), UNANSWERED);
        meanwhile[place] = NULL;
    }
}

/* A name of ours, which no other service may be asked for, stays so. */
static void a_zone_that_was_overtaken_is_read_again(void **state)
{
    const struct host_lookup lookup = {.question = {.type = KUBESVC_REQUEST_NAME,
                                                    .name = "s1.testns.svc.cluster.local.",
                                                    .name_length = 28}};
    struct mapping *mapping = mapping_enter();

    (void)state;
    before_the_zone = use_again_once;
    assert_true(mapped_is_in_zone(mapping, &lookup));
    assert_null(before_the_zone);
    mapping_leave(mapping);
}

/* What is only appended disturbs no reading; nor does one compaction, into the other space. */
static void a_reading_is_not_disturbed_by_changes(void **state)
{
    unsigned verdicts[3] = {0};

    (void)state;
    for (unsigned i = 0; i < 120; i++) {
        meanwhile[i % PLACES] = publish;
        verdicts[look_up(i % SERVICES)]++;
        meanwhile[i % PLACES] = NULL;
    }
    assert_int_equal(verdicts[RIGHT], 120);
}

/* Without the check there are wrong answers, or the tests above would prove nothing. */
static void without_the_check_answers_are_wrong(void **state)
{
    (void)state;
    unchecked = true;
    for (enum place place = BEFORE_THE_WALK; place < PLACES; place++) {
        unsigned verdicts[3] = {0};

        for (unsigned i = 0; i < 50; i++) {
            meanwhile[place] = use_again_once;
            verdicts[look_up(i % SERVICES)]++;
        }
        assert_true(verdicts[WRONG] > 0);
    }
}

/* --- Threads --- */

static _Atomic bool done;

/* Lets the writer go on, for as long as a scheduler might. */
static void sleep_a_little(void)
{
    static _Atomic uint32_t turns;
    uint32_t turn = atomic_fetch_add_explicit(&turns, 1, memory_order_relaxed);

    if (turn % 4 == 0)
        sched_yield();
    else if (turn % 64 == 1)
        g_usleep(2000);
}

static void *read_until_done(void *data)
{
    unsigned *verdicts = data;

    for (unsigned i = 0; !done || i < SERVICES; i++)
        verdicts[look_up(i % SERVICES)]++;
    return NULL;
}

static void readers_beside_a_writer(void **state)
{
    unsigned verdicts[READERS][3] = {0};
    pthread_t readers[READERS];

    (void)state;
    done = false;
    for (enum place place = 0; place < PLACES; place++)
        meanwhile[place] = sleep_a_little;
    for (unsigned i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_until_done, verdicts[i]), 0);
    for (unsigned i = 0; i < PUBLISHES; i++)
        publish();
    done = true;
    for (unsigned i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(readers[i], NULL), 0);
        assert_int_equal(verdicts[i][WRONG], 0);
        assert_true(verdicts[i][RIGHT] > 0);
    }
    assert_true(header()->reuse > 10);
    assert_int_equal(header()->state, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_reading_that_was_overtaken_is_repeated),
        TEST(a_reading_that_is_always_overtaken_ends),
        TEST(a_zone_that_was_overtaken_is_read_again),
        TEST(a_reading_is_not_disturbed_by_changes),
        TEST(without_the_check_answers_are_wrong),
        TEST(readers_beside_a_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
