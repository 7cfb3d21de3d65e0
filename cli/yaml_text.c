/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing YAML with libyaml's emitter, which escapes what a terminal must not see. What is left to
 * us is to quote strings that would be read as something else.
 */
#include "yaml_text.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>
#include <yaml.h>

#include "json_text.h"
#include "text.h"

/* Plain scalars that YAML 1.1 or 1.2 read as booleans or null. */
static bool is_word_of_yaml(const char *text)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on",
                                        "off",  "null",  "y",   "n"};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}

static bool may_be_plain(const char *text)
{
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) == 1)
        return true;
    if (!g_ascii_isalpha(*text) && *text != '/')
        return false;
    for (const char *at = text; *at; at++)
        if (!g_ascii_isalnum(*at) && !strchr("._/- ", *at))
            return false;
    return !is_word_of_yaml(text) && text[strlen(text) - 1] != ' ';
}

static void emit(yaml_emitter_t *emitter, yaml_event_t *event, int made)
{
    if (!made || !yaml_emitter_emit(emitter, event))
        g_error("out of memory");
}

static void emit_scalar(yaml_emitter_t *emitter, const char *text, bool quoted)
{
    yaml_event_t event;
    yaml_scalar_style_t style = !quoted || may_be_plain(text) ? YAML_PLAIN_SCALAR_STYLE
                                : text_is_plain(text)         ? YAML_SINGLE_QUOTED_SCALAR_STYLE
                                                              : YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    emit(emitter, &event,
         yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
                                      (int)strlen(text), 1, 1, style));
}

static void emit_value(yaml_emitter_t *emitter, yajl_val value)
{
    yaml_event_t event;
    if (YAJL_IS_OBJECT(value)) {
        emit(emitter, &event,
             yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
        for (size_t i = 0; i < value->u.object.len; i++) {
            emit_scalar(emitter, value->u.object.keys[i], true);
            emit_value(emitter, value->u.object.values[i]);
        }
        emit(emitter, &event, yaml_mapping_end_event_initialize(&event));
    } else if (YAJL_IS_ARRAY(value)) {
        emit(
            emitter, &event,
            yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE));
        for (size_t i = 0; i < value->u.array.len; i++)
            emit_value(emitter, value->u.array.values[i]);
        emit(emitter, &event, yaml_sequence_end_event_initialize(&event));
    } else if (YAJL_IS_STRING(value)) {
        emit_scalar(emitter, YAJL_GET_STRING(value), true);
    } else { /* numbers, true, false and null are spelt as in JSON */
        g_autoptr(GString) text = g_string_new(NULL);
        json_text_append_line(text, value);
        emit_scalar(emitter, text->str, false);
    }
}

static int append(void *out, unsigned char *text, size_t size)
{
    g_string_append_len(out, (const char *)text, (gssize)size);
    return 1;
}

void yaml_text_append(GString *out, yajl_val value)
{
    yaml_emitter_t emitter;
    yaml_event_t event;
    if (!yaml_emitter_initialize(&emitter))
        g_error("out of memory");
    yaml_emitter_set_output(&emitter, append, out);
    yaml_emitter_set_width(&emitter, -1);
    emit(&emitter, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    emit(&emitter, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
    emit_value(&emitter, value);
    emit(&emitter, &event, yaml_document_end_event_initialize(&event, 1));
    emit(&emitter, &event, yaml_stream_end_event_initialize(&event));
    yaml_emitter_delete(&emitter);
}
