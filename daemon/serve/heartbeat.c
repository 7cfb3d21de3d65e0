/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The time is written, not a counter: a reader then needs no memory of an earlier value.
 */
#include "heartbeat.h"

#include <glib.h>

#include "lib/util/timer.h"

#define BEAT_USEC 1000000u

struct heartbeat {
    struct snapshot_root *root;
    sd_event_source *beating;
    bool watched, no_maps, stopped;
};

static void beat(struct heartbeat *heartbeat)
{
    uint32_t state = heartbeat->stopped                         ? KUBESVC_SNAPSHOT_STOPPED
                     : heartbeat->watched || heartbeat->no_maps ? KUBESVC_SNAPSHOT_WATCHED
                                                                : 0;
    snapshot_root_beat(heartbeat->root, (uint32_t)(g_get_monotonic_time() / G_USEC_PER_SEC), state);
}

static int on_beat(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)usec;
    beat(userdata);
    return timer_start(source, BEAT_USEC);
}

int heartbeat_new(struct heartbeat **heartbeatp, sd_event *event, struct snapshot_root *root)
{
    struct heartbeat *heartbeat = g_new0(struct heartbeat, 1);

    heartbeat->root = root;
    int r = sd_event_add_time_relative(event, &heartbeat->beating, CLOCK_MONOTONIC, BEAT_USEC, 0,
                                       on_beat, heartbeat);
    if (r < 0) {
        heartbeat_free(heartbeat);
        return r;
    }
    *heartbeatp = heartbeat;
    return 0;
}

struct heartbeat *heartbeat_free(struct heartbeat *heartbeat)
{
    if (!heartbeat)
        return NULL;
    sd_event_source_disable_unref(heartbeat->beating);
    g_free(heartbeat);
    return NULL;
}

void heartbeat_watch(struct heartbeat *heartbeat, bool watch)
{
    heartbeat->watched = watch;
    beat(heartbeat);
}

void heartbeat_allow_maps(struct heartbeat *heartbeat, bool allow)
{
    heartbeat->no_maps = !allow;
    beat(heartbeat);
}

bool heartbeat_allows_maps(const struct heartbeat *heartbeat)
{
    return !heartbeat->no_maps;
}

void heartbeat_stop(struct heartbeat *heartbeat)
{
    heartbeat->stopped = true;
    beat(heartbeat);
}
