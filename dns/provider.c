/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A snapshot itself tells the state of its daemon, which is checked for every question and, so that
 * a new one is there when needed, several times a second. While the daemon is away, hangs, or was
 * killed, its snapshot is used as long as the module would; the snapshot of a stopped daemon is
 * dropped.
 *
 * A daemon that has gone is usually being restarted, so it is looked for more often at first, and
 * requests wait for it that long. A replaced snapshot is read until the next one is there, which
 * takes the daemon less than a millisecond; but not for longer than that either.
 */
#include "provider.h"

#include <endian.h>
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <time.h>

#include "exchange.h"
#include "lib/resolve/settings.h"
#include "lib/util/log.h"
#include "lib/util/timer.h"

#define LOOK_USEC 200000u
#define RETRY_USEC (KUBESVC_MAP_RETRY_MS * 1000u)
#define RESTART_USEC 2000000u     /* within which a next snapshot is expected */
#define RESTART_RETRY_USEC 20000u /* meanwhile, and if there are questions */

enum trouble { TROUBLE_NONE, TROUBLE_AWAY, TROUBLE_BUSY, TROUBLE_WITHHELD, TROUBLE_FOREIGN };

struct provider {
    sd_event *event;
    sd_event_source *timer;
    char *path;
    struct exchange *exchange;
    uint64_t asked; /* time of the last one; CLOCK_MONOTONIC, microseconds */
    uint64_t lost;  /* since when no snapshot is known to be current; 0: one is */
    uint32_t root, serial;
    char **zones;         /* NULL: not known yet */
    enum trouble trouble; /* that was logged last */
    bool concluded;       /* there was a first response, or none */
    bool wanted;          /* a question has come since the snapshot was asked for */
    void (*changed)(void *userdata);
    void *userdata;
};

static uint64_t now_usec(void)
{
    return (uint64_t)g_get_monotonic_time();
}

/* --- Getting a snapshot --- */

static void tell_trouble(struct provider *provider, enum trouble trouble)
{
    static const char *const texts[] = {
        [TROUBLE_AWAY] = "no kubesvcd is listening there; waiting for it",
        [TROUBLE_BUSY] = "kubesvcd does not answer; asking it again",
        [TROUBLE_WITHHELD] = "kubesvcd has no snapshot to give: it is still loading, or its "
                             "configuration says \"lookups: socket\"",
        [TROUBLE_FOREIGN] = "the kubesvcd there has an incompatible version of the snapshot",
    };

    if (trouble == provider->trouble)
        return;
    provider->trouble = trouble;
    if (trouble != TROUBLE_NONE)
        log_warning("%s: %s", provider->path, texts[trouble]);
    else
        log_info("%s: answering from kubesvcd's snapshot", provider->path);
}

static enum trouble trouble_of(const struct exchange_response *response)
{
    if (response->error == -ENOENT || response->error == -EACCES ||
        response->error == -ECONNREFUSED || response->error == -ECONNRESET)
        return TROUBLE_AWAY;
    if (response->error < 0)
        return TROUBLE_BUSY;
    return response->type == KUBESVC_RESPONSE_ANSWER ? TROUBLE_WITHHELD : TROUBLE_FOREIGN;
}

/* No socket: a daemon that was stopped for good; then its names are gone, whatever the state of its
 * snapshot. */
static void drop_if_stopped(int error)
{
    struct mapping *mapping = error == -ENOENT || error == -EACCES ? mapping_enter() : NULL;

    if (!mapping)
        return;
    if (mapping_state(mapping) != MAPPING_FRESH)
        mapping_drop(mapping);
    mapping_leave(mapping);
}

static void conclude(struct provider *provider, const struct exchange_response *response)
{
    if (response->error == 0 && response->type == KUBESVC_RESPONSE_MAP &&
        response->size == sizeof(struct kubesvc_map) && response->fd >= 0 &&
        mapping_set(response->fd)) {
        provider->lost = 0;
        tell_trouble(provider, TROUBLE_NONE);
    } else {
        drop_if_stopped(response->error);
        tell_trouble(provider, trouble_of(response));
    }
    provider->concluded = true;
}

static void on_response(void *userdata, const struct exchange_response *response)
{
    struct provider *provider = userdata;

    provider->exchange = NULL;
    conclude(provider, response);
    provider->changed(provider->userdata);
}

/* Asks for a snapshot, unless it was asked for less than `after` microseconds ago. */
static void ask(struct provider *provider, uint64_t after)
{
    int r;

    if (provider->exchange || now_usec() - provider->asked < after)
        return;
    provider->asked = now_usec();
    provider->wanted = false;
    r = exchange_map(&provider->exchange, provider->event, provider->path, on_response, provider);
    if (r < 0)
        conclude(provider, &(struct exchange_response){.error = r, .fd = -1});
}

static bool is_stopped(const struct mapping *mapping)
{
    const struct kubesvc_snapshot_header *header = (const void *)mapping->base;

    return (snapshot_u32(&header->state) &
            ~(KUBESVC_SNAPSHOT_WATCHED | KUBESVC_SNAPSHOT_RETIRED)) != 0;
}

/* Has it gone so recently that it may be a restart? */
static bool is_restart(const struct provider *provider)
{
    return provider->lost != 0 && now_usec() - provider->lost < RESTART_USEC;
}

static int arm(struct provider *provider)
{
    uint64_t usec = is_restart(provider) || provider->wanted ? RESTART_RETRY_USEC : LOOK_USEC;
    int r = sd_event_source_set_time_accuracy(provider->timer, usec / 4);

    return r < 0 ? r : timer_start(provider->timer, usec);
}

/* There is no current snapshot: requests the next one. */
static void look_for_next(struct provider *provider)
{
    if (provider->lost == 0) {
        provider->lost = now_usec();
        (void)arm(provider);
    }
    ask(provider, is_restart(provider) ? RESTART_RETRY_USEC : RETRY_USEC);
}

/* Do its answers count? If there may be a better one, request it. */
static bool look_at(struct provider *provider, const struct mapping *mapping)
{
    enum mapping_state state = mapping_state(mapping);

    if (state == MAPPING_FRESH || state == MAPPING_WATCHED)
        return true;
    if (state == MAPPING_STALE) {
        ask(provider, RETRY_USEC);
        return true;
    }
    look_for_next(provider);
    return state == MAPPING_GONE && !is_stopped(mapping) && is_restart(provider);
}

static void look(struct provider *provider)
{
    struct mapping *mapping = mapping_enter();

    if (mapping) {
        (void)look_at(provider, mapping);
        mapping_leave(mapping);
    } else {
        look_for_next(provider);
    }
}

static int on_timer(sd_event_source *timer, uint64_t usec, void *userdata)
{
    struct provider *provider = userdata;

    (void)timer, (void)usec;
    look(provider);
    if (provider->wanted)
        ask(provider, 0);
    if (provider->concluded)
        provider->changed(provider->userdata);
    return arm(provider);
}

/* --- Reading --- */

/* They may be needed when there is no snapshot any more. */
static void remember_zones(struct provider *provider, const struct provider_reading *reading)
{
    struct settings settings;
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    if (!settings_open(&settings, &reading->view))
        return;
    for (uint32_t i = 0; i <= settings.n_zones; i++) {
        uint32_t length;
        const char *zone = settings_zone(&settings, i, &length);
        g_autofree char *copy = zone ? g_strndup(zone, length) : NULL;

        if (copy)
            g_strv_builder_add(builder, copy);
    }
    if (!provider_holds(reading))
        return;
    g_strfreev(provider->zones);
    provider->zones = g_strv_builder_end(builder);
}

/* The seconds of the last change, or more where there were several in one. */
static void note_change(struct provider *provider, const struct provider_reading *reading)
{
    uint32_t now;

    if (reading->view.root == provider->root)
        return;
    now = (uint32_t)time(NULL);
    provider->root = reading->view.root;
    provider->serial = (int32_t)(now - provider->serial) > 0 ? now : provider->serial + 1;
    remember_zones(provider, reading);
}

bool provider_begin(struct provider *provider, struct provider_reading *reading)
{
    reading->reuse = mapping_read_begin(reading->mapping);
    if (!snapshot_view_open(&reading->view, reading->mapping->base, reading->mapping->size))
        return false;
    note_change(provider, reading);
    reading->serial = provider->serial;
    return true;
}

/* A question came when there was none: what is known before that does not fail it. */
static void want(struct provider *provider)
{
    if (provider->exchange || provider->wanted)
        return;
    if (now_usec() - provider->asked >= RESTART_RETRY_USEC) {
        ask(provider, 0);
        return;
    }
    provider->wanted = true;
    (void)arm(provider);
}

bool provider_enter(struct provider *provider, struct provider_reading *reading)
{
    reading->mapping = mapping_enter();
    if (reading->mapping && look_at(provider, reading->mapping) &&
        provider_begin(provider, reading))
        return true;
    provider_leave(reading);
    want(provider);
    return false;
}

bool provider_is_awaited(const struct provider *provider)
{
    return provider->lost != 0 && (provider->exchange || provider->wanted || is_restart(provider));
}

bool provider_holds(const struct provider_reading *reading)
{
    return mapping_read_holds(reading->mapping, reading->reuse);
}

void provider_leave(struct provider_reading *reading)
{
    if (reading->mapping)
        mapping_leave(reading->mapping);
    reading->mapping = NULL;
}

/* --- Life --- */

int provider_new(struct provider **providerp, sd_event *event, const char *path,
                 void (*changed)(void *userdata), void *userdata)
{
    struct provider *provider = g_new0(struct provider, 1);

    provider->event = sd_event_ref(event);
    provider->path = g_strdup(path);
    provider->changed = changed;
    provider->userdata = userdata;
    provider->lost = now_usec();
    provider->serial = (uint32_t)time(NULL) - 1;
    int r = sd_event_add_time_relative(event, &provider->timer, CLOCK_MONOTONIC, 0, 0, on_timer,
                                       provider);

    if (r < 0) {
        provider_free(provider);
        return r;
    }
    *providerp = provider;
    return 0;
}

struct provider *provider_free(struct provider *provider)
{
    if (!provider)
        return NULL;
    exchange_free(provider->exchange);
    sd_event_source_disable_unref(provider->timer);
    sd_event_unref(provider->event);
    g_strfreev(provider->zones);
    g_free(provider->path);
    g_free(provider);
    return NULL;
}

char *const *provider_zones(const struct provider *provider)
{
    return provider->zones;
}

const char *provider_path(const struct provider *provider)
{
    return provider->path;
}
