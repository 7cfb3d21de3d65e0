/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LDFLAGS: -Wl,--wrap=block_reader_run */
/*
 * Any bytes as a manifest. The first one chooses how they arrive. A file that can be read says the
 * same if libyaml reads all of it.
 */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/manifest/manifest.h"
#include "lib/util/diagnostic.h"
#include "lib/yaml/block_reader.h"
#include "tests/unit/bytes.h"

static bool all_by_libyaml;

int __real_block_reader_run(struct block_reader *reader, struct documents *documents,
                            struct composer *composer);
int __wrap_block_reader_run(struct block_reader *reader, struct documents *documents,
                            struct composer *composer);
int __wrap_block_reader_run(struct block_reader *reader, struct documents *documents,
                            struct composer *composer)
{
    return all_by_libyaml ? READER_OTHER_STYLE
                          : __real_block_reader_run(reader, documents, composer);
}

static int read_all(struct source *source, struct bytes bytes, bool by_libyaml,
                    GPtrArray **objectsp, GPtrArray **diagnosticsp)
{
    const struct manifest_options options = {.default_namespace = "default",
                                             .max_size = UINT64_C(1) << 20};

    all_by_libyaml = by_libyaml;
    return manifest_read(source, &options, bytes_give, &bytes, objectsp, diagnosticsp);
}

static char *all_text(const GPtrArray *diagnostics)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < diagnostics->len; i++) {
        g_autofree char *line = diagnostic_format(diagnostics->pdata[i], "/fuzz");

        g_string_append_printf(text, "%s\n", line);
    }
    return g_string_free(text, FALSE);
}

static void check_objects(const GPtrArray *objects)
{
    for (guint i = 0; i < objects->len; i++) {
        const struct object *object = objects->pdata[i];

        g_assert(dns_label_is_valid(object->ns));
        g_assert(object->document == i && object->line > 0 && object->column > 0);
        g_assert(object->kind != OBJECT_SERVICE || dns_label_is_valid(object->name));
        g_assert(object_equal(object, object));
    }
}

/* What is wrong first may differ in a file that cannot be read: libyaml looks ahead. */
static void compare_with_libyaml(struct source *source, struct bytes bytes, int r,
                                 const GPtrArray *objects, const char *text)
{
    g_autoptr(GPtrArray) others = NULL, diagnostics = NULL;

    g_assert_cmpint(read_all(source, bytes, true, &others, &diagnostics), ==, r);
    if (r != MANIFEST_DONE)
        return;
    g_autofree char *other_text = all_text(diagnostics);

    g_assert_cmpstr(other_text, ==, text);
    g_assert_cmpuint(others->len, ==, objects->len);
    for (guint i = 0; i < objects->len; i++)
        g_assert(object_equal(objects->pdata[i], others->pdata[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct bytes bytes = {(const char *)data + 1, size - 1, data[0] < 64 ? data[0] + 1u : 65536};
    struct source *source = source_new("/fuzz", 0, true, NULL);
    g_autoptr(GPtrArray) objects = NULL, diagnostics = NULL;
    int r = read_all(source, bytes, false, &objects, &diagnostics);
    g_autofree char *text = all_text(diagnostics);

    g_assert(r == MANIFEST_DONE || r == MANIFEST_BAD);
    g_assert(r == MANIFEST_DONE || (diagnostics->len > 0 && objects->len == 0));
    check_objects(objects);
    compare_with_libyaml(source, bytes, r, objects, text);
    source_unref(source);
    return 0;
}
