/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists and watches as bytes: what is passed on, what is kept of an object, what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/trim.h"

#define SERVICE                                                                                    \
    "{\"metadata\":{\"name\":\"web\",\"namespace\":\"moon\",\"resourceVersion\":\"7\","            \
    "\"managedFields\":[{\"a\":{\"metadata\":{\"name\":\"x\"}}}],\"annotations\":{\"n\":\"1\"}},"  \
    "\"spec\":{\"clusterIP\":\"10.0.0.1\",\"ports\":[{\"port\":80,\"nodePort\":30000}],"           \
    "\"sessionAffinity\":\"None\"},\"status\":{\"loadBalancer\":{}}}"
#define TRIMMED                                                                                    \
    "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"web\","                  \
    "\"namespace\":\"moon\",\"annotations\":{}},\"spec\":{\"clusterIP\":\"10.0.0.1\","             \
    "\"ports\":[{\"port\":80}]}}"

struct seen {
    unsigned n;
    enum trim_event event;
    GString *log; /* "NAMESPACE/NAME@VERSION SERVICE CODE REASON TEXT\n" */
};

static void on_object(void *userdata, const struct trim_object *object)
{
    struct seen *seen = userdata;

    seen->n++;
    seen->event = object->event;
    g_string_append_printf(seen->log, "%s/%s@%s %s %d %s %.*s\n", object->ns, object->name,
                           object->resource_version, object->service, (int)object->code,
                           object->reason, (int)object->length, object->text);
}

static struct trim *feed(struct seen *seen, enum resource resource, bool watch, const char *text,
                         size_t step)
{
    struct trim *trim;
    size_t length = strlen(text);

    *seen = (struct seen){.log = g_string_new(NULL)};
    trim = trim_new(&resource_types[resource], watch, on_object, seen);
    for (size_t at = 0; at < length; at += step) {
        if (!trim_feed(trim, text + at, MIN(step, length - at)))
            break;
    }
    return trim;
}

static void finish(struct seen *seen, struct trim *trim)
{
    g_string_free(seen->log, TRUE);
    assert_null(trim_free(trim));
}

static void test_list(void **state)
{
    static const char text[] = "{\"kind\":\"ServiceList\",\"metadata\":{\"resourceVersion\":\"12\","
                               "\"continue\":\"abc\"},\"items\":[" SERVICE "," SERVICE "]}";
    struct seen seen;

    (void)state;
    for (size_t step = 1; step < sizeof text; step++) {
        struct trim *trim = feed(&seen, RESOURCE_SERVICES, false, text, step);

        assert_null(trim_problem(trim));
        assert_true(trim_is_complete(trim));
        assert_string_equal(trim_list_version(trim), "12");
        assert_string_equal(trim_list_continue(trim), "abc");
        assert_int_equal(seen.event, TRIM_LISTED);
        assert_string_equal(seen.log->str,
                            "moon/web@7  0  " TRIMMED "\nmoon/web@7  0  " TRIMMED "\n");
        finish(&seen, trim);
    }
}

static void test_watch(void **state)
{
    static const char text[] =
        "{\"type\":\"MODIFIED\",\"object\":" SERVICE "}\n{\"object\":" SERVICE
        ",\"type\":\"DELETED\"}{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Service\","
        "\"metadata\":{\"resourceVersion\":\"9\"}}}\n{\"type\":\"ERROR\",\"object\":{\"kind\":"
        "\"Status\",\"reason\":\"Expired\",\"message\":\"too old\",\"code\":410}}\n";
    struct seen seen;

    (void)state;
    for (size_t step = 1; step < sizeof text; step += 3) {
        struct trim *trim = feed(&seen, RESOURCE_SERVICES, true, text, step);

        assert_null(trim_problem(trim));
        assert_int_equal(seen.n, 4);
        assert_int_equal(seen.event, TRIM_ERROR);
        assert_true(g_str_has_prefix(seen.log->str, "moon/web@7  0  " TRIMMED
                                                    "\nmoon/web@7  0  " TRIMMED "\n/@9  0  "));
        assert_non_null(strstr(seen.log->str, "/@  410 Expired "));
        finish(&seen, trim);
    }
}

static void test_slice(void **state)
{
    static const char text[] =
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"s\",\"namespace\":\"moon\","
        "\"labels\":{\"kubernetes.io/service-name\":\"web\",\"other\":\"x\"}},\"endpoints\":[{"
        "\"addresses\":[\"10.1.0.1\"],\"conditions\":{\"ready\":true,\"serving\":true},"
        "\"nodeName\":\"n\",\"targetRef\":{\"kind\":\"Pod\",\"name\":\"p\",\"uid\":\"u\"}}]}}";
    struct seen seen;
    struct trim *trim = feed(&seen, RESOURCE_SLICES, true, text, sizeof text);

    (void)state;
    assert_string_equal(
        seen.log->str,
        "moon/s@ web 0  {\"apiVersion\":\"discovery.k8s.io/v1\",\"kind\":\"EndpointSlice\","
        "\"metadata\":{\"name\":\"s\",\"namespace\":\"moon\",\"labels\":{"
        "\"kubernetes.io/service-name\":\"web\"}},\"endpoints\":[{\"addresses\":[\"10.1.0.1\"],"
        "\"conditions\":{\"ready\":true},\"targetRef\":{\"kind\":\"Pod\",\"name\":\"p\"}}]}\n");
    finish(&seen, trim);
}

static void test_what_no_server_sends(void **state)
{
    static const char *const texts[] = {"[]", "1 ", "\"x\"", "true ", "{]", "{\"a\":\"\xff\"}"};
    g_autoptr(GString) deep = g_string_new(NULL);
    struct seen seen;
    struct trim *trim;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        trim = feed(&seen, RESOURCE_SERVICES, false, texts[i], 1);
        assert_non_null(trim_problem(trim));
        assert_false(trim_is_complete(trim));
        assert_int_equal(seen.n, 0);
        finish(&seen, trim);
    }
    for (unsigned i = 0; i < 2 * TRIM_DEPTH_MAX; i++)
        g_string_append(deep, "{\"object\":");
    trim = feed(&seen, RESOURCE_SERVICES, true, deep->str, deep->len);
    assert_string_equal(trim_problem(trim), "nested too deeply");
    finish(&seen, trim);
}

static void test_event_without_an_object(void **state)
{
    static const char *const objects[] = {"null", "[]", "\"x\"", "{}"};
    struct seen seen;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(objects); i++) {
        g_autofree char *text = g_strdup_printf("{\"type\":\"ADDED\",\"object\":" SERVICE
                                                "}{\"type\":\"DELETED\",\"object\":%s}",
                                                objects[i]);
        struct trim *trim = feed(&seen, RESOURCE_SERVICES, true, text, 1);

        assert_null(trim_problem(trim));
        assert_int_equal(seen.n, 2);
        assert_int_equal(seen.event, TRIM_DELETED);
        assert_true(
            g_str_has_prefix(seen.log->str, "moon/web@7  0  " TRIMMED "\n/@  0  ")); /* no name */
        finish(&seen, trim);
    }
}

static void test_incomplete(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "{\"items\":[]}",
        "{\"metadata\":{\"resourceVersion\":\"1\"}}",
        "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[",
        "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]",
        "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":null}",
    };
    struct seen seen;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct trim *trim = feed(&seen, RESOURCE_SERVICES, false, texts[i], 1);

        assert_false(trim_is_complete(trim));
        finish(&seen, trim);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_watch),
        cmocka_unit_test(test_slice),
        cmocka_unit_test(test_what_no_server_sends),
        cmocka_unit_test(test_event_without_an_object),
        cmocka_unit_test(test_incomplete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
