/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Listens between the model and the publisher: which Services may have changed.
 */
#pragma once

#include "lib/model/zone.h"

/* Of a Service that may have changed, or is gone. */
typedef void (*service_tap_changed)(void *userdata, const char *ns, const char *name);

struct service_tap {
    struct zone_sink sink; /* for the model, instead of the next one; the rest is private */
    const struct zone_sink *next;
    service_tap_changed changed;
    void *userdata;
};

/* `next` must live as long. */
void service_tap_init(struct service_tap *tap, const struct zone_sink *next,
                      service_tap_changed changed, void *userdata);
