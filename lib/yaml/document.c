/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every error counts, unlike in manifests: the file is written for this program.
 */
#include "document.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "composer.h"
#include "input.h"
#include "lib/util/log.h"
#include "reader.h"

struct document {
    document_handler handler;
    void *userdata;
    struct fields fields;
    unsigned n;
};

static void on_document(void *userdata, const struct yaml_node *map)
{
    struct document *document = userdata;

    if (!map)
        return;
    if (document->n++ > 0)
        fields_error(&document->fields, map->position, "second-document",
                     "the file holds more than one document");
    else
        document->handler(document->userdata, &document->fields, map);
}

static void on_other(void *userdata, struct position position, bool has_objects)
{
    struct document *document = userdata;

    (void)has_objects;
    fields_error(&document->fields, position, "wrong-type", "the file must hold a mapping");
}

static int document_parse(struct document *document, struct input *input)
{
    struct composer_callbacks callbacks = {
        .document = on_document, .other = on_other, .userdata = document};
    struct composer *composer = composer_new(&callbacks, document->fields.diagnostics);
    int r = reader_run(input, composer);

    composer_free(composer);
    input_take_malformed(input, document->fields.diagnostics);
    if (input->error < 0)
        return input->error;
    if (input->too_large)
        fields_error(&document->fields, (struct position){0}, "too-large",
                     "larger than %" G_GUINT64_FORMAT " bytes", input->max_size);
    return r == READER_BAD || document->fields.broken ? -EINVAL : 0;
}

static void log_all(const GPtrArray *diagnostics, const char *path)
{
    for (unsigned i = 0; i < diagnostics->len; i++) {
        g_autofree char *line = diagnostic_format(diagnostics->pdata[i], path);

        log_error("%s", line);
    }
}

int document_read(const char *path, uint64_t size_max, GPtrArray *diagnostics,
                  document_handler handler, void *userdata)
{
    g_autoptr(GPtrArray) own = g_ptr_array_new_with_free_func((GDestroyNotify)diagnostic_free);
    struct document document = {.handler = handler,
                                .userdata = userdata,
                                .fields = {.diagnostics = diagnostics ? diagnostics : own}};
    g_autofree struct input *input = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), r;

    if (fd < 0)
        return -errno;
    input = g_new0(struct input, 1);
    input_init(input, input_read_fd, &fd, size_max);
    r = document_parse(&document, input);
    input_clear(input);
    close(fd);
    log_all(own, path);
    return r;
}
