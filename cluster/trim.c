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

/* A map or a list that has begun. What holds for a list holds for its elements. */
struct trim_frame {
    bool list, keep;
    const struct keep *fields; /* NULL: everything */
    char key[KEY_MAX];         /* of a map: the last one */
    bool next_keep;            /* what holds for the next value */
    const struct keep *next_fields;
};

/* What is noted of an object, and of a list itself. */
enum note {
    NOTE_NAME,
    NOTE_NAMESPACE,
    NOTE_VERSION,
    NOTE_SERVICE,
    NOTE_REASON,
    NOTE_LIST_VERSION,
    NOTE_LIST_CONTINUE,
    N_NOTES
};

#define PATH_KEYS 3u
#define PATH(...) ((const char *const[PATH_KEYS]){__VA_ARGS__})

static const char *const note_paths[N_NOTES][PATH_KEYS] = {
    [NOTE_NAME] = {"metadata", "name"},
    [NOTE_NAMESPACE] = {"metadata", "namespace"},
    [NOTE_VERSION] = {"metadata", "resourceVersion"},
    [NOTE_SERVICE] = {"metadata", "labels", "kubernetes.io/service-name"},
    [NOTE_REASON] = {"reason"},
    [NOTE_LIST_VERSION] = {"metadata", "resourceVersion"},
    [NOTE_LIST_CONTINUE] = {"metadata", "continue"},
};

struct trim {
    const struct resource_type *type;
    bool watch;
    trim_handler handler;
    void *userdata;
    yajl_handle parser;
    yajl_gen generator;
    const char *problem;                          /* static; NULL: none */
    struct trim_frame frames[1 + TRIM_DEPTH_MAX]; /* the first is around the whole */
    unsigned depth, object_depth;                 /* the latter 0 outside of an object */
    size_t object_bytes;
    enum trim_event event;
    GString *notes[N_NOTES];
    int64_t code;
    bool items, ended;
};

/* Returns what makes the parser stop. */
static int trim_fail(struct trim *trim, const char *problem)
{
    if (!trim->problem)
        trim->problem = problem;
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
    return &trim->frames[trim->depth];
}

/* Is a string, number or boolean kept that comes now? It cannot be the whole. */
static bool scalar_is_kept(struct trim *trim)
{
    if (trim->depth == 0)
        (void)trim_fail(trim, "not a JSON object");
    return trim_top(trim)->next_keep;
}

/* Does the value that comes now lie at this path below frame `from`? */
static bool value_is_at(const struct trim *trim, unsigned from,
                        const char *const path[static PATH_KEYS])
{
    unsigned at = from;

    for (unsigned i = 0; i < PATH_KEYS && path[i]; i++, at++) {
        if (at > trim->depth || strcmp(trim->frames[at].key, path[i]) != 0)
            return false;
    }
    return trim->depth == at - 1 && !trim->frames[trim->depth].list;
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

static void note(struct trim *trim, const unsigned char *text, size_t size)
{
    bool inside = trim->object_depth > 0;
    unsigned first = inside ? 0 : NOTE_LIST_VERSION, end = inside ? NOTE_LIST_VERSION : N_NOTES;

    if (trim->watch && !inside) {
        if (value_is_at(trim, 1, PATH("type")))
            trim->event = event_named(text, size);
        return;
    }
    for (unsigned i = first; i < end; i++) {
        if (value_is_at(trim, MAX(trim->object_depth, 1), note_paths[i]))
            take(trim->notes[i], text, size);
    }
}

static int on_string(void *userdata, const unsigned char *text, size_t size)
{
    struct trim *trim = userdata;

    note(trim, text, size);
    if (scalar_is_kept(trim))
        (void)yajl_gen_string(trim->generator, text, size);
    return 1;
}

static int on_number(void *userdata, const char *text, size_t size)
{
    struct trim *trim = userdata;

    if (trim->object_depth > 0 && value_is_at(trim, trim->object_depth, PATH("code"))) {
        g_autofree char *copy = g_strndup(text, size);

        trim->code = g_ascii_strtoll(copy, NULL, 10);
    }
    if (scalar_is_kept(trim))
        (void)yajl_gen_number(trim->generator, text, size);
    return 1;
}

static int on_boolean(void *userdata, int value)
{
    struct trim *trim = userdata;

    if (scalar_is_kept(trim))
        (void)yajl_gen_bool(trim->generator, value);
    return 1;
}

static int on_null(void *userdata)
{
    struct trim *trim = userdata;

    if (scalar_is_kept(trim))
        (void)yajl_gen_null(trim->generator);
    return 1;
}

static int on_key(void *userdata, const unsigned char *text, size_t size)
{
    struct trim *trim = userdata;
    struct trim_frame *top = trim_top(trim);

    top->key[0] = '\0';
    if (size < KEY_MAX && !memchr(text, '\0', size)) {
        memcpy(top->key, text, size);
        top->key[size] = '\0';
    }
    top->next_keep = top->keep;
    if (top->keep && top->fields) {
        const struct keep *found = keep_find(top->fields, top->key);

        top->next_keep = found;
        top->next_fields = found ? found->inner : NULL;
    }
    if (top->next_keep)
        (void)yajl_gen_string(trim->generator, text, size);
    return 1;
}

/* Does an object begin with the map that begins now? */
static bool object_begins(const struct trim *trim)
{
    if (trim->object_depth > 0)
        return false;
    if (trim->watch)
        return value_is_at(trim, 1, PATH("object"));
    return trim->depth == 2 && trim->frames[2].list && strcmp(trim->frames[1].key, "items") == 0;
}

static void generate_text(yajl_gen generator, const char *text)
{
    (void)yajl_gen_string(generator, (const unsigned char *)text, strlen(text));
}

static void forget_object(struct trim *trim)
{
    for (unsigned i = 0; i < NOTE_LIST_VERSION; i++)
        g_string_truncate(trim->notes[i], 0);
    trim->code = 0;
}

static void object_begin(struct trim *trim)
{
    trim->object_depth = trim->depth;
    forget_object(trim);
    yajl_gen_clear(trim->generator);
    yajl_gen_reset(trim->generator, NULL);
    (void)yajl_gen_map_open(trim->generator);
    generate_text(trim->generator, "apiVersion");
    generate_text(trim->generator, trim->type->api_version);
    generate_text(trim->generator, "kind");
    generate_text(trim->generator, trim->type->kind);
}

static int begin(struct trim *trim, bool list)
{
    const struct trim_frame *top = trim_top(trim);
    bool object = !list && object_begins(trim), keep = object || top->next_keep;
    const struct keep *fields = object ? trim->type->fields : top->next_fields;

    if (trim->depth == 0 && list)
        return trim_fail(trim, "not a JSON object");
    if (trim->depth == TRIM_DEPTH_MAX)
        return trim_fail(trim, "nested too deeply");
    if (!trim->watch && list && value_is_at(trim, 1, PATH("items")))
        trim->items = true;
    trim->frames[++trim->depth] = (struct trim_frame){list, keep, fields, "", keep, fields};
    if (object)
        object_begin(trim);
    else if (keep && list)
        (void)yajl_gen_array_open(trim->generator);
    else if (keep)
        (void)yajl_gen_map_open(trim->generator);
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
        .code = trim->code,
    };

    (void)yajl_gen_get_buf(trim->generator, &text, &object.length);
    object.text = (const char *)text;
    trim->handler(trim->userdata, &object);
    trim->object_bytes = 0;
    forget_object(trim); /* an event without an object is not one of this */
}

static int on_end(void *userdata)
{
    struct trim *trim = userdata;
    const struct trim_frame *top = trim_top(trim);
    bool object_ends = trim->depth == trim->object_depth, whole_ends = trim->depth == 1;

    if (top->keep && top->list)
        (void)yajl_gen_array_close(trim->generator);
    else if (top->keep)
        (void)yajl_gen_map_close(trim->generator);
    if (object_ends)
        trim->object_depth = 0;
    /* The type of an event may follow the object, so the event is reported at its end. */
    if (trim->watch ? whole_ends : object_ends)
        hand_over(trim);
    if (trim->watch && whole_ends)
        trim->event = TRIM_UNKNOWN;
    trim->ended = whole_ends;
    trim->depth--;
    return 1;
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
    return trim->ended && trim->items && !trim->problem && trim->notes[NOTE_LIST_VERSION]->len > 0;
}

const char *trim_list_version(const struct trim *trim)
{
    return trim->notes[NOTE_LIST_VERSION]->str;
}

const char *trim_list_continue(const struct trim *trim)
{
    return trim->notes[NOTE_LIST_CONTINUE]->str;
}
