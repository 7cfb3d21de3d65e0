/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What nameservers say to whom they are asked by: is it an answer, what records are in it, and what
 * are the names in those. Nothing is read beyond its end, and whatever is taken for an answer has
 * the id.
 *
 *   1 byte    the size of the message that was asked, in units of 2 bytes
 *   the rest  that message, then the answer
 */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "cli/dns_query.h"
#include "lib/util/dns_exchange.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_record(void *userdata, const uint8_t *message, size_t size,
                      const struct dns_record *record)
{
    char text[DNS_TEXT_MAX];

    (void)userdata;
    if (record->size > size || record->data < message ||
        record->data + record->size > message + size)
        abort();
    if (dns_query_name(message, size, record->data, text) && strlen(text) >= sizeof text)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t asked_size = size > 0 ? MIN(data[0] * 2u, size - 1) : 0, inspect_query_size;

    if (size < 1)
        return 0;
    /* Memory of exactly their sizes. */
    g_autofree uint8_t *asked = g_memdup2(data + 1, asked_size);
    g_autofree uint8_t *answer = g_memdup2(data + 1 + asked_size, size - 1 - asked_size);
    size -= 1 + asked_size;
    inspect_query_size = dns_question_size(asked, asked_size);
    if (inspect_query_size > asked_size)
        abort();
    if (inspect_query_size > 0 && dns_is_answer(asked, inspect_query_size, answer, size) &&
        memcmp(asked, answer, 2) != 0)
        abort();
    if (size >= 12)
        (void)dns_query_records(answer, size, on_record, NULL);
    return 0;
}
