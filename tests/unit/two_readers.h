/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The first document of a text, read by the block reader and by libyaml: whatever the former
 * accepts, both read alike, to the last position. Header only, because a fuzz target is built from
 * one file.
 */
#pragma once

#include <string.h>

#include "lib/yaml/block_reader.h"
#include "lib/yaml/reader.h"
#include "lib/yaml/yaml_reader.h"
#include "tests/unit/bytes.h"

/* "key@LINE:COLUMN=..." for everything that a node knows about itself. */
static inline void two_readers_write(GString *text, const struct yaml_node *node)
{
    if (node->key)
        g_string_append_printf(text, "%s@%u:%u=", node->key, node->key_position.line,
                               node->key_position.column);
    g_string_append_printf(text, "%u:%u,%u", node->position.line, node->position.column,
                           node->weight);
    if (node->type == YAML_NODE_SCALAR) {
        g_string_append_printf(text, "%s'", node->plain ? "" : "quoted");
        g_string_append_len(text, node->text, (gssize)node->length);
        g_string_append(text, "' ");
        return;
    }
    g_string_append_c(text, node->type == YAML_NODE_MAP ? '{' : '[');
    for (const struct yaml_node *child = node->first; child; child = child->next)
        two_readers_write(text, child);
    g_string_append_c(text, node->type == YAML_NODE_MAP ? '}' : ']');
}

static inline void two_readers_document(void *userdata, const struct yaml_node *document)
{
    if (document)
        two_readers_write(userdata, document);
}

static inline void two_readers_release(gpointer diagnostic)
{
    diagnostic_free(diagnostic);
}

/* What the document is, by whom it is read; NULL if it is none that both could read, or in another
 * style than the block reader's. */
static inline char *two_readers_read(const char *text, size_t size, size_t piece, bool is_block)
{
    g_autoptr(GPtrArray) diagnostics = g_ptr_array_new_with_free_func(two_readers_release);
    GString *result = g_string_new(NULL);
    struct composer_callbacks callbacks = {.document = two_readers_document, .userdata = result};
    struct composer *composer = composer_new(&callbacks, diagnostics);
    struct block_reader *block_reader = block_reader_new();
    g_autofree struct input *input = g_new0(struct input, 1);
    struct bytes bytes = {text, size, piece};
    struct documents documents;
    int r = READER_OTHER_STYLE;

    input_init(input, bytes_give, &bytes, UINT64_C(1) << 40);
    documents_init(&documents, input);
    if (documents_next(&documents) == DOCUMENT_OTHER)
        r = is_block ? block_reader_run(block_reader, &documents, composer)
                     : yaml_reader_run(&documents, composer);
    g_string_append_printf(result, "%d to %u:%u", r, documents.position.line,
                           documents.position.column);
    for (guint i = 0; i < diagnostics->len; i++) {
        g_autofree char *message = diagnostic_format(diagnostics->pdata[i], "");

        g_string_append_printf(result, " %s", message);
    }
    documents_clear(&documents);
    input_clear(input);
    block_reader_free(block_reader);
    composer_free(composer);
    return g_string_free(result, r == READER_OTHER_STYLE);
}
