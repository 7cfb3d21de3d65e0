/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the cluster has: the trimmed objects, in the groups that become a file each (a Service and
 * its slices, a Namespace, a Pod).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resource.h"

#define STORE_OBJECTS_MAX 4000000u

struct store;

struct store *store_new(void);
struct store *store_free(struct store *store); /* returns NULL */

struct store_object {
    enum resource resource;
    unsigned feed; /* the feed it came from */
    const char *ns, *name;
    const char *group; /* the path of its file; unused by store_remove */
    const char *text;  /* likewise */
    size_t length;
};

/* False: it is one too many, and is left out. */
bool store_put(struct store *store, const struct store_object *object);
void store_remove(struct store *store, const struct store_object *stated);

/* Between the two a feed reports all its objects; those not reported are then removed. A failed
 * list simply starts over. */
void store_begin_list(struct store *store, unsigned feed);
void store_end_list(struct store *store, unsigned feed);

unsigned store_count(const struct store *store, enum resource resource);

/* Appends the text of a group's file. False: the group is empty, and has none. */
bool store_render(const struct store *store, const char *group, GString *text);

/* Calls back for each changed group, which is done then; `handled` returns false to have it offered
 * again. Returns how many are left. */
typedef bool (*store_handler)(void *userdata, const char *group);
unsigned store_take_changed(struct store *store, store_handler handled, void *userdata);

/* Makes every group one that has changed. */
void store_change_all(struct store *store);

bool store_has_group(const struct store *store, const char *group);
