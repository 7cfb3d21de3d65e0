/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where answers come from: kubesvcd's snapshot, mapped, kept as long as its answers count, and
 * replaced by the next one. The rules are the module's (nss/mapping.h), but that nobody is ever
 * waited for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/resolve/snapshot.h"
#include "lib/util/error.h"
#include "nss/mapping.h"

struct provider;

/* `ready` is called once, when it is known for the first time whether there is a snapshot. */
MUST_USE int provider_new(struct provider **providerp, sd_event *event, const char *path,
                          void (*ready)(void *userdata), void *userdata);
struct provider *provider_free(struct provider *provider); /* returns NULL */

/* The path of kubesvcd's socket. */
const char *provider_path(const struct provider *provider);

/* The zone that the last snapshot was of, NUL at its end; empty: there was none yet. */
const char *provider_zone(const struct provider *provider);

/* One reading of the snapshot. What was copied counts only if provider_holds says so then. */
struct provider_reading {
    struct mapping *mapping;
    struct snapshot_view view;
    uint32_t reuse;
    uint32_t serial; /* of the zone: goes up with each change, and with time */
};

/* False: there is no snapshot whose answers count. */
bool provider_enter(struct provider *provider, struct provider_reading *reading);

/* Begins again, of the same snapshot. False: there is nothing in it. */
bool provider_begin(struct provider *provider, struct provider_reading *reading);
bool provider_holds(const struct provider_reading *reading);
void provider_leave(struct provider_reading *reading);
