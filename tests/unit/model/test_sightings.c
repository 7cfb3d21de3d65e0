/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose a sighting is (rules 110 to 112): by podman's names of either version, by those that
 * controllers and kubelet give, and when several objects or several sightings compete. And that a
 * change concerns no more than it has to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/model/sightings.h"

#define NAME_50 "a1234567890123456789012345678901234567890123456789"

/* Only their addresses matter. */
static const char FILE_A[] = "a", FILE_B[] = "b";

struct world {
    struct sightings *sightings;
    unsigned n_changed; /* calls of `changed` */
    int n_stated;       /* addresses that are stated now */
};

static void on_changed(void *userdata, const struct holder_key *key)
{
    (void)key;
    ((struct world *)userdata)->n_changed++;
}

static void on_stated(void *userdata, const struct address *address, bool stated)
{
    (void)address;
    ((struct world *)userdata)->n_stated += stated ? 1 : -1;
}

static void world_init(struct world *world)
{
    *world = (struct world){0};
    world->sightings = sightings_new(&(struct sightings_callbacks){on_changed, on_stated, world});
    sightings_set_node(world->sightings, "node-1.example");
}

static void world_clear(struct world *world)
{
    sightings_free(world->sightings);
}

static const char *intern(const char *text)
{
    return name_intern(text);
}

static void hold_more(struct world *world, enum object_kind kind, const char *ns, const char *name,
                      const struct holder_pods *pods)
{
    const char *interned = intern(ns), *own = intern(name);
    sightings_hold(world->sightings, &(struct holder_key){(uint8_t)kind, interned, own}, pods);
    name_unref(interned);
    name_unref(own);
}

static void hold(struct world *world, enum object_kind kind, const char *ns, const char *name,
                 uint32_t n)
{
    hold_more(world, kind, ns, name, &(struct holder_pods){.n = n});
}

/* The first address of the pod with this index, "-" if it was not seen. */
static const char *address_of(const struct world *world, enum object_kind kind, const char *ns,
                              const char *name, uint32_t index)
{
    static char text[ADDRESS_TEXT_MAX];
    const char *interned = intern(ns);
    const struct sighting *sighting = sightings_find(
        world->sightings, &(struct holder_key){(uint8_t)kind, interned, name}, index);
    name_unref(interned);
    if (!sighting)
        return "-";
    address_format(&sighting->addresses[0], text);
    return text;
}

struct line {
    enum runtime runtime;
    bool secondary;
    const char *ns, *name, *network, *address;
    int64_t since;
};

static struct sighting *sighting_of(const struct line *line)
{
    struct sighting *sighting = sighting_new(line->runtime, line->ns, line->name, line->network);
    struct address address;
    assert_true(address_parse(&address, line->address, strlen(line->address)));
    sighting_add(sighting, &address);
    sighting->secondary = line->secondary;
    sighting->since = line->since;
    return sighting;
}

static void see(struct world *world, const char *file, const struct line *lines, size_t n)
{
    GPtrArray *sightings = g_ptr_array_new();
    for (size_t i = 0; i < n; i++)
        g_ptr_array_add(sightings, sighting_of(&lines[i]));
    sightings_replace(world->sightings, file, sightings);
}

/* The hosts file of a pod. `written`: perhaps by a container. */
static void see_hosts(struct world *world, const char *file, const struct line *line, bool written)
{
    GPtrArray *sightings = g_ptr_array_new();
    struct sighting *sighting = sighting_of(line);
    sighting->attested = !written;
    g_ptr_array_add(sightings, sighting);
    sightings_replace(world->sightings, file, sightings);
}

static void names_say_which_pod_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *holder, *ns, *name;
        enum object_kind kind;
        int index; /* -1: none */
        struct holder_pods pods;
    } samples[] = {
        /* podman knows no namespace */
        {"solo", NULL, "solo", OBJECT_POD, 0, {.n = 1}},
        {"solo", NULL, "solo-node-1.example", OBJECT_POD, -1, {.n = 1}},
        {"solo", NULL, "solo-pod", OBJECT_POD, -1, {.n = 1}},
        {"web", NULL, "web-pod", OBJECT_DEPLOYMENT, 0, {.n = 3}},
        {"web", NULL, "web-pod-0", OBJECT_DEPLOYMENT, 0, {.n = 3}},
        {"web", NULL, "web-pod-2", OBJECT_DEPLOYMENT, 2, {.n = 3}},
        {"web", NULL, "web-pod-3", OBJECT_DEPLOYMENT, -1, {.n = 3}},
        {"web", NULL, "web-pod-02", OBJECT_DEPLOYMENT, -1, {.n = 3}},
        {"web", NULL, "web-pod-", OBJECT_DEPLOYMENT, -1, {.n = 3}},
        {"web", NULL, "web", OBJECT_DEPLOYMENT, -1, {.n = 3}},
        {"web", NULL, "web-0", OBJECT_DEPLOYMENT, -1, {.n = 3}},
        {"web", NULL, "web-7d4b9c6f5d-x2k8p", OBJECT_DEPLOYMENT, -1, {.n = 3}},
        {"a-pod", NULL, "a-pod-pod-0", OBJECT_DEPLOYMENT, 0, {.n = 1}},
        {"web", NULL, "web-pod", OBJECT_DAEMON_SET, 0, {.n = 1}},
        {"web", NULL, "web-pod-0", OBJECT_DAEMON_SET, -1, {.n = 1}},
        {"web", NULL, "web-pod", OBJECT_JOB, 0, {.n = 2}},
        {"web", NULL, "web-pod", OBJECT_REPLICA_SET, -1, {.n = 2}},
        {"db", NULL, "db-1", OBJECT_STATEFUL_SET, 1, {.n = 2}},
        /* elsewhere it is known, and must be the object's */
        {"solo", "shop", "solo", OBJECT_POD, 0, {.n = 1}},
        {"solo", "shop", "solo-node-1.example", OBJECT_POD, 0, {.n = 1}},
        {"solo", "shop", "solo-node-2", OBJECT_POD, -1, {.n = 1}},
        {"solo", "test", "solo", OBJECT_POD, -1, {.n = 1}},
        {"db", "shop", "db-0", OBJECT_STATEFUL_SET, 0, {.n = 2}},
        {"db", "shop", "db-2", OBJECT_STATEFUL_SET, -1, {.n = 2}},
        {"db", "shop", "db-6", OBJECT_STATEFUL_SET, 1, {.n = 2, .ordinal = 5}},
        {"db", "shop", "db-0", OBJECT_STATEFUL_SET, -1, {.n = 2, .ordinal = 5}},
        {"web", "shop", "web-7d4b9c6f5d-x2k8p", OBJECT_DEPLOYMENT, 0, {.n = 1}},
        {"web", "shop", "web-pod", OBJECT_DEPLOYMENT, -1, {.n = 1}},
        {"web", "test", "web-7d4b9c6f5d-x2k8p", OBJECT_DEPLOYMENT, -1, {.n = 1}},
        {"web", "shop", "web-x2k8p", OBJECT_DEPLOYMENT, -1, {.n = 1}},
        {"web", "shop", "web-x2k8p", OBJECT_REPLICA_SET, 0, {.n = 1}},
        {"web", "shop", "web-x2k8p", OBJECT_DAEMON_SET, 0, {.n = 1}},
        {"web", "shop", "web-x2k8p", OBJECT_REPLICATION_CONTROLLER, 0, {.n = 1}},
        {"web", "shop", "web-x2k8p", OBJECT_JOB, 0, {.n = 1}},
        {"web", "shop", "web-2-x2k8p", OBJECT_JOB, 2, {.n = 3, .indexed = true}},
        {"web", "shop", "web-3-x2k8p", OBJECT_JOB, -1, {.n = 3, .indexed = true}},
        {"web", "shop", "web-x2k8p", OBJECT_JOB, -1, {.n = 3, .indexed = true}},
        /* names that leave no room for what is drawn are cut */
        {NAME_50, "shop", NAME_50 "-7d4b9c6x2k8p", OBJECT_DEPLOYMENT, 0, {.n = 1}},
        {NAME_50 "12345678", "shop", NAME_50 "12345678x2k8p", OBJECT_DEPLOYMENT, 0, {.n = 1}},
        {NAME_50 "12345678901", "shop", NAME_50 "12345678x2k8p", OBJECT_DEPLOYMENT, 0, {.n = 1}},
        {NAME_50 "12345678901", "shop", NAME_50 "12345679x2k8p", OBJECT_DEPLOYMENT, -1, {.n = 1}},
        {NAME_50 "1234567", "shop", NAME_50 "1234567-x2k8p", OBJECT_DAEMON_SET, 0, {.n = 1}},
        {NAME_50 "12345678901", NULL, NAME_50 "12345678901", OBJECT_POD, 0, {.n = 1}},
        {NAME_50 "12345678901", "shop", NAME_50 "12345678901-0", OBJECT_STATEFUL_SET, 0, {.n = 1}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(samples); i++) {
        struct world world;
        const struct line line = {RUNTIME_CNI, false, samples[i].ns, samples[i].name, NULL,
                                  "10.0.0.1",  0};
        world_init(&world);
        print_message("%zu %s\n", i, samples[i].name);
        hold_more(&world, samples[i].kind, "shop", samples[i].holder, &samples[i].pods);
        see(&world, FILE_A, &line, 1);
        assert_int_equal(sightings_settle(world.sightings), samples[i].index >= 0);
        for (int index = 0; index < 4; index++)
            assert_string_equal(
                address_of(&world, samples[i].kind, "shop", samples[i].holder, (uint32_t)index),
                index == samples[i].index ? "10.0.0.1" : "-");
        world_clear(&world);
    }
}

static void what_several_could_have_is_nobodys(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {RUNTIME_PODMAN, false, NULL, "web-pod", "net", "10.0.0.2", 0},
        {RUNTIME_PODMAN, false, NULL, "only-pod-1", "net", "10.0.0.3", 0},
    };
    struct world world;
    world_init(&world);
    see(&world, FILE_A, lines, 2);
    hold(&world, OBJECT_DEPLOYMENT, "shop", "web", 1);
    hold(&world, OBJECT_DEPLOYMENT, "shop", "only", 2);
    (void)sightings_settle(world.sightings);
    assert_string_equal(address_of(&world, OBJECT_DEPLOYMENT, "shop", "web", 0), "10.0.0.2");
    assert_string_equal(address_of(&world, OBJECT_DEPLOYMENT, "shop", "only", 1), "10.0.0.3");

    hold(&world, OBJECT_POD, "test", "web-pod", 1);
    (void)sightings_settle(world.sightings);
    assert_string_equal(address_of(&world, OBJECT_DEPLOYMENT, "shop", "web", 0), "-");
    assert_string_equal(address_of(&world, OBJECT_POD, "test", "web-pod", 0), "-");
    assert_string_equal(address_of(&world, OBJECT_DEPLOYMENT, "shop", "only", 1), "10.0.0.3");
    const char *shop = intern("shop");
    const struct sighting *contested =
        sightings_ignored(world.sightings, &(struct holder_key){OBJECT_DEPLOYMENT, shop, "web"}, 0);
    assert_non_null(contested);
    g_autofree char *why = sightings_why_ignored(world.sightings, contested);
    assert_string_equal(
        why, "podman runs web-pod, which could belong to Deployment shop/web or Pod test/web-pod");
    assert_null(sightings_ignored(world.sightings,
                                  &(struct holder_key){OBJECT_DEPLOYMENT, shop, "only"}, 0));
    name_unref(shop);

    hold(&world, OBJECT_DEPLOYMENT, "shop", "web", 0);
    (void)sightings_settle(world.sightings);
    assert_string_equal(address_of(&world, OBJECT_POD, "test", "web-pod", 0), "10.0.0.2");
    world_clear(&world);
}

static void the_best_of_several_sightings_counts(void **state)
{
    (void)state;
    static const struct line better[] = {
        {RUNTIME_CNI, false, "shop", "db-0", "a", "10.0.0.1", 5},
        {RUNTIME_CNI, false, "shop", "db-0", "b", "10.0.0.2", 9}, /* the network's name */
        {RUNTIME_CNI, false, "shop", "db-0", "a", "10.0.0.3", 4}, /* the time */
        {RUNTIME_CNI, true, "shop", "db-0", "0", "10.0.0.4", 9},  /* the interface */
        {RUNTIME_KUBELET, false, "shop", "db-0", NULL, "10.0.0.5", 9},
    };
    for (size_t i = 1; i < G_N_ELEMENTS(better); i++) {
        for (unsigned order = 0; order < 2; order++) {
            struct world world;
            world_init(&world);
            hold(&world, OBJECT_STATEFUL_SET, "shop", "db", 1);
            see(&world, order ? FILE_A : FILE_B, &better[0], 1);
            see(&world, order ? FILE_B : FILE_A, &better[i], 1);
            (void)sightings_settle(world.sightings);
            assert_string_equal(address_of(&world, OBJECT_STATEFUL_SET, "shop", "db", 0),
                                "10.0.0.1");
            sightings_replace(world.sightings, order ? FILE_A : FILE_B, NULL);
            (void)sightings_settle(world.sightings);
            assert_string_equal(address_of(&world, OBJECT_STATEFUL_SET, "shop", "db", 0),
                                better[i].address);
            world_clear(&world);
        }
    }
}

static void an_address_is_the_later_pods(void **state)
{
    (void)state;
    static const struct line ghost = {RUNTIME_CNI, false, "shop", "a", "n", "10.0.0.1", 1},
                             heir = {RUNTIME_CNI, false, "shop", "b", "n", "10.0.0.1", 2};
    struct world world;
    world_init(&world);
    hold(&world, OBJECT_POD, "shop", "a", 1);
    hold(&world, OBJECT_POD, "shop", "b", 1);
    see(&world, FILE_A, &ghost, 1);
    (void)sightings_settle(world.sightings);
    assert_string_equal(address_of(&world, OBJECT_POD, "shop", "a", 0), "10.0.0.1");
    see(&world, FILE_B, &heir, 1);
    (void)sightings_settle(world.sightings);
    assert_string_equal(address_of(&world, OBJECT_POD, "shop", "a", 0), "-");
    assert_string_equal(address_of(&world, OBJECT_POD, "shop", "b", 0), "10.0.0.1");
    sightings_replace(world.sightings, FILE_B, NULL);
    (void)sightings_settle(world.sightings);
    assert_string_equal(address_of(&world, OBJECT_POD, "shop", "a", 0), "10.0.0.1");
    assert_int_equal(world.n_stated, 1);
    world_clear(&world);
}

/* kubelet's hosts files can be written by containers. */
struct contest {
    enum runtime runtimes[2];
    bool written[2];
    int64_t since[2];
    const char *has[2]; /* do a and b have the address that both claim? */
    int n_stated;       /* attested claims */
};

static void a_container_takes_no_address(void **state)
{
    (void)state;
    static const char address[] = "10.0.0.1", none[] = "-";
    static const struct contest contests[] = {
        {{RUNTIME_CNI, RUNTIME_KUBELET}, {false, true}, {1, 2}, {address, none}, 1},
        {{RUNTIME_KUBELET, RUNTIME_KUBELET}, {false, true}, {1, 2}, {address, none}, 1},
        {{RUNTIME_KUBELET, RUNTIME_KUBELET}, {false, true}, {2, 1}, {address, none}, 1},
        {{RUNTIME_KUBELET, RUNTIME_KUBELET}, {true, false}, {1, 2}, {none, address}, 1},
        {{RUNTIME_KUBELET, RUNTIME_KUBELET}, {false, false}, {1, 2}, {none, address}, 2},
        {{RUNTIME_KUBELET, RUNTIME_KUBELET}, {true, true}, {1, 2}, {address, address}, 0},
    };
    for (size_t i = 0; i < 2 * G_N_ELEMENTS(contests); i++) {
        const struct contest *contest = &contests[i / 2];
        struct world world;
        world_init(&world);
        hold(&world, OBJECT_POD, "shop", "a", 1);
        hold(&world, OBJECT_POD, "shop", "b", 1);
        for (size_t j = 0; j < 2; j++) {
            size_t n = j ^ (i % 2); /* either first */
            const struct line line = {contest->runtimes[n], false, "shop",
                                      n ? "b" : "a",        NULL,  address,
                                      contest->since[n]};
            see_hosts(&world, n ? FILE_B : FILE_A, &line, contest->written[n]);
            (void)sightings_settle(world.sightings);
        }
        print_message("%zu\n", i);
        assert_string_equal(address_of(&world, OBJECT_POD, "shop", "a", 0), contest->has[0]);
        assert_string_equal(address_of(&world, OBJECT_POD, "shop", "b", 0), contest->has[1]);
        assert_int_equal(world.n_stated, contest->n_stated);
        world_clear(&world);
    }
}

/* kubelet writes the file again for each container: what it said first is still known. */
static void what_was_attested_remains_so(void **state)
{
    (void)state;
    static const struct line owner = {RUNTIME_KUBELET, false, "shop", "a", NULL, "10.0.0.1", 1},
                             thief = {RUNTIME_KUBELET, false, "shop", "b", NULL, "10.0.0.1", 2};
    struct world world;
    world_init(&world);
    hold(&world, OBJECT_POD, "shop", "a", 1);
    hold(&world, OBJECT_POD, "shop", "b", 1);
    see_hosts(&world, FILE_A, &owner, false);
    see_hosts(&world, FILE_A, &owner, true);
    see_hosts(&world, FILE_B, &thief, true);
    (void)sightings_settle(world.sightings);
    assert_string_equal(address_of(&world, OBJECT_POD, "shop", "a", 0), "10.0.0.1");
    assert_string_equal(address_of(&world, OBJECT_POD, "shop", "b", 0), "-");
    const char *ns = intern("shop");
    const struct sighting *ignored =
        sightings_ignored(world.sightings, &(struct holder_key){OBJECT_POD, ns, "b"}, 0);
    name_unref(ns);
    assert_non_null(ignored);
    g_autofree char *why = sightings_why_ignored(world.sightings, ignored);
    assert_string_equal(why,
                        "the hosts file of pod shop/b has 10.0.0.1, the address of pod shop/a");
    sightings_replace(world.sightings, FILE_A, NULL);
    (void)sightings_settle(world.sightings);
    assert_string_equal(address_of(&world, OBJECT_POD, "shop", "b", 0), "10.0.0.1");
    world_clear(&world);
}

/* While a Deployment is rolled out there are more pods than it has replicas. */
static void the_youngest_of_too_many_count(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {RUNTIME_CNI, false, "shop", "web-7d4b9c6f5d-aaaaa", "n", "10.0.0.1", 1},
        {RUNTIME_CNI, false, "shop", "web-7d4b9c6f5d-bbbbb", "n", "10.0.0.2", 1},
        {RUNTIME_CNI, false, "shop", "web-7d4b9c6f5d-bbbbb", "m", "10.9.0.2", 1},
        {RUNTIME_CNI, false, "shop", "web-5c8f6d7b9-bcdfg", "n", "10.0.0.3", 3},
        {RUNTIME_CNI, false, "shop", "web-5c8f6d7b9-ghjkl", "n", "10.0.0.4", 2},
    };
    struct world world;
    world_init(&world);
    hold(&world, OBJECT_DEPLOYMENT, "shop", "web", 3);
    see(&world, FILE_A, lines, G_N_ELEMENTS(lines));
    (void)sightings_settle(world.sightings);
    assert_string_equal(address_of(&world, OBJECT_DEPLOYMENT, "shop", "web", 0), "10.0.0.3");
    assert_string_equal(address_of(&world, OBJECT_DEPLOYMENT, "shop", "web", 1), "10.0.0.4");
    /* of those of one age the first by name; "aaaaa" has vowels, which no controller draws */
    assert_string_equal(address_of(&world, OBJECT_DEPLOYMENT, "shop", "web", 2), "10.9.0.2");
    hold(&world, OBJECT_DEPLOYMENT, "shop", "web", 1);
    (void)sightings_settle(world.sightings);
    assert_string_equal(address_of(&world, OBJECT_DEPLOYMENT, "shop", "web", 0), "10.0.0.3");
    assert_string_equal(address_of(&world, OBJECT_DEPLOYMENT, "shop", "web", 1), "-");
    world_clear(&world);
}

/* Where podman and network plugins both have pods of an object. */
static void what_a_controller_drew_takes_a_free_place(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {RUNTIME_PODMAN, false, NULL, "web-pod-1", "net", "10.0.0.1", 1},
        {RUNTIME_CNI, false, "shop", "web-7d4b9c6f5d-bbbbb", "n", "10.0.0.2", 3},
        {RUNTIME_CNI, false, "shop", "web-7d4b9c6f5d-ccccc", "n", "10.0.0.3", 2},
    };
    struct world world;
    world_init(&world);
    hold(&world, OBJECT_DEPLOYMENT, "shop", "web", 2);
    see(&world, FILE_A, lines, G_N_ELEMENTS(lines));
    (void)sightings_settle(world.sightings);
    assert_string_equal(address_of(&world, OBJECT_DEPLOYMENT, "shop", "web", 0), "10.0.0.2");
    assert_string_equal(address_of(&world, OBJECT_DEPLOYMENT, "shop", "web", 1), "10.0.0.1");
    assert_string_equal(address_of(&world, OBJECT_DEPLOYMENT, "shop", "web", 2), "-");
    world_clear(&world);
}

#define MANY 5000u

static void see_many(struct world *world, unsigned changed)
{
    GPtrArray *sightings = g_ptr_array_new();
    for (unsigned i = 0; i < MANY; i++) {
        char name[32], address[32];
        snprintf(name, sizeof name, "app-%u-pod", i);
        snprintf(address, sizeof address, "10.%u.%u.%u", i == changed ? 99 : 1, i >> 8, i & 255);
        const struct line line = {RUNTIME_PODMAN, false, NULL, name, "net", address, 1};
        g_ptr_array_add(sightings, sighting_of(&line));
    }
    sightings_replace(world->sightings, FILE_A, sightings);
}

static void one_change_concerns_one(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    for (unsigned i = 0; i < MANY; i++) {
        g_autofree char *name = g_strdup_printf("app-%u", i);
        hold(&world, OBJECT_DEPLOYMENT, i % 2 ? "shop" : "test", name, 1);
    }
    see_many(&world, MANY);
    assert_true(sightings_settle(world.sightings));
    assert_int_equal(world.n_changed, MANY);
    assert_int_equal(world.n_stated, MANY);
    see_many(&world, MANY);
    assert_false(sightings_settle(world.sightings));
    see_many(&world, 77);
    assert_true(sightings_settle(world.sightings));
    assert_int_equal(world.n_changed, MANY + 1);
    assert_string_equal(address_of(&world, OBJECT_DEPLOYMENT, "shop", "app-77", 0), "10.99.0.77");
    hold(&world, OBJECT_DEPLOYMENT, "shop", "app-77", 2);
    assert_true(sightings_settle(world.sightings));
    assert_int_equal(world.n_changed, MANY + 2);
    sightings_replace(world.sightings, FILE_A, NULL);
    assert_int_equal(world.n_stated, 0);
    world_clear(&world);
}

static void what_is_there_twice_counts_once(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {RUNTIME_PODMAN, false, NULL, "a", "net", "10.0.0.2", 0},
        {RUNTIME_PODMAN, false, NULL, "a", "net", "10.0.0.2", 0},
    };
    struct world world;
    world_init(&world);
    hold(&world, OBJECT_POD, "shop", "a", 1);
    for (unsigned i = 0; i < 2; i++) {
        see(&world, FILE_A, lines, 2);
        (void)sightings_settle(world.sightings);
        assert_int_equal(world.n_stated, 1);
        assert_string_equal(address_of(&world, OBJECT_POD, "shop", "a", 0), "10.0.0.2");
    }
    world_clear(&world);
}

static void the_name_of_the_node_may_change(void **state)
{
    (void)state;
    static const struct line line = {RUNTIME_KUBELET, false, "shop", "a-n2", NULL, "10.0.0.2", 0};
    struct world world;
    world_init(&world);
    hold(&world, OBJECT_POD, "shop", "a", 1);
    see(&world, FILE_A, &line, 1);
    (void)sightings_settle(world.sightings);
    assert_string_equal(address_of(&world, OBJECT_POD, "shop", "a", 0), "-");
    sightings_set_node(world.sightings, "n2");
    (void)sightings_settle(world.sightings);
    assert_string_equal(address_of(&world, OBJECT_POD, "shop", "a", 0), "10.0.0.2");
    sightings_set_node(world.sightings, NULL);
    (void)sightings_settle(world.sightings);
    assert_string_equal(address_of(&world, OBJECT_POD, "shop", "a", 0), "-");
    assert_int_equal(world.n_stated,
                     0); /* no lease gives way to a file that containers can write */
    world_clear(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_say_which_pod_it_is),
        cmocka_unit_test(what_several_could_have_is_nobodys),
        cmocka_unit_test(the_best_of_several_sightings_counts),
        cmocka_unit_test(an_address_is_the_later_pods),
        cmocka_unit_test(a_container_takes_no_address),
        cmocka_unit_test(what_was_attested_remains_so),
        cmocka_unit_test(the_youngest_of_too_many_count),
        cmocka_unit_test(what_a_controller_drew_takes_a_free_place),
        cmocka_unit_test(one_change_concerns_one),
        cmocka_unit_test(what_is_there_twice_counts_once),
        cmocka_unit_test(the_name_of_the_node_may_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
