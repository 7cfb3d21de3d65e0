/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Meetings of sightings and holders: which of them have a text in common that is a prefix of the
 * sighting's name and the whole of the holder's, or its first SIGHTING_STEM_MAX characters.
 */
#pragma once

#include <glib.h>

#include "holder.h"
#include "sighting.h"

/* A table of them. Free with g_hash_table_unref. */
GHashTable *meetings_new(void);

/* A sighting or a holder comes or goes. `node`: see sightings_set_node. */
void meetings_join(GHashTable *meetings, struct sighting *sighting, const char *node);
void meetings_leave(GHashTable *meetings, struct sighting *sighting);
void meetings_join_holder(GHashTable *meetings, struct holder *holder);
void meetings_leave_holder(GHashTable *meetings, struct holder *holder);

/* The sightings that a holder meets (struct sighting *); NULL: none. */
const GPtrArray *meetings_sightings(GHashTable *meetings, const struct holder_key *key);

/* The holders that can have a pod of the sighting's name (struct holder *), but no more than `max`
 * of them. Free with g_ptr_array_unref. */
GPtrArray *sighting_claimants(const struct sighting *sighting, const char *node, guint max);

/* "podman runs web-pod, which could belong to Deployment shop/web or Deployment test/web" */
char *describe_claimants(const struct sighting *sighting, const char *node);
