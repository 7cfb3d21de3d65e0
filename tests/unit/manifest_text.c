/*
 * Reading manifests from memory, for the tests of the reader.
 */
#include "manifest_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct text {
    const char *bytes;
    size_t length, piece;
};

static ssize_t give(void *userdata, void *buffer, size_t size)
{
    struct text *text = userdata;
    size_t n = MIN(size, text->length);

    if (text->piece > 0)
        n = MIN(n, text->piece);
    if (n > 0)
        memcpy(buffer, text->bytes, n);
    text->bytes += n;
    text->length -= n;
    return (ssize_t)n;
}

struct manifest_text manifest_text_read(const char *bytes, size_t length, size_t piece,
                                        uint64_t budget)
{
    const struct manifest_options options = {"default", UINT64_C(512) << 20};
    struct text text = {bytes, length, piece};
    struct source *source = source_new("/test.yaml", 0, true);
    struct manifest_reader *reader = manifest_reader_new(source, &options, give, &text);
    struct manifest_text manifest = {0};

    do {
        manifest.result = manifest_reader_step(reader, budget);
        manifest.steps++;
    } while (manifest.result == MANIFEST_MORE);
    manifest.objects = manifest_reader_take_objects(reader);
    manifest.diagnostics = manifest_reader_take_diagnostics(reader);
    manifest_reader_free(reader);
    source_unref(source);
    return manifest;
}

void manifest_text_free(struct manifest_text *manifest)
{
    g_ptr_array_unref(manifest->objects);
    g_ptr_array_unref(manifest->diagnostics);
}

struct manifest_text manifest_text_good(const char *text)
{
    struct manifest_text manifest = manifest_text_read(text, strlen(text), 0, 1000000);

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
