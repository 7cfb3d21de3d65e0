/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The body of a list or a watch, as it arrives -> objects, each trimmed to the fields that are
 * kept, as one line of JSON. Neither a list nor an object is ever in memory as a whole before it
 * is trimmed.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/util/error.h"
#include "resource.h"

#define TRIM_OBJECT_MAX (32u << 20) /* bytes of one object; an API server takes about 3 MiB */
#define TRIM_DEPTH_MAX 100u

enum trim_event {
    TRIM_LISTED, /* an element of a list */
    TRIM_ADDED,
    TRIM_MODIFIED,
    TRIM_DELETED,
    TRIM_BOOKMARK,
    TRIM_ERROR, /* the object is a Status */
    TRIM_UNKNOWN,
};

struct trim_object {
    enum trim_event event;
    const char *name, *ns;        /* "" if it has none */
    const char *service;          /* of a slice: its Service; else "" */
    const char *resource_version; /* "" if it has none */
    const char *reason;           /* of a Status, as the code */
    int64_t code;
    const char *text; /* the trimmed object */
    size_t length;
};

/* All is valid during the call only. */
typedef void (*trim_handler)(void *userdata, const struct trim_object *object);

struct trim;

struct trim *trim_new(const struct resource_type *type, bool watch, trim_handler handler,
                      void *userdata);
struct trim *trim_free(struct trim *trim); /* returns NULL */

/* The next bytes. False: they are not what an API server sends; trim_problem says why. */
MUST_USE bool trim_feed(struct trim *trim, const char *bytes, size_t size);
const char *trim_problem(const struct trim *trim);

/* Of a list, once its body has ended: was it whole? Then its version, and the token for the next
 * page ("": this was the last). */
bool trim_is_complete(const struct trim *trim);
const char *trim_list_version(const struct trim *trim);
const char *trim_list_continue(const struct trim *trim);
