/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * yajl's generator lets DEL, C1 controls and characters that turn the direction of writing through;
 * here they are escaped in what it has written, which is the same JSON.
 */
#include "json_text.h"

#include "lib/util/escape.h"

#define INDENT "    "

static void append_unit(GString *out, gunichar unit)
{
    g_string_append_printf(out, "\\u%04X", unit);
}

/* Newlines are between values: those in strings are escaped already. */
void json_text_to_string(void *string, const char *text, size_t size)
{
    GString *out = string;
    for (const char *end = text + size; text < end; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);
        if (c == '\n' || !escape_is_harmful(c)) {
            g_string_append_unichar(out, c);
        } else if (c < 0x10000) {
            append_unit(out, c);
        } else {
            append_unit(out, 0xd800 + ((c - 0x10000) >> 10));
            append_unit(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
        }
    }
}

static void print_harmless(void *file, const char *text, size_t size)
{
    g_autoptr(GString) out = g_string_sized_new(size);
    json_text_to_string(out, text, size);
    fwrite(out->str, 1, out->len, file);
}

struct json *json_text_new(FILE *file, bool indented)
{
    return json_new(indented, print_harmless, file);
}

void json_members(struct json *json, yajl_val object)
{
    for (size_t i = 0; YAJL_IS_OBJECT(object) && i < object->u.object.len; i++)
        json_value(json, object->u.object.keys[i], object->u.object.values[i]);
}

void json_value(struct json *json, const char *key, yajl_val value)
{
    if (YAJL_IS_OBJECT(value)) {
        json_open(json, key);
        json_members(json, value);
        json_close(json);
    } else if (YAJL_IS_ARRAY(value)) {
        json_open_list(json, key);
        for (size_t i = 0; i < value->u.array.len; i++)
            json_value(json, NULL, value->u.array.values[i]);
        json_close_list(json);
    } else if (YAJL_IS_STRING(value)) {
        json_text(json, key, YAJL_GET_STRING(value));
    } else {
        json_raw(json, key,
                 YAJL_IS_NUMBER(value)  ? YAJL_GET_NUMBER(value)
                 : YAJL_IS_TRUE(value)  ? "true"
                 : YAJL_IS_FALSE(value) ? "false"
                                        : "null");
    }
}

void json_open_items(struct json *json)
{
    json_open(json, NULL);
    json_open_list(json, "items");
}

void json_close_items(struct json *json)
{
    json_close_list(json);
    json_text(json, "kind", "List");
    json_close(json);
}

void json_write_items(struct json *json, const GPtrArray *items)
{
    json_open_items(json);
    for (guint i = 0; i < items->len; i++)
        json_raw(json, NULL, items->pdata[i]);
    json_close_items(json);
    json_free(json);
}

void json_text_append_line(GString *out, yajl_val value)
{
    struct json *json = json_new(false, json_text_to_string, out);
    json_value(json, NULL, value);
    json_free(json);
}

void json_text_append(GString *out, yajl_val value, unsigned indent)
{
    g_autoptr(GString) text = g_string_new(NULL);
    struct json *json = json_new(true, json_text_to_string, text);
    json_value(json, NULL, value);
    json_free(json);
    g_string_truncate(text, text->len - 1); /* the newline behind it */
    for (const char *at = text->str; *at; at++) {
        g_string_append_c(out, *at);
        for (unsigned i = 0; *at == '\n' && i < indent; i++)
            g_string_append(out, INDENT);
    }
}
