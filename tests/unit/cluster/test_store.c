/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Objects and their groups: what counts as a change, what a list takes away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/store.h"

static bool note(void *userdata, const char *group)
{
    g_string_append_printf(userdata, "%s ", group);
    return true;
}

static bool put_off(void *userdata, const char *group)
{
    (void)group;
    ++*(unsigned *)userdata;
    return false;
}

static void put(struct store *store, unsigned feed, enum resource resource, const char *name,
                const char *group, const char *text)
{
    struct store_object object = {
        .resource = resource,
        .feed = feed,
        .ns = "moon",
        .name = name,
        .group = group,
        .text = text,
        .length = strlen(text),
    };

    assert_true(store_put(store, &object));
}

static void assert_changed(struct store *store, const char *expected)
{
    g_autoptr(GString) changed = g_string_new(NULL);

    assert_int_equal(store_take_changed(store, note, changed), 0);
    assert_string_equal(changed->str, expected);
}

static void test_changes(void **state)
{
    struct store *store = store_new();
    g_autoptr(GString) text = g_string_new(NULL);
    unsigned offered = 0;

    (void)state;
    put(store, 1, RESOURCE_SLICES, "web-2", "moon/web.json", "{2}");
    put(store, 0, RESOURCE_SERVICES, "web", "moon/web.json", "{0}");
    put(store, 1, RESOURCE_SLICES, "web-1", "moon/web.json", "{1}");
    assert_int_equal(store_take_changed(store, put_off, &offered), 1);
    assert_int_equal(offered, 1);
    assert_changed(store, "moon/web.json ");
    assert_true(store_render(store, "moon/web.json", text));
    assert_string_equal(text->str, "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\n{0},\n"
                                   "{1},\n{2}\n]}\n");
    put(store, 0, RESOURCE_SERVICES, "web", "moon/web.json", "{0}");
    assert_changed(store, "");
    put(store, 1, RESOURCE_SLICES, "web-1", "moon/db.json", "{1}");
    assert_changed(store, "moon/web.json moon/db.json ");
    assert_int_equal(store_count(store, RESOURCE_SLICES), 2);
    assert_null(store_free(store));
}

static void test_lists(void **state)
{
    struct store *store = store_new();
    struct store_object gone = {.resource = RESOURCE_SERVICES, .ns = "moon", .name = "b"};

    (void)state;
    store_begin_list(store, 0);
    put(store, 0, RESOURCE_SERVICES, "a", "moon/a.json", "{}");
    put(store, 0, RESOURCE_SERVICES, "b", "moon/b.json", "{}");
    put(store, 1, RESOURCE_SLICES, "s", "moon/a.json", "{}");
    store_end_list(store, 0);
    assert_changed(store, "moon/a.json moon/b.json ");
    /* A list that breaks off takes nothing away. */
    store_begin_list(store, 0);
    put(store, 0, RESOURCE_SERVICES, "b", "moon/b.json", "{}");
    store_begin_list(store, 0);
    assert_changed(store, "");
    put(store, 0, RESOURCE_SERVICES, "b", "moon/b.json", "{}");
    store_end_list(store, 0);
    assert_changed(store, "moon/a.json ");
    assert_true(store_has_group(store, "moon/a.json"));
    store_remove(store, &gone);
    store_remove(store, &gone);
    assert_changed(store, "moon/b.json ");
    assert_false(store_has_group(store, "moon/b.json"));
    assert_int_equal(store_count(store, RESOURCE_SERVICES), 0);
    assert_int_equal(store_count(store, RESOURCE_SLICES), 1);
    store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
