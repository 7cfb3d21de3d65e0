/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading manifests from memory, for the tests of the reader.
 */
#include "manifest_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"

struct manifest_text manifest_text_read(const char *bytes, size_t length, size_t piece)
{
    const struct manifest_options options = {.default_namespace = "default",
                                             .max_size = UINT64_C(512) << 20};
    struct bytes left = {bytes, length, piece};
    struct source *source = source_new("/test.yaml", 0, true, NULL);
    struct manifest_text manifest = {0};

    manifest.result = manifest_read(source, &options, bytes_give, &left, &manifest.objects,
                                    &manifest.diagnostics);
    source_unref(source);
    return manifest;
}

struct manifest_text manifest_text_all(const char *text, size_t length)
{
    return manifest_text_read(text, length, 0);
}

void manifest_text_free(struct manifest_text *manifest)
{
    g_ptr_array_unref(manifest->objects);
    g_ptr_array_unref(manifest->diagnostics);
}

struct manifest_text manifest_text_good(const char *text)
{
    struct manifest_text manifest = manifest_text_all(text, strlen(text));

    if (manifest.result != MANIFEST_DONE) {
        const struct diagnostic *last = manifest.diagnostics->pdata[manifest.diagnostics->len - 1];

        fail_msg("%u:%u: %s", last->line, last->column, last->message);
    }
    return manifest;
}

struct object *manifest_text_find(const struct manifest_text *manifest, const char *description)
{
    for (guint i = 0; i < manifest->objects->len; i++) {
        g_autofree char *text = object_describe(manifest->objects->pdata[i]);

        if (strcmp(text, description) == 0)
            return manifest->objects->pdata[i];
    }
    fail_msg("there is no %s", description);
    return NULL;
}

const struct diagnostic *manifest_text_rule(const struct manifest_text *manifest, const char *rule)
{
    for (guint i = 0; i < manifest->diagnostics->len; i++) {
        const struct diagnostic *diagnostic = manifest->diagnostics->pdata[i];

        if (g_strcmp0(diagnostic->rule, rule) == 0)
            return diagnostic;
    }
    return NULL;
}

void manifest_text_assert_objects(const char *text, const char *expected)
{
    struct manifest_text manifest = manifest_text_good(text);
    g_autoptr(GString) found = g_string_new(NULL);

    for (guint i = 0; i < manifest.objects->len; i++) {
        const struct object *object = manifest.objects->pdata[i];
        g_autofree char *description = object_describe(object);

        assert_int_equal(object->document, i);
        g_string_append_printf(found, "%s%s@%u:%u", i > 0 ? ", " : "", description, object->line,
                               object->column);
    }
    assert_string_equal(found->str, expected);
    manifest_text_free(&manifest);
}

void manifest_text_assert_bad(const char *text, size_t length, const char *rule, unsigned line,
                              unsigned column)
{
    struct manifest_text manifest = manifest_text_all(text, length);
    const struct diagnostic *last;

    assert_int_equal(manifest.result, MANIFEST_BAD);
    assert_int_equal(manifest.objects->len, 0);
    assert_true(manifest.diagnostics->len > 0);
    last = manifest.diagnostics->pdata[manifest.diagnostics->len - 1];
    assert_string_equal(last->rule, rule);
    assert_int_equal(last->severity, DIAGNOSTIC_ERROR);
    if (line > 0) {
        assert_int_equal(last->line, line);
        assert_int_equal(last->column, column);
    }
    manifest_text_free(&manifest);
}

struct object *manifest_text_only(struct manifest_text *manifest, const char *text)
{
    *manifest = manifest_text_good(text);
    for (guint i = 0; i < manifest->diagnostics->len; i++) {
        const struct diagnostic *diagnostic = manifest->diagnostics->pdata[i];

        fail_msg("%u:%u: %s", diagnostic->line, diagnostic->column, diagnostic->message);
    }
    assert_int_equal(manifest->objects->len, 1);
    return manifest->objects->pdata[0];
}

struct object *manifest_text_usable(struct manifest_text *manifest, const char *text)
{
    struct object *object;

    *manifest = manifest_text_good(text);
    for (guint i = 0; i < manifest->diagnostics->len; i++) {
        const struct diagnostic *diagnostic = manifest->diagnostics->pdata[i];

        if (!g_str_has_suffix(diagnostic->message, "; the API server rejects it"))
            fail_msg("%u:%u: %s", diagnostic->line, diagnostic->column, diagnostic->message);
    }
    assert_int_equal(manifest->objects->len, 1);
    object = manifest->objects->pdata[0];
    assert_false(object->broken);
    return object;
}

void manifest_text_assert_addresses(const struct addresses *addresses, const char *expected)
{
    g_autoptr(GString) found = g_string_new(NULL);

    for (uint32_t i = 0; i < addresses->n; i++) {
        char text[ADDRESS_TEXT_MAX];

        address_format(&addresses->items[i], text);
        g_string_append_printf(found, "%s%s", i > 0 ? " " : "", text);
    }
    assert_string_equal(found->str, expected);
}

void manifest_text_assert_ports(const struct ports *ports, const char *expected)
{
    g_autoptr(GString) found = g_string_new(NULL);

    for (uint32_t i = 0; ports && i < ports->n; i++) {
        const struct port *port = &ports->items[i];

        g_string_append_printf(found, "%s%s/%u %u %s%u", i > 0 ? ", " : "",
                               port->name ? port->name : "-", port->protocol, port->number,
                               port->target_name ? port->target_name : "", port->target);
    }
    assert_string_equal(found->str, expected);
}
