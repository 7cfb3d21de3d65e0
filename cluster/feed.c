/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * List and watch, as client-go's reflector does it, with what it learnt the hard way:
 *
 * - The first list is served from the API server's cache (resourceVersion=0), later ones must not
 *   be older than what is known; only a version that is gone or from the future is read from etcd.
 * - A watch from the future, after etcd was restored, is answered with 200 and silence. So after
 *   every failure a list of one object, not older than what is known, comes before the next watch.
 * - Nothing but an object's deletion or a complete list takes an object away: 401, 403, 404 and 5xx
 *   are what a server says that is starting.
 */
#include "feed.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "backoff.h"
#include "feed_object.h"
#include "lib/util/timer.h"
#include "status_text.h"
#include "trim.h"

#define SECOND 1000000u
#define PAGE_SIZE 500u
#define LIST_TIMEOUT (600ull * SECOND)
#define LIST_IDLE (60ull * SECOND)
#define PROBE_TIMEOUT (30ull * SECOND)
#define WATCH_MIN 300u               /* seconds; up to twice as many */
#define WATCH_GRACE (30ull * SECOND) /* for the server to end it */
#define WATCH_SHORT (1ull * SECOND)  /* one that ends sooner, without an error, has failed */
/* Bookmarks come once a minute. When nothing has come for so long, a probe finds out whether the
 * connection still leads anywhere: a proxy, or a server that hangs, keeps it open. The next watch
 * may be silent as long as it lasts: proxies that buffer pass on what came when it ends. */
#define WATCH_SILENCE (90ull * SECOND)
#define RELIST_JITTER (2ull * SECOND)
/* What a restored etcd lacks is kept until then: it may be refilled. */
#define RESTORED_GRACE (60ull * SECOND)

enum phase { PHASE_LIST, PHASE_PROBE, PHASE_WATCH };
enum list_from { LIST_CACHED, LIST_NOT_OLDER, LIST_ETCD };

struct feed {
    struct feed_config config;
    struct feed_handler handler;
    const struct resource_type *type;
    struct feed_state state;
    enum phase phase; /* of the request, or else of the one that `timer` begins */
    enum list_from from;
    bool restored;
    char *next_page; /* NULL: the first page */
    struct trim *trim;
    struct api_request *request;
    struct backoff backoff;
    sd_event_source *timer, *sweep; /* the former also runs while a watch is silent */
    uint64_t began;                 /* the watch */
    bool heard;                     /* something on this watch */
    bool patient;                   /* the watch before was silent, but is not to blame */
    bool expired, refused;          /* reported by an ERROR event */
};

static uint64_t feed_now(const struct feed *feed)
{
    uint64_t now = 0;

    (void)sd_event_now(feed->config.event, CLOCK_MONOTONIC, &now);
    return now;
}

static void feed_set_health(struct feed *feed, enum feed_health health, const char *problem)
{
    if (feed->state.health == health && g_strcmp0(feed->state.problem, problem) == 0)
        return;
    feed->state.health = health;
    g_free(feed->state.problem);
    feed->state.problem = g_strdup(problem);
    feed->handler.health(feed->handler.userdata, feed);
}

static void feed_after(struct feed *feed, enum phase phase, uint64_t delay)
{
    feed->phase = phase;
    (void)timer_start(feed->timer, delay);
}

static void take_version(struct feed *feed, const char *version)
{
    if (!*version || g_strcmp0(feed->state.version, version) == 0)
        return;
    g_free(feed->state.version);
    feed->state.version = g_strdup(version);
}

static void on_object(void *userdata, const struct trim_object *object)
{
    struct feed *feed = userdata;

    switch (object->event) {
    case TRIM_UNKNOWN: return;
    case TRIM_ERROR:
        if (object->code == 410 || strcmp(object->reason, "Expired") == 0 ||
            strcmp(object->reason, "Gone") == 0)
            feed->expired = true;
        else
            feed->refused = true;
        return;
    case TRIM_BOOKMARK: break;
    default:
        feed_object_take(feed->config.store, feed->config.index, feed->config.resource, object);
    }
    feed->heard = true;
    if (object->event != TRIM_LISTED)
        take_version(feed, object->resource_version);
}

static bool on_body(void *userdata, const char *bytes, size_t size)
{
    struct feed *feed = userdata;

    if (feed->phase == PHASE_PROBE)
        return true;
    if (!trim_feed(feed->trim, bytes, size))
        return false;
    if (feed->phase == PHASE_WATCH) {
        feed->patient = false;
        (void)timer_start(feed->timer, WATCH_SILENCE);
        feed->handler.changed(feed->handler.userdata, feed);
    }
    if (feed->expired || feed->refused)
        return false;
    if (feed->phase == PHASE_WATCH)
        feed_set_health(feed, FEED_SYNCED, NULL);
    return true;
}

/* Says what has failed, and how long to wait. */
static uint64_t feed_fail(struct feed *feed, const struct api_server_outcome *outcome,
                          const char *problem)
{
    bool denied = outcome->status == 401 || outcome->status == 403;
    const char *hint = outcome->status == 404 && feed->config.resource == RESOURCE_SLICES
                           ? " (Kubernetes 1.21 or newer is needed)"
                           : "";
    g_autofree char *text = g_strdup_printf(
        "cannot %s %s: %s%s", feed->phase == PHASE_WATCH ? "watch" : "list", feed->state.name,
        trim_problem(feed->trim) ? trim_problem(feed->trim) : problem, hint);

    feed_set_health(feed, denied ? FEED_DENIED : FEED_DISCONNECTED, text);
    return backoff_next(&feed->backoff, feed_now(feed), outcome->retry_after);
}

static void watch_over(struct feed *feed, const struct api_server_outcome *outcome)
{
    if (feed->expired || outcome->status == 410) {
        feed->from = LIST_NOT_OLDER;
        feed_after(feed, PHASE_LIST, backoff_jitter(RELIST_JITTER));
        return;
    }
    if (!outcome->problem) {
        if (feed->heard || feed_now(feed) - feed->began >= WATCH_SHORT)
            feed_after(feed, PHASE_WATCH, 0);
        else
            feed_after(feed, PHASE_PROBE, backoff_next(&feed->backoff, feed_now(feed), 0));
        return;
    }
    feed_after(feed, PHASE_PROBE,
               feed_fail(feed, outcome,
                         feed->refused ? "the API server ended the watch" : outcome->problem));
}

static void probe_over(struct feed *feed, const struct api_server_outcome *outcome)
{
    if (status_is_from_the_future(outcome->status, outcome->body) || outcome->status == 410) {
        feed->restored |= outcome->status == 504;
        feed->from = LIST_ETCD;
        feed_after(feed, PHASE_LIST, backoff_jitter(RELIST_JITTER));
        return;
    }
    if (outcome->problem) {
        feed->patient = false;
        feed_after(feed, PHASE_PROBE, feed_fail(feed, outcome, outcome->problem));
        return;
    }
    feed_after(feed, PHASE_WATCH, 0);
}

static int on_sweep(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct feed *feed = userdata;

    (void)source, (void)usec;
    store_end_list(feed->config.store, feed->config.index);
    feed->handler.changed(feed->handler.userdata, feed);
    return 0;
}

static void list_complete(struct feed *feed)
{
    take_version(feed, trim_list_version(feed->trim));
    if (feed->restored)
        (void)timer_start(feed->sweep, RESTORED_GRACE);
    else
        store_end_list(feed->config.store, feed->config.index);
    feed->restored = false;
    feed->from = LIST_NOT_OLDER;
    feed->state.listed = true;
    feed_set_health(feed, FEED_SYNCED, NULL);
    feed_after(feed, PHASE_WATCH, 0);
    feed->handler.changed(feed->handler.userdata, feed);
    feed->handler.list_over(feed->handler.userdata, feed);
}

static void list_failed(struct feed *feed, const struct api_server_outcome *outcome)
{
    const char *problem = outcome->problem ? outcome->problem : "the list is incomplete";
    bool first_page = !feed->next_page;

    g_clear_pointer(&feed->next_page, g_free);
    if (status_is_from_the_future(outcome->status, outcome->body))
        feed->restored = true;
    /* An expired version is not requested again; an expired page token is no reason to fail. */
    if (feed->from == LIST_NOT_OLDER &&
        (status_is_from_the_future(outcome->status, outcome->body) ||
         (outcome->status == 410 && first_page))) {
        feed->from = LIST_ETCD;
        feed_list(feed);
        return;
    }
    feed_after(feed, PHASE_LIST, feed_fail(feed, outcome, problem));
    feed->handler.list_over(feed->handler.userdata, feed);
}

static void list_over(struct feed *feed, const struct api_server_outcome *outcome)
{
    if (outcome->problem || !trim_is_complete(feed->trim)) {
        list_failed(feed, outcome);
        return;
    }
    g_free(feed->next_page);
    feed->next_page = g_strdup(trim_list_continue(feed->trim));
    if (*feed->next_page) {
        feed_list(feed);
        return;
    }
    g_clear_pointer(&feed->next_page, g_free);
    list_complete(feed);
}

static void on_over(void *userdata, const struct api_server_outcome *outcome)
{
    struct feed *feed = userdata;

    feed->request = NULL;
    switch (feed->phase) {
    case PHASE_LIST: list_over(feed, outcome); return;
    case PHASE_PROBE: probe_over(feed, outcome); return;
    case PHASE_WATCH: watch_over(feed, outcome); return;
    }
}

static void feed_get(struct feed *feed, const GString *path, uint64_t timeout, uint64_t idle)
{
    struct api_server_get get = {
        .path = path->str,
        .compressed = feed->phase == PHASE_LIST,
        .timeout = timeout,
        .idle = idle,
    };
    struct api_server_handler handler = {.body = on_body, .done = on_over, .userdata = feed};

    feed->expired = feed->refused = feed->heard = false;
    feed->trim = trim_free(feed->trim);
    feed->trim = trim_new(feed->type, feed->phase == PHASE_WATCH, on_object, feed);
    feed->request = api_server_get(feed->config.server, &get, &handler);
}

/* The first page, or the next one. */
void feed_list(struct feed *feed)
{
    g_autoptr(GString) path = resource_path(feed->type, feed->config.ns);

    feed->phase = PHASE_LIST;
    g_string_append_printf(path, "limit=%u", PAGE_SIZE);
    if (feed->next_page) {
        resource_path_query(path, "continue", feed->next_page);
        feed_get(feed, path, LIST_TIMEOUT, LIST_IDLE);
        return;
    }
    (void)sd_event_source_set_enabled(feed->sweep, SD_EVENT_OFF);
    store_begin_list(feed->config.store, feed->config.index);
    if (feed->from == LIST_NOT_OLDER) {
        resource_path_query(path, "resourceVersion", feed->state.version);
        resource_path_query(path, "resourceVersionMatch", "NotOlderThan");
    } else if (feed->from == LIST_CACHED) {
        resource_path_query(path, "resourceVersion", "0");
    }
    feed_get(feed, path, LIST_TIMEOUT, LIST_IDLE);
}

static void probe(struct feed *feed)
{
    g_autoptr(GString) path = resource_path(feed->type, feed->config.ns);

    feed->phase = PHASE_PROBE;
    g_string_append(path, "limit=1");
    resource_path_query(path, "resourceVersion", feed->state.version);
    resource_path_query(path, "resourceVersionMatch", "NotOlderThan");
    feed_get(feed, path, PROBE_TIMEOUT, 0);
}

static void watch(struct feed *feed)
{
    g_autoptr(GString) path = resource_path(feed->type, feed->config.ns);
    uint64_t seconds = WATCH_MIN + backoff_jitter(WATCH_MIN + 1);

    g_string_append_printf(path, "watch=1&allowWatchBookmarks=true&timeoutSeconds=%u",
                           (unsigned)seconds);
    resource_path_query(path, "resourceVersion", feed->state.version);
    feed->began = feed_now(feed);
    feed_get(feed, path, seconds * SECOND + WATCH_GRACE, 0);
    if (feed->state.health != FEED_SYNCED)
        (void)timer_start(feed->timer, WATCH_SHORT);
    else if (!feed->patient)
        (void)timer_start(feed->timer, WATCH_SILENCE);
}

/* A watch that is silent was not refused, at least. */
static void watch_is_silent(struct feed *feed)
{
    if (feed->state.health != FEED_SYNCED) {
        feed_set_health(feed, FEED_SYNCED, NULL);
        (void)timer_start(feed->timer, WATCH_SILENCE);
        return;
    }
    feed->request = api_request_free(feed->request);
    feed->patient = true;
    probe(feed);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct feed *feed = userdata;

    (void)source, (void)usec;
    if (feed->request) {
        watch_is_silent(feed);
        return 0;
    }
    switch (feed->phase) {
    case PHASE_LIST: feed->handler.want_list(feed->handler.userdata, feed); break;
    case PHASE_PROBE: probe(feed); break;
    case PHASE_WATCH: watch(feed); break;
    }
    return 0;
}

int feed_new(struct feed **feedp, const struct feed_config *config,
             const struct feed_handler *handler)
{
    struct feed *feed = g_new0(struct feed, 1);
    int r;

    feed->config = *config;
    feed->handler = *handler;
    feed->type = &resource_types[config->resource];
    feed->state.name = resource_title(feed->type, config->ns);
    feed->state.health = FEED_STARTING;
    feed->from = LIST_CACHED;
    r = sd_event_add_time_relative(config->event, &feed->timer, CLOCK_MONOTONIC, config->delay,
                                   1000, on_timer, feed);
    if (r >= 0)
        r = timer_new(&feed->sweep, config->event, 0, on_sweep, feed);
    if (r < 0) {
        feed_free(feed);
        return r;
    }
    *feedp = feed;
    return 0;
}

struct feed *feed_free(struct feed *feed)
{
    if (!feed)
        return NULL;
    api_request_free(feed->request);
    trim_free(feed->trim);
    sd_event_source_disable_unref(feed->timer);
    sd_event_source_disable_unref(feed->sweep);
    g_free(feed->state.name);
    g_free(feed->state.version);
    g_free(feed->next_page);
    g_free(feed->state.problem);
    g_free(feed);
    return NULL;
}

const struct feed_state *feed_state(const struct feed *feed)
{
    return &feed->state;
}
