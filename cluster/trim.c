/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Trimming: a SAX parser whose events are passed on to a generator where the table of fields says
 * so. Beside the text, the few values that the follower itself needs are noted as they pass.
 */
#include "trim.h"

#include <string.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

#define KEY_MAX 64u /* longer keys are never needed */
#define LIST_OBJECT_DEPTH 3u
#define WATCH_OBJECT_DEPTH 2u

struct trim_frame {
    bool list, keep;
    const struct keep *fields; /* NULL: everything */
    char key[KEY_MAX];         /* of a map: the last one */
    bool next_keep;            /* of a map: what holds for the value of that key */
    const struct keep *next_fields;
};

enum note {
    NOTE_NAME,
    NOTE_NAMESPACE,
    NOTE_SERVICE,
    NOTE_VERSION,
    NOTE_REASON,
    NOTE_MESSAGE,
    N_NOTES
};

struct trim {
    const struct resource_type *type;
    bool watch;
    trim_handler handler;
    void *userdata;
    yajl_handle parser;
    yajl_gen generator;
    char *problem;
    struct trim_frame frames[TRIM_DEPTH_MAX];
    unsigned depth, object_depth; /* the latter 0 outside of an object */
    size_t object_bytes;
    enum trim_event event;
    GString *notes[N_NOTES];
    int64_t code;
    GString *list_version, *list_continue;
    bool items, ended;
};

static int trim_fail(struct trim *trim, const char *problem)
{
    if (!trim->problem)
        trim->problem = g_strdup(problem);
    return 0;
}

static const struct keep *keep_find(const struct keep *fields, const char *key)
{
    for (; fields->key; fields++) {
        if (strcmp(fields->key, key) == 0)
            return fields;
    }
    return NULL;
}

static struct trim_frame *trim_top(struct trim *trim)
{
    return trim->depth > 0 ? &trim->frames[trim->depth - 1] : NULL;
}

/* Is the coming value kept, and which part of it? */
static bool value_is_kept(struct trim *trim, const struct keep **fieldsp)
{
    const struct trim_frame *top = trim_top(trim);

    if (trim->object_depth == 0 || !top)
        return false;
    *fieldsp = top->list ? top->fields : top->next_fields;
    return top->list ? top->keep : top->next_keep;
}

/* Does the value that comes now lie at this path, of one or two keys, below frame `from`? */
static bool value_is_at(const struct trim *trim, unsigned from, const char *first,
                        const char *second)
{
    unsigned levels = second ? 2 : 1;

    return trim->depth == from + levels - 1 && strcmp(trim->frames[from - 1].key, first) == 0 &&
           (!second || strcmp(trim->frames[from].key, second) == 0) &&
           !trim->frames[trim->depth - 1].list;
}

static void take(GString *note, const unsigned char *text, size_t size)
{
    g_string_truncate(note, 0);
    if (!memchr(text, '\0', size))
        g_string_append_len(note, (const char *)text, (gssize)size);
}

static enum trim_event event_named(const unsigned char *text, size_t size)
{
    static const char *const names[] = {[TRIM_ADDED] = "ADDED",
                                        [TRIM_MODIFIED] = "MODIFIED",
                                        [TRIM_DELETED] = "DELETED",
                                        [TRIM_BOOKMARK] = "BOOKMARK",
                                        [TRIM_ERROR] = "ERROR"};

    for (enum trim_event event = TRIM_ADDED; event <= TRIM_ERROR; event++) {
        if (strlen(names[event]) == size && memcmp(names[event], text, size) == 0)
            return event;
    }
    return TRIM_UNKNOWN;
}

static void note_outside(struct trim *trim, const unsigned char *text, size_t size)
{
    if (trim->watch && value_is_at(trim, 1, "type", NULL))
        trim->event = event_named(text, size);
    else if (!trim->watch && value_is_at(trim, 1, "metadata", "resourceVersion"))
        take(trim->list_version, text, size);
    else if (!trim->watch && value_is_at(trim, 1, "metadata", "continue"))
        take(trim->list_continue, text, size);
}

static void note_inside(struct trim *trim, const unsigned char *text, size_t size)
{
    static const struct {
        const char *first, *second;
    } paths[N_NOTES] = {
        [NOTE_NAME] = {"metadata", "name"},
        [NOTE_NAMESPACE] = {"metadata", "namespace"},
        [NOTE_VERSION] = {"metadata", "resourceVersion"},
        [NOTE_REASON] = {"reason", NULL},
        [NOTE_MESSAGE] = {"message", NULL},
    };
    unsigned from = trim->object_depth;

    for (unsigned i = 0; i < N_NOTES; i++) {
        if (paths[i].first && value_is_at(trim, from, paths[i].first, paths[i].second)) {
            take(trim->notes[i], text, size);
            return;
        }
    }
    if (trim->depth == from + 2 && strcmp(trim->frames[from - 1].key, "metadata") == 0 &&
        strcmp(trim->frames[from].key, "labels") == 0 &&
        strcmp(trim->frames[from + 1].key, "kubernetes.io/service-name") == 0)
        take(trim->notes[NOTE_SERVICE], text, size);
}

static int on_string(void *userdata, const unsigned char *text, size_t size)
{
    struct trim *trim = userdata;
    const struct keep *fields;

    if (trim->depth == 0)
        return trim_fail(trim, "not a JSON object");
    if (trim->object_depth == 0)
        note_outside(trim, text, size);
    else
        note_inside(trim, text, size);
    if (value_is_kept(trim, &fields))
        (void)yajl_gen_string(trim->generator, text, size);
    return 1;
}

static int on_number(void *userdata, const char *text, size_t size)
{
    struct trim *trim = userdata;
    const struct keep *fields;

    if (trim->depth == 0)
        return trim_fail(trim, "not a JSON object");
    if (trim->object_depth > 0 && value_is_at(trim, trim->object_depth, "code", NULL)) {
        g_autofree char *copy = g_strndup(text, size);

        trim->code = g_ascii_strtoll(copy, NULL, 10);
    }
    if (value_is_kept(trim, &fields))
        (void)yajl_gen_number(trim->generator, text, size);
    return 1;
}

static int on_boolean(void *userdata, int value)
{
    struct trim *trim = userdata;
    const struct keep *fields;

    if (trim->depth == 0)
        return trim_fail(trim, "not a JSON object");
    if (value_is_kept(trim, &fields))
        (void)yajl_gen_bool(trim->generator, value);
    return 1;
}

static int on_null(void *userdata)
{
    struct trim *trim = userdata;
    const struct keep *fields;

    if (value_is_kept(trim, &fields))
        (void)yajl_gen_null(trim->generator);
    return 1;
}

static int on_key(void *userdata, const unsigned char *text, size_t size)
{
    struct trim *trim = userdata;
    struct trim_frame *top = trim_top(trim);
    const struct keep *found;

    top->key[0] = '\0';
    if (size < KEY_MAX && !memchr(text, '\0', size)) {
        memcpy(top->key, text, size);
        top->key[size] = '\0';
    }
    top->next_keep = false;
    if (!top->keep)
        return 1;
    top->next_fields = NULL;
    if (top->fields) {
        found = keep_find(top->fields, top->key);
        if (!found)
            return 1;
        top->next_fields = found->inner;
    }
    top->next_keep = true;
    (void)yajl_gen_string(trim->generator, text, size);
    return 1;
}

/* Does an object begin with the map that begins now? */
static bool object_begins(const struct trim *trim)
{
    if (trim->object_depth > 0)
        return false;
    if (trim->watch)
        return value_is_at(trim, 1, "object", NULL);
    return trim->depth == LIST_OBJECT_DEPTH - 1 && trim->frames[1].list &&
           strcmp(trim->frames[0].key, "items") == 0;
}

static void object_begin(struct trim *trim)
{
    trim->object_depth = trim->depth + 1;
    for (unsigned i = 0; i < N_NOTES; i++)
        g_string_truncate(trim->notes[i], 0);
    trim->code = 0;
    yajl_gen_clear(trim->generator);
    yajl_gen_reset(trim->generator, NULL);
}

static void generate_text(yajl_gen generator, const char *text)
{
    (void)yajl_gen_string(generator, (const unsigned char *)text, strlen(text));
}

static int begin(struct trim *trim, bool list)
{
    bool object = !list && object_begins(trim);
    struct trim_frame frame = {.list = list};

    if (trim->depth == 0 && list)
        return trim_fail(trim, "not a JSON object");
    if (trim->depth == TRIM_DEPTH_MAX)
        return trim_fail(trim, "nested too deeply");
    if (!trim->watch && list && value_is_at(trim, 1, "items", NULL))
        trim->items = true;
    if (object) {
        object_begin(trim);
        frame.keep = true;
        frame.fields = trim->type->fields;
    } else {
        frame.keep = value_is_kept(trim, &frame.fields);
    }
    trim->frames[trim->depth++] = frame;
    if (!frame.keep)
        return 1;
    if (list)
        (void)yajl_gen_array_open(trim->generator);
    else
        (void)yajl_gen_map_open(trim->generator);
    if (object) {
        generate_text(trim->generator, "apiVersion");
        generate_text(trim->generator, trim->type->api_version);
        generate_text(trim->generator, "kind");
        generate_text(trim->generator, trim->type->kind);
    }
    return 1;
}

static int on_map(void *userdata)
{
    return begin(userdata, false);
}

static int on_list(void *userdata)
{
    return begin(userdata, true);
}

static void hand_over(struct trim *trim)
{
    const unsigned char *text = NULL;
    struct trim_object object = {
        .event = trim->event,
        .name = trim->notes[NOTE_NAME]->str,
        .ns = trim->notes[NOTE_NAMESPACE]->str,
        .service = trim->notes[NOTE_SERVICE]->str,
        .resource_version = trim->notes[NOTE_VERSION]->str,
        .reason = trim->notes[NOTE_REASON]->str,
        .message = trim->notes[NOTE_MESSAGE]->str,
        .code = trim->code,
    };

    (void)yajl_gen_get_buf(trim->generator, &text, &object.length);
    object.text = (const char *)text;
    trim->handler(trim->userdata, &object);
}

static int end(struct trim *trim)
{
    struct trim_frame *top = trim_top(trim);

    if (top->keep && top->list)
        (void)yajl_gen_array_close(trim->generator);
    else if (top->keep)
        (void)yajl_gen_map_close(trim->generator);
    /* The type of an event may follow the object, so the event is reported at its end. */
    if (trim->depth == trim->object_depth && !trim->watch) {
        trim->object_depth = 0;
        trim->object_bytes = 0;
        hand_over(trim);
    } else if (trim->depth == trim->object_depth) {
        trim->object_depth = 0;
    } else if (trim->depth == 1 && trim->watch) {
        trim->object_bytes = 0;
        hand_over(trim);
        trim->event = TRIM_UNKNOWN;
    } else if (trim->depth == 1) {
        trim->ended = true;
    }
    trim->depth--;
    return 1;
}

static int on_end(void *userdata)
{
    return end(userdata);
}

struct trim *trim_new(const struct resource_type *type, bool watch, trim_handler handler,
                      void *userdata)
{
    static const yajl_callbacks callbacks = {
        .yajl_null = on_null,
        .yajl_boolean = on_boolean,
        .yajl_number = on_number,
        .yajl_string = on_string,
        .yajl_start_map = on_map,
        .yajl_map_key = on_key,
        .yajl_end_map = on_end,
        .yajl_start_array = on_list,
        .yajl_end_array = on_end,
    };
    struct trim *trim = g_new0(struct trim, 1);

    trim->type = type;
    trim->watch = watch;
    trim->handler = handler;
    trim->userdata = userdata;
    trim->event = watch ? TRIM_UNKNOWN : TRIM_LISTED;
    trim->parser = yajl_alloc(&callbacks, NULL, trim);
    trim->generator = yajl_gen_alloc(NULL);
    if (!trim->parser || !trim->generator)
        g_error("out of memory");
    (void)yajl_config(trim->parser, yajl_allow_multiple_values, watch ? 1 : 0);
    for (unsigned i = 0; i < N_NOTES; i++)
        trim->notes[i] = g_string_new(NULL);
    trim->list_version = g_string_new(NULL);
    trim->list_continue = g_string_new(NULL);
    return trim;
}

struct trim *trim_free(struct trim *trim)
{
    if (!trim)
        return NULL;
    yajl_free(trim->parser);
    yajl_gen_free(trim->generator);
    for (unsigned i = 0; i < N_NOTES; i++)
        g_string_free(trim->notes[i], TRUE);
    g_string_free(trim->list_version, TRUE);
    g_string_free(trim->list_continue, TRUE);
    g_free(trim->problem);
    g_free(trim);
    return NULL;
}

bool trim_feed(struct trim *trim, const char *bytes, size_t size)
{
    if (trim->problem)
        return false;
    trim->object_bytes += size;
    if (yajl_parse(trim->parser, (const unsigned char *)bytes, size) != yajl_status_ok)
        (void)trim_fail(trim, "not JSON");
    else if (trim->object_bytes > TRIM_OBJECT_MAX)
        (void)trim_fail(trim, "an object is larger than 32 MiB");
    return !trim->problem;
}

const char *trim_problem(const struct trim *trim)
{
    return trim->problem;
}

bool trim_is_complete(const struct trim *trim)
{
    return trim->ended && trim->items && !trim->problem && trim->list_version->len > 0;
}

const char *trim_list_version(const struct trim *trim)
{
    return trim->list_version->str;
}

const char *trim_list_continue(const struct trim *trim)
{
    return trim->list_continue->str;
}
