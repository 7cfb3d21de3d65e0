/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The manifest reader: which language is it, and which objects does it contain. The parsers know
 * nothing of Kubernetes and the decoders nothing of files; here they meet. Objects are created
 * while the file is still being read, and count only if all of it was good: half a file must not
 * take effect.
 */
#include "manifest.h"

#include <string.h>

#include "decode.h"
#include "lib/yaml/composer.h"
#include "lib/yaml/input.h"
#include "lib/yaml/reader.h"

#define TEMPLATE_LINES_BEFORE 2u /* a template mark, and where the parser fails on it */
#define TEMPLATE_LINES_AFTER 1u

struct manifest_reader {
    struct input input;
    struct composer *composer;
    struct decode_context context;
    char *default_namespace;
    GPtrArray *pending; /* elements waiting for their list's kind */
    guint first_object; /* of the current document */
    guint first_diagnostic;
};

static void release_object(gpointer object)
{
    object_free(object);
}

static void release_diagnostic(gpointer diagnostic)
{
    diagnostic_free(diagnostic);
}

/* An element can be read at once if its kind is known from itself or the list. Elements keep their
 * order, so that a waiting one makes all later ones wait. */
static bool on_element(void *userdata, const struct yaml_node *element,
                       const struct yaml_node *document)
{
    struct manifest_reader *reader = userdata;
    const char *version = decode_peek(document, "apiVersion");
    const char *kind = decode_peek(document, "kind");

    if (reader->pending->len > 0 || (!decode_is_typed(element) && !(version && kind))) {
        g_ptr_array_add(reader->pending, (gpointer)(uintptr_t)element);
        return true;
    }
    decode_object(&reader->context, element, version, kind);
    return false;
}

/* Discards the document's objects so far, and their diagnostics. */
static void on_retract(void *userdata)
{
    struct manifest_reader *reader = userdata;
    struct decode_context *context = &reader->context;

    decode_forget(context, reader->first_object);
    g_ptr_array_set_size(context->diagnostics, (gint)reader->first_diagnostic);
    g_ptr_array_set_size(reader->pending, 0);
}

static void on_document(void *userdata, const struct yaml_node *document)
{
    struct manifest_reader *reader = userdata;
    struct decode_context *context = &reader->context;
    const char *version = decode_peek(document, "apiVersion");
    const char *kind = decode_peek(document, "kind");

    if (version && kind) {
        for (guint i = 0; i < reader->pending->len; i++)
            decode_object(context, reader->pending->pdata[i], version, kind);
    } else {
        /* a document with `items` that is not a Kubernetes list */
        on_retract(reader);
    }
    if (document)
        decode_object(context, document, NULL, NULL);
    g_ptr_array_set_size(reader->pending, 0);
    reader->first_object = context->objects->len;
    reader->first_diagnostic = context->diagnostics->len;
}

struct manifest_reader *manifest_reader_new(struct source *source,
                                            const struct manifest_options *options, input_read read,
                                            void *userdata)
{
    struct manifest_reader *reader = g_new0(struct manifest_reader, 1);
    struct composer_callbacks callbacks = {
        .element = on_element, .document = on_document, .retract = on_retract, .userdata = reader};

    input_init(&reader->input, read, userdata, options->max_size);
    reader->default_namespace = g_strdup(options->default_namespace);
    reader->pending = g_ptr_array_new();
    reader->context.source = source_ref(source);
    reader->context.default_namespace = reader->default_namespace;
    reader->context.look = options->look;
    reader->context.look_userdata = options->look_userdata;
    reader->context.objects = g_ptr_array_new_with_free_func(release_object);
    reader->context.diagnostics = g_ptr_array_new_with_free_func(release_diagnostic);
    reader->context.mentioned = g_hash_table_new(g_str_hash, g_str_equal);
    reader->context.namespaces = g_hash_table_new(NULL, NULL);
    reader->context.before = source->used;
    reader->composer = composer_new(&callbacks, reader->context.diagnostics);
    return reader;
}

struct manifest_reader *manifest_reader_free(struct manifest_reader *reader)
{
    if (!reader)
        return NULL;
    composer_free(reader->composer);
    g_ptr_array_unref(reader->pending);
    g_hash_table_unref(reader->context.mentioned);
    g_hash_table_unref(reader->context.namespaces);
    g_clear_pointer(&reader->context.objects, g_ptr_array_unref);
    g_clear_pointer(&reader->context.diagnostics, g_ptr_array_unref);
    source_unref(reader->context.source);
    g_free(reader->default_namespace);
    input_clear(&reader->input);
    g_free(reader);
    return NULL;
}

/* The parser's complaint about template marks is useless. */
static void name_template(struct manifest_reader *reader)
{
    GPtrArray *diagnostics = reader->context.diagnostics;
    const struct diagnostic *last = diagnostics->pdata[diagnostics->len - 1];
    unsigned line = last->line, column = last->column;
    unsigned from = line - MIN(line, TEMPLATE_LINES_BEFORE);

    if (g_strcmp0(last->rule, "syntax") != 0 ||
        !input_has_template(&reader->input, from, line + TEMPLATE_LINES_AFTER))
        return;
    g_ptr_array_set_size(diagnostics, 0);
    g_ptr_array_add(diagnostics,
                    diagnostic_new(DIAGNOSTIC_ERROR, line, column, "template", NULL,
                                   "looks like a template (Helm, Go or Jinja): render it first"));
}

static int finish(struct manifest_reader *reader, int result)
{
    if (reader->input.error < 0)
        return reader->input.error;
    if (reader->input.too_large) {
        g_ptr_array_set_size(reader->context.diagnostics, 0);
        g_ptr_array_add(reader->context.diagnostics,
                        diagnostic_new(DIAGNOSTIC_ERROR, 0, 0, "too-large", NULL,
                                       "larger than maxFileSize (%" G_GUINT64_FORMAT " bytes)",
                                       reader->input.max_size));
        return MANIFEST_BAD;
    }
    if (result == MANIFEST_BAD)
        name_template(reader);
    input_take_malformed(&reader->input, reader->context.diagnostics);
    return result;
}

int manifest_reader_run(struct manifest_reader *reader)
{
    int r = reader_run(&reader->input, reader->composer);

    composer_discard(reader->composer);
    r = finish(reader, r);
    if (r == MANIFEST_DONE)
        source_set_refused(reader->context.source, reader->context.n_refused,
                           &reader->context.least);
    if (r != MANIFEST_DONE) /* they are useless, and may be very many */
        g_ptr_array_set_size(reader->context.objects, 0);
    return reader->input.error < 0 ? reader->input.error : r;
}

GPtrArray *manifest_reader_take_objects(struct manifest_reader *reader)
{
    return g_steal_pointer(&reader->context.objects);
}

GPtrArray *manifest_reader_take_diagnostics(struct manifest_reader *reader)
{
    return g_steal_pointer(&reader->context.diagnostics);
}
