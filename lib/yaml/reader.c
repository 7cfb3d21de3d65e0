/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reader of a file. The error in a document that is neither JSON nor YAML is the one of the
 * parser that got further: that language was probably meant.
 */
#include "reader.h"

#include "block_reader.h"
#include "documents.h"
#include "json_reader.h"
#include "yaml_reader.h"

static bool is_further(const struct diagnostic *a, const struct diagnostic *b)
{
    return a->line != b->line ? a->line > b->line : a->column > b->column;
}

/* The last diagnostic is the JSON parser's error. */
static int read_as_yaml(struct documents *documents, struct composer *composer)
{
    GPtrArray *diagnostics = composer_diagnostics(composer);
    struct diagnostic *error = g_ptr_array_steal_index(diagnostics, diagnostics->len - 1);
    int r;

    composer_retract(composer);
    r = yaml_reader_run(documents, composer);
    if (r == READER_BAD && !is_further(diagnostics->pdata[diagnostics->len - 1], error)) {
        g_ptr_array_set_size(diagnostics, (gint)diagnostics->len - 1);
        g_ptr_array_add(diagnostics, error);
    } else {
        diagnostic_free(error);
    }
    return r;
}

static int read_brace(struct documents *documents, struct composer *composer)
{
    int r;

    documents_mark(documents);
    r = json_reader_run(documents, composer);
    if (r == READER_NOT_JSON && documents_rewind(documents, 0))
        r = read_as_yaml(documents, composer);
    documents_unmark(documents);
    return r == READER_DONE ? READER_DONE : READER_BAD;
}

static int read_other(struct block_reader *block_reader, struct documents *documents,
                      struct composer *composer)
{
    int r = block_reader_run(block_reader, documents, composer);

    return r == READER_OTHER_STYLE ? yaml_reader_run(documents, composer) : r;
}

int reader_run(struct input *input, struct composer *composer)
{
    __attribute__((cleanup(documents_clear))) struct documents documents;
    struct block_reader *block_reader = block_reader_new();
    int r = READER_DONE;

    documents_init(&documents, input);
    while (r == READER_DONE) {
        enum document_start start = documents_next(&documents);

        if (start == DOCUMENT_NONE)
            break;
        r = start == DOCUMENT_BRACE ? read_brace(&documents, composer)
                                    : read_other(block_reader, &documents, composer);
    }
    block_reader_free(block_reader);
    return r;
}
