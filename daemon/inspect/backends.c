/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Backends. Keeps the line last sent for each Service; after a publish the lines of Services that
 * may have changed are rebuilt, and only changed lines are sent. A new follower receives the
 * kept lines, so that all of them are in the same state at any time.
 */
#include "backends.h"

#include <string.h>

#include "backend_line.h"
#include "copies.h"
#include "lib/forward/forward.h"
#include "lib/util/log.h"

struct backends {
    GHashTable *lines; /* "namespace/name", "" for the ranges -> struct backend_line; NULL: no
                          program follows */
    GHashTable *noted; /* "namespace/name": may have changed since the last publish */
    bool all;          /* any may have changed, and nothing was sent yet */
    GHashTable *over;  /* "namespace/name": without room */
    uint32_t used;     /* of BACKENDS_MAX */
    bool has_room;     /* more than when the last of them was without */
    backends_told told;
    void *userdata;
};

struct backends *backends_new(backends_told told, void *userdata)
{
    struct backends *backends = g_new0(struct backends, 1);

    backends->noted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    backends->over = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    backends->told = told;
    backends->userdata = userdata;
    return backends;
}

struct backends *backends_free(struct backends *backends)
{
    if (!backends)
        return NULL;
    g_clear_pointer(&backends->lines, g_hash_table_unref);
    g_hash_table_unref(backends->noted);
    g_hash_table_unref(backends->over);
    g_free(backends);
    return NULL;
}

void backends_note(struct backends *backends, const char *ns, const char *name)
{
    if (backends->lines && !backends->all)
        g_hash_table_add(backends->noted, g_strdup_printf("%s/%s", ns, name));
}

bool backends_is_forwarded(const struct inspect_context *context, const struct service_state *state,
                           const struct service_view *view)
{
    bool any = false;

    for (guint i = 0; i < view->addresses->len; i++)
        any |= !forward_is_special(&g_array_index(view->addresses, struct address, i));
    if (!any || view->origin != SERVICE_ADDRESS_STATED)
        return any && view->origin == SERVICE_ADDRESS_ALLOCATED;
    return context->config->proxy_all && !copies_is_part(state->object->object.source->path);
}

/* --- Lines --- */

static struct backend_line *ranges_line(const struct inspect_context *context)
{
    struct backend_line *line = g_new0(struct backend_line, 1);
    GString *text = g_string_new(NULL);
    struct json *json = json_new(false, json_to_string, text);

    json_open(json, NULL);
    json_text(json, "event", "ranges");
    json_ranges(json, "serviceCIDRs", context->config->service_cidrs);
    json_close_line(json);
    json_free(json);
    line->text = g_string_free(text, FALSE);
    return line;
}

static char *marked_line(const char *event, const char *ns, const char *name)
{
    GString *line = g_string_new(NULL);
    struct json *json = json_new(false, json_to_string, line);

    json_open(json, NULL);
    json_text(json, "event", event);
    json_text(json, "namespace", ns);
    json_text(json, "name", name);
    json_close_line(json);
    json_free(json);
    return g_string_free(line, FALSE);
}

/* --- What differs --- */

struct round {
    struct backends *backends;
    const struct inspect_context *context;
    GString *changed, *removed;
};

static void account(struct backends *backends, const char *key, const struct backend_line *before,
                    const struct backend_line *line)
{
    bool over = line && line->over_limit;

    if (over && g_hash_table_size(backends->over) == 0)
        log_error("Service %s: all Services together have more than %u ports and endpoints of "
                  "them; connections to this one, and to others like it, are refused until there "
                  "is room",
                  key, BACKENDS_MAX);
    if (over)
        g_hash_table_add(backends->over, g_strdup(key));
    else
        g_hash_table_remove(backends->over, key);
    backends->has_room |= before && (!line || line->size < before->size);
    backends->used = backends->used - (before ? before->size : 0) + (line ? line->size : 0);
}

/* Takes ownership of `key` and `line`; `line` NULL: none. */
static void compare(struct round *round, char *key, struct backend_line *line)
{
    GHashTable *lines = round->backends->lines;
    const struct backend_line *before = g_hash_table_lookup(lines, key);

    account(round->backends, key, before, line);
    if (g_strcmp0(before ? before->text : NULL, line ? line->text : NULL) == 0) {
        g_free(key);
        backend_line_free(line);
        return;
    }
    if (line) {
        g_string_append(round->changed, line->text);
        g_hash_table_replace(lines, key, line);
        return;
    }
    const char *slash = strchr(key, '/');
    g_autofree char *ns = g_strndup(key, (gsize)(slash - key));
    g_autofree char *removed = marked_line("removed", ns, slash + 1);
    g_string_append(round->removed, removed);
    g_hash_table_remove(lines, key);
    g_free(key);
}

static void compare_noted(struct round *round, const char *key)
{
    const char *slash = strchr(key, '/');
    g_autofree char *name = g_strndup(key, (gsize)(slash - key));
    const struct ns *ns = cluster_read_namespace(round->context->cluster, name);
    const struct service_state *state = ns ? cluster_read_service(ns, slash + 1) : NULL;
    const struct backend_line *before = g_hash_table_lookup(round->backends->lines, key);
    uint32_t others = round->backends->used - (before ? before->size : 0);

    compare(round, g_strdup(key),
            state ? backend_line_new(round->context, state, BACKENDS_MAX - others) : NULL);
}

static void note_service(void *userdata, const struct service_state *state)
{
    backends_note(userdata, state->object->object.ns, state->object->object.name);
}

static void note_namespace(void *userdata, const struct ns *ns)
{
    cluster_read_services(ns, note_service, userdata);
}

/* Those there are, and those that there were. */
static void note_all(struct backends *backends, const struct inspect_context *context)
{
    GHashTableIter iter;
    void *key;

    backends->all = false;
    cluster_read_namespaces(context->cluster, note_namespace, backends);
    g_hash_table_iter_init(&iter, backends->lines);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        if (*(const char *)key)
            g_hash_table_add(backends->noted, g_strdup(key));
}

/* Those that were over the limit, when others have become smaller. */
static void note_over_limit(struct backends *backends)
{
    GHashTableIter iter;
    void *key;

    backends->has_room = false;
    g_hash_table_iter_init(&iter, backends->over);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_hash_table_add(backends->noted, g_strdup(key));
}

static void compare_all_noted(struct round *round)
{
    struct backends *backends = round->backends;
    GHashTableIter iter;
    void *key;

    g_hash_table_iter_init(&iter, backends->noted);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        compare_noted(round, key);
    g_hash_table_remove_all(backends->noted);
}

/* The lines since the last round, free with g_free; NULL: none. */
static char *go_round(struct backends *backends, const struct inspect_context *context)
{
    struct round round = {backends, context, g_string_new(NULL), g_string_new(NULL)};

    compare(&round, g_strdup(""), ranges_line(context));
    if (backends->all)
        note_all(backends, context);
    compare_all_noted(&round);
    if (backends->has_room) {
        note_over_limit(backends);
        compare_all_noted(&round);
    }
    g_string_append(round.changed, round.removed->str);
    g_string_free(round.removed, TRUE);
    if (round.changed->len == 0) {
        g_string_free(round.changed, TRUE);
        return NULL;
    }
    g_autofree char *end = marked_line("end", NULL, NULL);
    g_string_append(round.changed, end);
    return g_string_free(round.changed, FALSE);
}

void backends_published(struct backends *backends, const struct inspect_context *context)
{
    char *lines = backends->lines ? go_round(backends, context) : NULL;

    if (lines)
        backends->told(backends->userdata, lines);
}

void backends_reconfigure(struct backends *backends)
{
    backends->all = backends->lines != NULL;
}

/* --- Followers --- */

void backends_follow(struct backends *backends, const struct report *report)
{
    const struct inspect_context *context = report->context;
    g_autofree char *end = marked_line("end", NULL, NULL);
    GHashTableIter iter;
    void *value;

    if (!backends->lines) {
        backends->lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, backend_line_free);
        backends->all = true;
    }
    if (g_hash_table_size(backends->lines) == 0 && context->loaded && !context->at_work)
        g_free(go_round(backends, context));
    if (g_hash_table_size(backends->lines) == 0)
        return;
    g_hash_table_iter_init(&iter, backends->lines);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct backend_line *line = value;

        frame_writer_write(&report->job->frames, line->text, strlen(line->text));
    }
    frame_writer_write(&report->job->frames, end, strlen(end));
}

void backends_rest(struct backends *backends)
{
    g_clear_pointer(&backends->lines, g_hash_table_unref);
    g_hash_table_remove_all(backends->noted);
    g_hash_table_remove_all(backends->over);
    backends->all = false;
    backends->used = 0;
}

unsigned backends_over_limit(const struct backends *backends, const char **id)
{
    GHashTableIter iter;
    void *key = NULL;

    g_hash_table_iter_init(&iter, backends->over);
    if (g_hash_table_iter_next(&iter, &key, NULL))
        *id = key;
    return g_hash_table_size(backends->over);
}
