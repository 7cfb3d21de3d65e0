/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * .status.json. Written when the state changes and some seconds after objects did, so that a quiet
 * cluster costs no write.
 */
#include "freshness.h"

#include "feed.h"
#include "lib/util/json.h"
#include "lib/util/json_tree.h"

#define SECOND 1000000u

bool freshness_change(struct freshness *freshness, enum freshness_state state, const char *problem,
                      uint64_t now)
{
    if (freshness->state == state && g_strcmp0(freshness->problem, problem) == 0)
        return false;
    if (freshness->state == FRESHNESS_SYNCED || state == FRESHNESS_SYNCED)
        freshness->contact = now;
    if (freshness->state != state)
        freshness->since = now;
    freshness->state = state;
    g_free(freshness->problem);
    freshness->problem = g_strdup(problem);
    return true;
}

static void write_feeds(struct json *json, const GPtrArray *feeds)
{
    json_open_list(json, "feeds");
    for (guint i = 0; i < feeds->len; i++) {
        const struct feed_state *state = feed_state(feeds->pdata[i]);

        json_open(json, NULL);
        json_text(json, "resource", state->name);
        json_text(json, "resourceVersion", state->version ? state->version : "");
        json_text(json, "problem", state->problem);
        json_close(json);
    }
    json_close_list(json);
}

static void write_objects(struct json *json, const struct store *store)
{
    json_open(json, "objects");
    for (unsigned i = 0; i < N_RESOURCES; i++)
        json_number(json, resource_types[i].name, store_count(store, i));
    json_close(json);
}

GString *freshness_write(const struct freshness *freshness, const GPtrArray *feeds,
                         const struct store *store)
{
    static const char *const states[] = {
        [FRESHNESS_STARTING] = "starting",         [FRESHNESS_SYNCED] = "synced",
        [FRESHNESS_DISCONNECTED] = "disconnected", [FRESHNESS_DENIED] = "denied",
        [FRESHNESS_EXPIRED] = "expired",           [FRESHNESS_STOPPED] = "stopped",
    };
    GString *text = g_string_new(NULL);
    struct json *json = json_new(true, json_to_string, text);

    json_open(json, NULL);
    json_text(json, "cluster", freshness->cluster);
    json_text(json, "server", freshness->server);
    json_text(json, "state", states[freshness->state]);
    json_time(json, "since", freshness->since);
    json_time(json, "contact", freshness->contact);
    json_text(json, "problem", freshness->problem);
    write_objects(json, store);
    write_feeds(json, feeds);
    json_close(json);
    json_free(json);
    return text;
}

uint64_t freshness_read_contact(const char *text)
{
    const char *path[] = {"contact", NULL};
    yajl_val root = json_tree_parse(text);
    const char *value = YAJL_GET_STRING(yajl_tree_get(root, path, yajl_t_string));
    g_autoptr(GDateTime) time = value ? g_date_time_new_from_iso8601(value, NULL) : NULL;

    yajl_tree_free(root);
    return time ? (uint64_t)MAX(g_date_time_to_unix(time), 0) * SECOND : 0;
}
