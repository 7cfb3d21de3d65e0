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

struct reading {
    struct decode_context context;
    GPtrArray *pending; /* elements waiting for their list's kind */
    guint first_object; /* of the current document */
    guint first_diagnostic;
    struct position bare; /* a list in it of objects that is no List; line 0: none */
};

/* An element can be read at once if its kind is known from itself or the list. Elements keep their
 * order, so that a waiting one makes all later ones wait. */
static bool on_element(void *userdata, const struct yaml_node *element,
                       const struct yaml_node *document)
{
    struct reading *reading = userdata;
    const char *version = decode_peek(document, "apiVersion");
    const char *kind = decode_peek(document, "kind");

    if (reading->bare.line == 0 && decode_peek(element, "apiVersion") &&
        decode_peek(element, "kind"))
        reading->bare = document->position;
    if (reading->pending->len > 0 || (!decode_is_typed(element) && !(version && kind))) {
        g_ptr_array_add(reading->pending, (gpointer)(uintptr_t)element);
        return true;
    }
    decode_object(&reading->context, element, version, kind);
    return false;
}

/* Discards the document's objects so far, and their diagnostics. */
static void on_retract(void *userdata)
{
    struct reading *reading = userdata;
    struct decode_context *context = &reading->context;

    decode_forget(context, reading->first_object);
    g_ptr_array_set_size(context->diagnostics, (gint)reading->first_diagnostic);
    g_ptr_array_set_size(reading->pending, 0);
    reading->bare = (struct position){0};
}

static void on_other(void *userdata, struct position position, bool has_objects)
{
    struct reading *reading = userdata;

    if (has_objects)
        reading->bare = position;
}

/* What `jq .items` makes of a list, and others that make files of objects. */
static void report_bare_list(struct reading *reading, struct position position, bool in_document)
{
    g_ptr_array_add(
        reading->context.diagnostics,
        diagnostic_new(DIAGNOSTIC_WARNING, position.line, position.column, "bare-list", NULL,
                       "a list of objects %s is ignored: it must be the 'items' of an object with "
                       "'apiVersion: v1' and 'kind: List'",
                       in_document ? "without apiVersion or kind" : "as a document"));
}

static void on_document(void *userdata, const struct yaml_node *document)
{
    struct reading *reading = userdata;
    struct decode_context *context = &reading->context;
    const char *version = decode_peek(document, "apiVersion");
    const char *kind = decode_peek(document, "kind");

    if (version && kind) {
        for (guint i = 0; i < reading->pending->len; i++)
            decode_object(context, reading->pending->pdata[i], version, kind);
    } else {
        /* a document with `items` that is not a Kubernetes list */
        struct position bare = reading->bare;

        on_retract(reading);
        if (bare.line > 0)
            report_bare_list(reading, bare, document);
    }
    if (document)
        decode_object(context, document, NULL, NULL);
    g_ptr_array_set_size(reading->pending, 0);
    reading->bare = (struct position){0};
    reading->first_object = context->objects->len;
    reading->first_diagnostic = context->diagnostics->len;
}

/* The parser's complaint about template marks is useless. */
static void name_template(const struct input *input, GPtrArray *diagnostics)
{
    const struct diagnostic *last = diagnostics->pdata[diagnostics->len - 1];
    unsigned line = last->line, column = last->column;
    unsigned from = line - MIN(line, TEMPLATE_LINES_BEFORE);

    if (g_strcmp0(last->rule, "syntax") != 0 ||
        !input_has_template(input, from, line + TEMPLATE_LINES_AFTER))
        return;
    g_ptr_array_set_size(diagnostics, 0);
    g_ptr_array_add(diagnostics,
                    diagnostic_new(DIAGNOSTIC_ERROR, line, column, "template", NULL,
                                   "looks like a template (Helm, Go or Jinja): render it first"));
}

static int finish(struct input *input, GPtrArray *diagnostics, int result)
{
    if (input->error < 0)
        return input->error;
    if (input->too_large) {
        g_ptr_array_set_size(diagnostics, 0);
        g_ptr_array_add(diagnostics,
                        diagnostic_new(DIAGNOSTIC_ERROR, 0, 0, "too-large", NULL,
                                       "larger than maxFileSize (%" G_GUINT64_FORMAT " bytes)",
                                       input->max_size));
        return MANIFEST_BAD;
    }
    if (result == MANIFEST_BAD) {
        name_template(input, diagnostics);
        /* In a binary file every line has some; that the file is rejected is what counts. */
        g_ptr_array_set_size(input->malformed, (gint)MIN(input->malformed->len, 1));
    }
    input_take_malformed(input, diagnostics);
    return result;
}

int manifest_read(struct source *source, const struct manifest_options *options, input_read read,
                  void *userdata, GPtrArray **objectsp, GPtrArray **diagnosticsp)
{
    g_autofree struct input *input = g_new0(struct input, 1);
    g_autoptr(GPtrArray) pending = g_ptr_array_new();
    g_autoptr(GHashTable) mentioned = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) namespaces = g_hash_table_new(NULL, NULL);
    struct reading reading = {
        .context = {.source = source_ref(source),
                    .options = options,
                    .objects = g_ptr_array_new_with_free_func((GDestroyNotify)object_free),
                    .diagnostics = g_ptr_array_new_with_free_func((GDestroyNotify)diagnostic_free),
                    .mentioned = mentioned,
                    .namespaces = namespaces,
                    .before = source->used},
        .pending = pending,
    };
    const struct composer_callbacks callbacks = {.element = on_element,
                                                 .document = on_document,
                                                 .other = on_other,
                                                 .retract = on_retract,
                                                 .userdata = &reading};
    struct composer *composer = composer_new(&callbacks, reading.context.diagnostics);

    input_init(input, read, userdata, options->max_size);
    int r = reader_run(input, composer);
    composer_free(composer);
    r = finish(input, reading.context.diagnostics, r);
    input_clear(input);
    if (r == MANIFEST_DONE)
        source_set_refused(source, reading.context.n_refused, &reading.context.least);
    else /* they are useless, and may be very many */
        g_ptr_array_set_size(reading.context.objects, 0);
    source_unref(source);
    *objectsp = reading.context.objects;
    *diagnosticsp = reading.context.diagnostics;
    return r;
}
