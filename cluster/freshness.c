/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * .status.json. Written when the state changes and some seconds after objects did, so that a quiet
 * cluster costs no write.
 */
#include "freshness.h"

#include <string.h>
#include <time.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

#define SECOND 1000000u

static void text(yajl_gen generator, const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);

    (void)yajl_gen_string(generator, (const unsigned char *)valid, strlen(valid));
}

static void pair(yajl_gen generator, const char *key, const char *value)
{
    if (!value)
        return;
    text(generator, key);
    text(generator, value);
}

static void moment(yajl_gen generator, const char *key, uint64_t time)
{
    char value[32];
    time_t seconds = (time_t)(time / SECOND);
    struct tm parts;

    if (time == 0 || !gmtime_r(&seconds, &parts) ||
        strftime(value, sizeof value, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        return;
    pair(generator, key, value);
}

static void write_feeds(yajl_gen generator, const struct freshness *freshness)
{
    text(generator, "feeds");
    (void)yajl_gen_array_open(generator);
    for (unsigned i = 0; i < freshness->n_feeds; i++) {
        (void)yajl_gen_map_open(generator);
        pair(generator, "resource", freshness->feeds[i].name);
        pair(generator, "resourceVersion", freshness->feeds[i].version);
        pair(generator, "problem", freshness->feeds[i].problem);
        (void)yajl_gen_map_close(generator);
    }
    (void)yajl_gen_array_close(generator);
}

static void write_objects(yajl_gen generator, const struct freshness *freshness)
{
    text(generator, "objects");
    (void)yajl_gen_map_open(generator);
    for (unsigned i = 0; i < N_RESOURCES; i++) {
        text(generator, resource_types[i].name);
        (void)yajl_gen_integer(generator, freshness->objects[i]);
    }
    (void)yajl_gen_map_close(generator);
}

char *freshness_write(const struct freshness *freshness, size_t *sizep)
{
    static const char *const states[] = {
        [FRESHNESS_STARTING] = "starting",         [FRESHNESS_SYNCED] = "synced",
        [FRESHNESS_DISCONNECTED] = "disconnected", [FRESHNESS_DENIED] = "denied",
        [FRESHNESS_EXPIRED] = "expired",           [FRESHNESS_STOPPED] = "stopped",
    };
    yajl_gen generator = yajl_gen_alloc(NULL);
    const unsigned char *bytes = NULL;
    char *copy;

    if (!generator)
        g_error("out of memory");
    (void)yajl_gen_config(generator, yajl_gen_beautify, 1);
    (void)yajl_gen_map_open(generator);
    pair(generator, "cluster", freshness->cluster);
    pair(generator, "server", freshness->server);
    pair(generator, "state", states[freshness->state]);
    moment(generator, "since", freshness->since);
    moment(generator, "contact", freshness->contact);
    pair(generator, "problem", freshness->problem);
    write_objects(generator, freshness);
    write_feeds(generator, freshness);
    (void)yajl_gen_map_close(generator);
    (void)yajl_gen_get_buf(generator, &bytes, sizep);
    copy = g_strndup((const char *)bytes, *sizep);
    yajl_gen_free(generator);
    return copy;
}

uint64_t freshness_read_contact(const char *text)
{
    const char *path[] = {"contact", NULL};
    yajl_val root = yajl_tree_parse(text, NULL, 0);
    const char *value = YAJL_GET_STRING(yajl_tree_get(root, path, yajl_t_string));
    g_autoptr(GDateTime) time = value ? g_date_time_new_from_iso8601(value, NULL) : NULL;

    yajl_tree_free(root);
    return time ? (uint64_t)MAX(g_date_time_to_unix(time), 0) * SECOND : 0;
}
