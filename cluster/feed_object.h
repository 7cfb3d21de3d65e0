/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From an object of a list or a watch to the store.
 */
#pragma once

#include <stdbool.h>

#include "resource.h"
#include "store.h"
#include "trim.h"

/* Puts the object there, or takes it away: TRIM_DELETED, and what belongs to no file. */
void feed_object_take(struct store *store, unsigned feed, enum resource resource,
                      const struct trim_object *object);
