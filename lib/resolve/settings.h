/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The settings carried by a snapshot, as the resolver and the search list need them, bounds checked
 * once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "snapshot.h"

struct settings {
    uint32_t flags; /* KUBESVC_SETTINGS_* */
    uint32_t pods;  /* enum kubesvc_pod_names */
    uint32_t ndots;
    const char *zone; /* lower case, no final dot, at least one letter: the main zone, or the one
                         that was entered */
    uint32_t zone_length;
    bool other;           /* it is not the main zone */
    const uint8_t *zones; /* struct kubesvc_span[] */
    uint32_t n_zones;     /* besides the main one */
    const char *ns;       /* the default one */
    uint32_t namespace_length;
    bool search_default;
    const uint8_t *search; /* struct kubesvc_span[] */
    uint32_t n_search;
    const uint8_t *ranges; /* struct kubesvc_range[] */
    uint32_t n_ranges;
    struct snapshot_record record;
};

/* False if they are missing or damaged. */
bool settings_open(struct settings *settings, const struct snapshot_view *view);

/* The main zone (0) or one of n_zones others (1 to n_zones), NULL if it is damaged. */
const char *settings_zone(const struct settings *settings, uint32_t i, uint32_t *length);

/* Makes the zone that a name is in the one of the settings. False: it is in none. */
bool settings_enter(struct settings *settings, const char *name, size_t length);

/* One domain of an explicit search list, NULL if it is damaged. `i` is less than n_search. */
const char *settings_search(const struct settings *settings, uint32_t i, uint32_t *length);
