/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Building the records of a snapshot (include/kubesvc/snapshot.h) from the model's descriptions.
 * Names come in any case and are stored in lower case; addresses come in any order, with
 * duplicates, and are stored ascending and once; equal sets and strings are stored once in a
 * record.
 *
 * Every builder returns a GByteArray, to be freed with g_byte_array_unref.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/model/zone.h"
#include "lib/util/address.h"
#include "record_key.h"
#include <kubesvc/snapshot.h>

struct record_settings {
    uint32_t flags; /* KUBESVC_SETTINGS_* */
    enum kubesvc_pod_names pods;
    uint32_t ndots;
    const char *zone;         /* without final dot */
    const char *const *zones; /* the others, NULL-terminated */
    const char *default_namespace;
    const char *const *search; /* NULL: the default list; else NULL-terminated, possibly empty */
    const struct address_range *ranges;
    size_t n_ranges;
};
GByteArray *record_settings_new(const struct record_settings *settings);

GByteArray *record_namespace_new(uint32_t flags /* KUBESVC_NAMESPACE_* */);

/* A target is stored in its letters, without its final dot. */
GByteArray *record_service_new(const struct zone_service *service);

GByteArray *record_address_new(const struct zone_address *address);
