/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads the settings record: again for every question, because a reload changes it together with
 * the names it explains, in one publish.
 */
#include "settings.h"

#include "name.h"
#include <kubesvc/limits.h>

bool settings_open(struct settings *settings, const struct snapshot_view *view)
{
    struct snapshot_record record = snapshot_find(view, "c", 1);
    const struct kubesvc_settings *stored =
        (const void *)snapshot_bytes(record, 0, sizeof(struct kubesvc_settings));

    if (stored == NULL)
        return false;
    *settings = (struct settings){
        .flags = snapshot_u32(&stored->flags),
        .pods = snapshot_u32(&stored->pods),
        .ndots = snapshot_u32(&stored->ndots),
        .search_default = snapshot_u32(&stored->search_default) != 0,
        .record = record,
    };
    settings->zone = (const char *)snapshot_span(record, &stored->zone, &settings->zone_length);
    settings->ns = (const char *)snapshot_span(record, &stored->default_namespace,
                                               &settings->namespace_length);
    settings->search =
        snapshot_table(record, &stored->search, sizeof(struct kubesvc_span), &settings->n_search);
    if (settings->n_search > KUBESVC_SEARCH_MAX)
        settings->n_search = KUBESVC_SEARCH_MAX;
    settings->ranges =
        snapshot_table(record, &stored->ranges, sizeof(struct kubesvc_range), &settings->n_ranges);
    settings->zones =
        snapshot_table(record, &stored->zones, sizeof(struct kubesvc_span), &settings->n_zones);
    if (settings->n_zones > KUBESVC_ZONES_MAX)
        settings->n_zones = KUBESVC_ZONES_MAX;
    return settings->zone_length > 0 && settings->ns != NULL;
}

const char *settings_zone(const struct settings *settings, uint32_t i, uint32_t *length)
{
    const struct kubesvc_settings *stored = (const void *)settings->record.data;
    const struct kubesvc_span *zones = (const void *)settings->zones;
    const char *zone = (const char *)snapshot_span(settings->record,
                                                   i == 0 ? &stored->zone : &zones[i - 1], length);

    return *length > 0 ? zone : NULL;
}

bool settings_enter(struct settings *settings, const char *name, size_t length)
{
    for (uint32_t i = 0; i <= settings->n_zones; i++) {
        uint32_t zone_length;
        const char *zone = settings_zone(settings, i, &zone_length);

        if (zone == NULL || !name_has_suffix(name, length, zone, zone_length))
            continue;
        settings->zone = zone;
        settings->zone_length = zone_length;
        settings->other = i > 0;
        return true;
    }
    return false;
}

const char *settings_search(const struct settings *settings, uint32_t i, uint32_t *length)
{
    const struct kubesvc_span *spans = (const void *)settings->search;

    return (const char *)snapshot_span(settings->record, &spans[i], length);
}
