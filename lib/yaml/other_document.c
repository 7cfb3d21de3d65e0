/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Only what is directly in an element counts, so the key that waits for its value is all that must
 * be kept.
 */
#include "other_document.h"

#include <string.h>

#define ELEMENT 1u /* the depth of what an element is in */
#define INSIDE 2u

#define KEY_VERSION 1u
#define KEY_KIND 2u

static uint8_t key_of(const char *text, size_t length)
{
    if (!text)
        return 0;
    if (length == strlen("apiVersion") && memcmp(text, "apiVersion", length) == 0)
        return KEY_VERSION;
    return length == strlen("kind") && memcmp(text, "kind", length) == 0 ? KEY_KIND : 0;
}

void other_document_begin(struct other_document *document, unsigned depth, bool is_map)
{
    if (depth == ELEMENT) {
        document->in_map = is_map;
        document->expects_key = true;
        document->seen = 0;
    } else if (depth == INSIDE) { /* no scalar: neither of the keys, nor the value of one */
        document->expects_key = !document->expects_key;
        document->key = 0;
    }
}

bool other_document_scalar(struct other_document *document, unsigned depth, const char *text,
                           size_t length)
{
    if (depth != INSIDE || !document->in_map)
        return true;
    if (document->expects_key)
        document->key = key_of(text, length);
    else if (!text || length > 0)
        document->seen |= document->key;
    document->expects_key = !document->expects_key;
    document->has_object |= document->seen == (KEY_VERSION | KEY_KIND);
    return true;
}
