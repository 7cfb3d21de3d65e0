/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where answers come from: kubesvcd's snapshot, mapped, kept as long as its answers count, and
 * replaced by the next one. The rules are the module's (nss/mapping.h), except that nothing here
 * ever waits.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/resolve/snapshot.h"
#include "lib/util/error.h"
#include "nss/mapping.h"

struct provider;

/* `changed` is called from the event loop, for the first time as soon as it is known whether there
 * is a snapshot, and then at least whenever one arrives or is no longer awaited. */
MUST_USE int provider_new(struct provider **providerp, sd_event *event, const char *path,
                          void (*changed)(void *userdata), void *userdata);
struct provider *provider_free(struct provider *provider); /* returns NULL */

/* The path of kubesvcd's socket. */
const char *provider_path(const struct provider *provider);

/* The zones of the last snapshot, NULL-terminated; NULL: there was none yet. */
char *const *provider_zones(const struct provider *provider);

/* One reading of the snapshot. Copied data is valid only if provider_holds confirms it
 * afterwards. */
struct provider_reading {
    struct mapping *mapping;
    struct snapshot_view view;
    uint32_t reuse;
    uint32_t serial; /* of the zone: goes up with each change, and with time */
};

/* False: there is no snapshot whose answers count; if it is awaited, there may be one soon. */
bool provider_enter(struct provider *provider, struct provider_reading *reading);
bool provider_is_awaited(const struct provider *provider);

/* Restarts, with the same snapshot. False: it is empty. */
bool provider_begin(struct provider *provider, struct provider_reading *reading);
bool provider_holds(const struct provider_reading *reading);
void provider_leave(struct provider_reading *reading);
