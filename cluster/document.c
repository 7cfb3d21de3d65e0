/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The readers of manifests, used for a file written for this program: every error counts.
 */
#include "document.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/util/log.h"
#include "lib/util/suggest.h"
#include "lib/yaml/composer.h"
#include "lib/yaml/input.h"
#include "lib/yaml/reader.h"

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

static void on_other(void *userdata, struct position position)
{
    struct document *document = userdata;

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
                     "the file is larger than %u bytes", DOCUMENT_SIZE_MAX);
    return r == READER_BAD || document->fields.broken ? -EINVAL : 0;
}

int document_read(const char *path, document_handler handler, void *userdata)
{
    g_autoptr(GPtrArray) diagnostics =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))diagnostic_free);
    struct document document = {
        .handler = handler, .userdata = userdata, .fields = {.diagnostics = diagnostics}};
    g_autofree struct input *input = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), r;

    if (fd < 0)
        return -errno;
    input = g_new0(struct input, 1);
    input_init(input, input_read_fd, &fd, DOCUMENT_SIZE_MAX);
    r = document_parse(&document, input);
    input_clear(input);
    close(fd);
    for (unsigned i = 0; i < diagnostics->len; i++) {
        g_autofree char *line = diagnostic_format(diagnostics->pdata[i], path);

        log_error("%s", line);
    }
    return r;
}

void document_check_keys(struct fields *fields, const struct yaml_node *map,
                         const char *const known[])
{
    for (const struct yaml_node *child = map->first; child; child = child->next) {
        const char *suggestion;

        if (g_strv_contains(known, child->key))
            continue;
        suggestion = suggest_word(child->key, known, 2);
        fields_error(fields, child->key_position, "unknown-key", "unknown key \"%.64s\"%s%s%s",
                     child->key, suggestion ? "; did you mean " : "", suggestion ? suggestion : "",
                     suggestion ? "?" : "");
    }
}

char *document_string(struct fields *fields, const struct yaml_node *map, const char *key)
{
    return g_strdup(fields_string(fields, map, key));
}
