/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A letter for the kind of record, then what it is about, in lower case.
 */
#include "record_key.h"

#include <glib.h>
#include <string.h>

static bool key_add(struct record_key *key, const char *text)
{
    size_t length = strlen(text);

    if (length > sizeof key->bytes - key->length)
        return false;
    for (size_t i = 0; i < length; i++)
        key->bytes[key->length++] = (uint8_t)g_ascii_tolower(text[i]);
    return true;
}

static void key_begin(struct record_key *key, char type)
{
    key->bytes[0] = (uint8_t)type;
    key->length = 1;
}

void record_key_settings(struct record_key *key)
{
    key_begin(key, 'c');
}

void record_key_address(struct record_key *key, const struct address *address)
{
    key_begin(key, 'a');
    memcpy(key->bytes + key->length, address->bytes, sizeof address->bytes);
    key->length += sizeof address->bytes;
}

bool record_key_namespace(struct record_key *key, const char *ns)
{
    key_begin(key, 'n');
    return key_add(key, ns);
}

bool record_key_service(struct record_key *key, const char *service, const char *ns)
{
    key_begin(key, 's');
    return key_add(key, service) && key_add(key, ".") && key_add(key, ns);
}
