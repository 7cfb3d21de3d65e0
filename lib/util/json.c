/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An empty list or object is opened only when something is put into it: the generator would write
 * it on three lines.
 */
#include "json.h"

#include <glib.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <yajl/yajl_gen.h>

#include "diagnostic.h"

struct json {
    yajl_gen gen;
    void (*print)(void *userdata, const char *text, size_t size);
    void *userdata;
    const char *opened; /* "{}" or "[]": is open, and nothing is in it yet; else NULL */
};

static void on_print(void *userdata, const char *text, size_t size)
{
    const struct json *json = userdata;

    json->print(json->userdata, text, size);
}

struct json *json_new(bool indented, void (*print)(void *userdata, const char *text, size_t size),
                      void *userdata)
{
    struct json *json = g_new(struct json, 1);

    *json = (struct json){.gen = yajl_gen_alloc(NULL), .print = print, .userdata = userdata};
    (void)yajl_gen_config(json->gen, yajl_gen_beautify, (int)indented);
    (void)yajl_gen_config(json->gen, yajl_gen_print_callback, on_print, json);
    return json;
}

void json_to_string(void *string, const char *text, size_t size)
{
    g_string_append_len(string, text, (gssize)size);
}

struct json *json_free(struct json *json)
{
    if (!json)
        return NULL;
    yajl_gen_free(json->gen);
    g_free(json);
    return NULL;
}

static void put(struct json *json, const char *text)
{
    size_t length = strlen(text);
    g_autofree char *valid = NULL;

    /* The path of a file may be anything. */
    if (!g_utf8_validate(text, (gssize)length, NULL)) {
        valid = g_utf8_make_valid(text, (gssize)length);
        text = valid;
        length = strlen(text);
    }
    (void)yajl_gen_string(json->gen, (const unsigned char *)text, length);
}

/* A value follows. */
static void begin(struct json *json, const char *key)
{
    if (json->opened && *json->opened == '{')
        (void)yajl_gen_map_open(json->gen);
    else if (json->opened)
        (void)yajl_gen_array_open(json->gen);
    json->opened = NULL;
    if (key)
        put(json, key);
}

/* False: what is closed was empty, and is written. */
static bool end(struct json *json)
{
    const char *empty = json->opened;

    json->opened = NULL;
    if (empty)
        (void)yajl_gen_number(json->gen, empty, strlen(empty));
    return !empty;
}

void json_open(struct json *json, const char *key)
{
    begin(json, key);
    json->opened = "{}";
}

void json_close(struct json *json)
{
    if (end(json))
        (void)yajl_gen_map_close(json->gen);
}

void json_open_list(struct json *json, const char *key)
{
    begin(json, key);
    json->opened = "[]";
}

void json_close_list(struct json *json)
{
    if (end(json))
        (void)yajl_gen_array_close(json->gen);
}

void json_text(struct json *json, const char *key, const char *text)
{
    if (!text)
        return;
    begin(json, key);
    put(json, text);
}

void json_format(struct json *json, const char *key, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    json_text(json, key, text);
}

void json_diagnostic(struct json *json, const char *path, const struct diagnostic *diagnostic)
{
    json_text(json, "file", path);
    if (diagnostic->line > 0) {
        json_number(json, "line", diagnostic->line);
        json_number(json, "column", diagnostic->column);
    }
    json_text(json, "severity", diagnostic->severity == DIAGNOSTIC_ERROR ? "error" : "warning");
    json_text(json, "object", diagnostic->object);
    json_text(json, "message", diagnostic->message);
    json_text(json, "rule", diagnostic->rule);
}

void json_raw(struct json *json, const char *key, const char *text)
{
    begin(json, key);
    (void)yajl_gen_number(json->gen, text, strlen(text));
}

void json_number(struct json *json, const char *key, uint64_t number)
{
    char text[21];

    (void)g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, number);
    json_raw(json, key, text);
}

void json_bool(struct json *json, const char *key, bool value)
{
    begin(json, key);
    (void)yajl_gen_bool(json->gen, value);
}

void json_time(struct json *json, const char *key, uint64_t realtime)
{
    time_t seconds = (time_t)(realtime / G_USEC_PER_SEC);
    struct tm parts;
    char text[sizeof "2026-01-02T03:04:05Z" + 16];

    if (realtime == 0 || !gmtime_r(&seconds, &parts) ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        return;
    json_text(json, key, text);
}

void json_close_line(struct json *json)
{
    json_close(json);
    yajl_gen_reset(json->gen, "\n");
}
