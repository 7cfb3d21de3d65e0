/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which names of pods a workload's controller makes, and which only look so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/model/workload.h"

#define LONG "a-name-so-long-that-the-api-server-cuts-what-it-is-given"      /* 56 */
#define LONGER "a-name-so-long-that-nothing-of-what-follows-it-remains-here" /* 59 */

static bool makes(enum object_kind kind, const char *name, const char *pod, bool indexed)
{
    struct source *source = source_new("/m", 0, true, NULL);
    struct workload *workload = (struct workload *)object_new(kind, source, "default", name);
    workload->indexed = indexed;
    workload->ordinal = kind == OBJECT_STATEFUL_SET ? 2 : 0;
    bool result = workload_makes_name(workload, 3, pod);
    object_free(&workload->object);
    source_unref(source);
    return result;
}

static void assert_makes(enum object_kind kind, const char *name, const char *const pods[],
                         const char *const others[], bool indexed)
{
    for (; *pods; pods++)
        if (!makes(kind, name, *pods, indexed))
            fail_msg("%s %s does not make %s", object_kind_name(kind), name, *pods);
    for (; *others; others++)
        if (makes(kind, name, *others, indexed))
            fail_msg("%s %s makes %s", object_kind_name(kind), name, *others);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void deployments(void **state)
{
    (void)state;
    assert_makes(OBJECT_DEPLOYMENT, "web",
                 LIST("web-5d8f7c9b-x7kp2", "web-5d8f7c9b4-x7kp2", "web-5d8f7c9b4d-x7kp2"),
                 LIST("web", "web-", "web-x7kp2", "web-0", "web-debug", "web-test-connection",
                      "web-5d8f7c9-x7kp2", "web-5d8f7c9b4dd-x7kp2", "web-5d8f7c9b4d-x7kp",
                      "web-5d8f7c9b4d-x7kp22", "web-5a8f7c9b4d-x7kp2", "web-5d8f7c9b4d-x7kpa",
                      "web-5d8f7c9b4d-x7-p2", "web-5d8f7c9b4d", "web-5d8f7c9b4dx7kp2",
                      "webx-5d8f7c9b4d-x7kp2", "we-5d8f7c9b4d-x7kp2", "x-5d8f7c9b4d-x7kp2",
                      "web-api-5d8f7c9b4d-x7kp2", "x7kp2"),
                 false);
}

static void simple_generators(void **state)
{
    static const enum object_kind kinds[] = {OBJECT_REPLICA_SET, OBJECT_REPLICATION_CONTROLLER,
                                             OBJECT_DAEMON_SET, OBJECT_JOB};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        assert_makes(kinds[i], "web-5d", LIST("web-5d-x7kp2"),
                     LIST("web-5d", "web-5d-0", "web-5d-debug", "web-5d-0-x7kp2",
                          "web-5d-5d8f7c9b-x7kp2", "web-x7kp2", "web-5dx7kp2", "web-5d--x7kp2",
                          "web-5d-x7kp", "web-5d-x7kp22"),
                     false);
    assert_makes(OBJECT_CRON_JOB, "web", LIST(NULL), LIST("web-x7kp2", "web-29000000-x7kp2"),
                 false);
}

static void indexed_jobs(void **state)
{
    (void)state;
    assert_makes(OBJECT_JOB, "sum", LIST("sum-0-x7kp2", "sum-12-x7kp2"),
                 LIST("sum-x7kp2", "sum-01-x7kp2", "sum--x7kp2", "sum-0", "sum-a-x7kp2"), true);
}

static void stateful_sets(void **state)
{
    (void)state;
    assert_makes(OBJECT_STATEFUL_SET, "db", LIST("db-2", "db-3", "db-4"),
                 LIST("db-0", "db-1", "db-5", "db-02", "db-", "db", "db-2x", "db-backup", "db-2-0",
                      "db-4294967298", "db-18446744073709551618", "db--2", "dbx-2", "d-2"),
                 false);
}

/* The base is cut to 58 characters, wherever that may be. */
static void long_names(void **state)
{
    (void)state;
    assert_int_equal(strlen(LONG), 56);
    assert_int_equal(strlen(LONGER), 59);
    assert_makes(OBJECT_DEPLOYMENT, LONG, LIST(LONG "-5x7kp2"),
                 LIST(LONG "-5d8f7c9b-x7kp2", LONG "-ax7kp2", LONG "-x7kp2"), false);
    assert_makes(OBJECT_REPLICA_SET, LONG, LIST(LONG "-x7kp2"), LIST(LONG "-5x7kp2"), false);
    assert_makes(OBJECT_JOB, LONG, LIST(LONG "-3x7kp2"), LIST(LONG "-bx7kp2"), true);
    g_autofree char *cut = g_strndup(LONGER, 58);
    g_autofree char *pod = g_strconcat(cut, "x7kp2", NULL);
    g_autofree char *shorter = g_strconcat(cut + 1, "x7kp2", NULL);
    assert_makes(OBJECT_DEPLOYMENT, LONGER, LIST(pod), LIST(shorter, LONGER "-x7kp2"), false);
    assert_makes(OBJECT_REPLICA_SET, LONGER, LIST(pod), LIST(shorter, LONGER "-x7kp2"), false);
}

static uint32_t nameable(enum object_kind kind, size_t length, uint32_t ordinal, uint32_t replicas,
                         bool indexed)
{
    g_autofree char *name = g_strnfill(length, 'x');
    struct source *source = source_new("/m", 0, true, NULL);
    struct workload *workload = (struct workload *)object_new(kind, source, "default", name);
    workload->ordinal = ordinal;
    workload->indexed = indexed;
    uint32_t n = workload_nameable(workload, replicas);
    object_free(&workload->object);
    source_unref(source);
    return n;
}

/* A hostname has at most 63 characters and no dot. */
static void names_that_no_pod_can_have(void **state)
{
    (void)state;
    assert_int_equal(nameable(OBJECT_STATEFUL_SET, 52, 0, 100000, false), 100000);
    assert_int_equal(nameable(OBJECT_STATEFUL_SET, 60, 0, 100000, false), 100);
    assert_int_equal(nameable(OBJECT_STATEFUL_SET, 60, 90, 20, false), 10);
    assert_int_equal(nameable(OBJECT_STATEFUL_SET, 61, 0, 3, false), 3);
    assert_int_equal(nameable(OBJECT_STATEFUL_SET, 61, 0, 11, false), 10);
    assert_int_equal(nameable(OBJECT_STATEFUL_SET, 61, 9, 2, false), 1);
    assert_int_equal(nameable(OBJECT_STATEFUL_SET, 61, 10, 2, false), 0);
    assert_int_equal(nameable(OBJECT_STATEFUL_SET, 62, 0, 1, false), 0);
    assert_int_equal(nameable(OBJECT_STATEFUL_SET, 253, 0, 1, false), 0);
    assert_int_equal(nameable(OBJECT_STATEFUL_SET, 1, INT32_MAX, REPLICAS_MAX, false),
                     REPLICAS_MAX);
    assert_int_equal(nameable(OBJECT_JOB, 62, 0, 2, true), 0);
    assert_int_equal(nameable(OBJECT_JOB, 62, 0, 2, false), 2);
    assert_int_equal(nameable(OBJECT_DEPLOYMENT, 253, 0, 2, false), 2);
    struct source *source = source_new("/m", 0, true, NULL);
    struct workload *dotted =
        (struct workload *)object_new(OBJECT_STATEFUL_SET, source, "default", "a.b");
    assert_int_equal(workload_nameable(dotted, 2), 0);
    object_free(&dotted->object);
    source_unref(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deployments),  cmocka_unit_test(simple_generators),
        cmocka_unit_test(indexed_jobs), cmocka_unit_test(stateful_sets),
        cmocka_unit_test(long_names),   cmocka_unit_test(names_that_no_pod_can_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
