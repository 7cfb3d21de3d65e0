/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an API server sends, as a list or as a watch, in pieces. Whatever it is, the objects are
 * the same in other pieces, each file is in a directory of a namespace, and is JSON.
 *
 *   1 byte    which resource; a watch; how large the pieces are
 *   the rest  the body
 */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "cluster/feed_object.h"
#include "cluster/trim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct body {
    enum resource resource;
    struct store *store;
    GString *objects; /* as they came */
};

static void on_object(void *userdata, const struct trim_object *object)
{
    struct body *body = userdata;

    g_string_append_printf(body->objects, "%d %s/%s of %s at %s: ", object->event, object->ns,
                           object->name, object->service, object->resource_version);
    g_string_append_len(body->objects, object->text, (gssize)object->length);
    g_string_append_c(body->objects, '\n');
    if (object->event <= TRIM_DELETED)
        feed_object_take(body->store, 0, body->resource, object);
}

/* False: not what an API server sends. */
static bool read_body(struct body *body, bool watch, const uint8_t *data, size_t size, size_t piece)
{
    struct trim *trim = trim_new(&resource_types[body->resource], watch, on_object, body);
    bool good = true;

    body->store = store_new();
    body->objects = g_string_new(NULL);
    for (size_t at = 0, n; good && at < size; at += n) {
        n = MIN(piece, size - at);
        g_autofree char *bytes = g_memdup2(data + at, n); /* of exactly this size */
        good = trim_feed(trim, bytes, n);
    }
    trim_free(trim);
    return good;
}

static bool check_file(void *store, const char *path)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const char *slash = strchr(path, '/');

    g_assert(*path != '.' && slash && slash[1] != '.' && slash[1] != '\0');
    g_assert(!strchr(slash + 1, '/') && !strstr(path, ".."));
    if (!store_render(store, path, text))
        return true;
    yajl_val tree = yajl_tree_parse(text->str, NULL, 0);

    g_assert(tree && strlen(text->str) == text->len);
    yajl_tree_free(tree);
    return true;
}

static void body_clear(struct body *body)
{
    store_free(body->store);
    g_string_free(body->objects, TRUE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct body whole = {.resource = data[0] % N_RESOURCES}, pieces = whole;
    bool watch = data[0] & 0x80;
    bool good = read_body(&whole, watch, data + 1, size - 1, size);
    bool also = read_body(&pieces, watch, data + 1, size - 1, 1 + (data[0] >> 2 & 31));

    g_assert(good == also);
    g_assert(!good || strcmp(whole.objects->str, pieces.objects->str) == 0);
    store_take_changed(whole.store, check_file, whole.store);
    body_clear(&whole);
    body_clear(&pieces);
    return 0;
}
