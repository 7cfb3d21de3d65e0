/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The follower. Nothing is written before every feed has listed once: until then the files are the
 * better copy. From then on what changes is written at once.
 */
#include "follower.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "backoff.h"
#include "feed.h"
#include "freshness.h"
#include "lib/util/log.h"
#include "lib/util/timer.h"

#define SECOND 1000000u
#define STATUS_DELAY (10ull * SECOND) /* from a change of objects to its count in the status */
#define SYNC_DELAY (5ull * SECOND)
#define RETRY_DELAY (2ull * SECOND) /* after a write that failed */

struct follower {
    sd_event *event;
    struct files *files;
    struct follower_config config;
    struct store *store;
    GPtrArray *feeds; /* struct feed */
    GQueue turns;     /* struct feed: they want to list; the first does */
    bool ready;       /* all have listed */
    bool compare;     /* the files may be anything: compare before writing */
    bool expired;
    struct freshness freshness;
    int write_error;
    sd_event_source *status, *sync, *retry, *age;
};

static uint64_t now_real(void)
{
    return (uint64_t)g_get_real_time();
}

static void arm(sd_event_source *timer, uint64_t delay)
{
    if (sd_event_source_get_enabled(timer, NULL) == 0)
        (void)timer_start(timer, delay);
}

static void write_status(struct follower *follower)
{
    const struct freshness *freshness = &follower->freshness;
    g_autoptr(GString) text = freshness_write(freshness, follower->feeds, follower->store);
    int r = files_write_status(follower->files, text);

    if (r < 0 && r != follower->write_error)
        log_error("cannot write the status: %s", g_strerror(-r));
    (void)sd_notifyf(0, "STATUS=%s", freshness->problem ? freshness->problem : "In sync");
}

static int on_status(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct follower *follower = userdata;

    (void)source, (void)usec;
    if (follower->freshness.state == FRESHNESS_SYNCED)
        follower->freshness.contact = now_real();
    write_status(follower);
    return 0;
}

static int on_sync(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct follower *follower = userdata;

    (void)source, (void)usec;
    files_sync(follower->files);
    return 0;
}

static void set_state(struct follower *follower, enum freshness_state state, const char *problem)
{
    if (freshness_change(&follower->freshness, state, problem, now_real()))
        write_status(follower);
}

/* Is it another error than that of the last attempt, so that it is worth a message? */
static bool note_error(struct follower *follower, int error)
{
    bool is_new = error != follower->write_error;

    follower->write_error = error;
    return is_new;
}

static bool write_group(void *userdata, const char *group)
{
    struct follower *follower = userdata;
    g_autoptr(GString) text = g_string_new(NULL);
    bool full = store_render(follower->store, group, text);
    int r;

    if (follower->compare && full && files_equal(follower->files, group, text))
        return true;
    r = files_replace(follower->files, group, full ? text : NULL);
    if (r < 0 && note_error(follower, r))
        log_error("%s: cannot be written: %s; trying again every %u s", group, g_strerror(-r),
                  (unsigned)(RETRY_DELAY / SECOND));
    return r == 0;
}

/* That of the worst feed, without its name; listed: all have. */
static struct feed_state overall_state(const struct follower *follower)
{
    struct feed_state overall = {.health = FEED_SYNCED, .listed = true};

    for (guint i = 0; i < follower->feeds->len; i++) {
        const struct feed_state *state = feed_state(follower->feeds->pdata[i]);

        overall.listed = overall.listed && state->listed;
        if (state->health > overall.health) {
            overall.health = state->health;
            overall.problem = state->problem;
        }
    }
    return overall;
}

static void update_state(struct follower *follower)
{
    struct feed_state overall = overall_state(follower);
    uint64_t now = now_real(), age, max_age = follower->config.max_age;

    if (overall.health < FEED_DISCONNECTED) {
        set_state(follower, follower->ready ? FRESHNESS_SYNCED : FRESHNESS_STARTING, NULL);
        (void)sd_event_source_set_enabled(follower->age, SD_EVENT_OFF);
        return;
    }
    set_state(follower,
              follower->expired               ? FRESHNESS_EXPIRED
              : overall.health == FEED_DENIED ? FRESHNESS_DENIED
                                              : FRESHNESS_DISCONNECTED,
              overall.problem);
    age = now - MIN(now, follower->freshness.contact);
    if (max_age > 0 && !follower->expired)
        arm(follower->age, max_age - MIN(age, max_age));
}

/* Writes what has changed; the first time, and after the files were removed, everything. */
static void flush(struct follower *follower)
{
    struct feed_state overall = overall_state(follower);
    unsigned left;
    int r = 0;

    if (follower->ready ? follower->expired && overall.health != FEED_SYNCED : !overall.listed)
        return;
    left = store_take_changed(follower->store, write_group, follower);
    if (left == 0 && follower->compare) {
        r = files_prune(follower->files, follower->store);
        if (r < 0 && note_error(follower, r))
            log_error("cannot remove old files: %s", g_strerror(-r));
    }
    if (files_need_sync(follower->files)) {
        arm(follower->sync, SYNC_DELAY);
        arm(follower->status, STATUS_DELAY);
    }
    if (left > 0 || r < 0) {
        arm(follower->retry, RETRY_DELAY);
        return;
    }
    if (follower->write_error)
        log_notice("writing succeeds again");
    follower->write_error = 0;
    follower->compare = follower->expired = false;
    if (follower->ready)
        return;
    follower->ready = true;
    log_notice("in sync: %u services, %u endpointslices, %u namespaces",
               store_count(follower->store, RESOURCE_SERVICES),
               store_count(follower->store, RESOURCE_SLICES),
               store_count(follower->store, RESOURCE_NAMESPACES));
    update_state(follower);
    if (follower->config.once)
        (void)sd_event_exit(follower->event, 0);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source, (void)usec;
    flush(userdata);
    return 0;
}

static int on_age(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct follower *follower = userdata;
    int r = files_prune(follower->files, NULL);

    (void)source, (void)usec;
    if (r < 0)
        log_error("cannot remove the files: %s", g_strerror(-r));
    log_warning("no contact for longer than maxAge; removing the cluster's names");
    follower->expired = follower->compare = true;
    store_change_all(follower->store);
    update_state(follower);
    return 0;
}

static void next_turn(struct follower *follower)
{
    if (follower->turns.head)
        feed_list(follower->turns.head->data);
}

static void on_want_list(void *userdata, struct feed *feed)
{
    struct follower *follower = userdata;

    g_queue_push_tail(&follower->turns, feed);
    if (follower->turns.length == 1)
        next_turn(follower);
}

static void on_list_over(void *userdata, struct feed *feed)
{
    struct follower *follower = userdata;

    g_assert(g_queue_pop_head(&follower->turns) == feed);
    next_turn(follower);
}

static void on_changed(void *userdata, struct feed *feed)
{
    (void)feed;
    flush(userdata);
}

static void on_health(void *userdata, struct feed *feed)
{
    struct follower *follower = userdata;
    const struct feed_state *state = feed_state(feed);

    if (state->problem) {
        log_warning("%s; keeping what is known", state->problem);
    } else {
        if (follower->ready)
            log_notice("%s: connected again", state->name);
        flush(follower);
    }
    update_state(follower);
    if (state->problem && follower->config.once)
        (void)sd_event_exit(follower->event, 1);
}

static int add_feed(struct follower *follower, struct api_server *server, enum resource resource,
                    const char *ns, uint64_t delay)
{
    struct feed_config config = {
        .event = follower->event,
        .server = server,
        .store = follower->store,
        .index = follower->feeds->len,
        .resource = resource,
        .ns = ns,
        .delay = delay,
    };
    struct feed_handler handler = {
        .want_list = on_want_list,
        .list_over = on_list_over,
        .changed = on_changed,
        .health = on_health,
        .userdata = follower,
    };
    struct feed *feed;
    int r = feed_new(&feed, &config, &handler);

    if (r >= 0)
        g_ptr_array_add(follower->feeds, feed);
    return r;
}

static int add_feeds(struct follower *follower, struct api_server *server)
{
    static const char *const all[] = {NULL};
    const struct follower_config *config = &follower->config;
    const char *const *namespaces = config->namespaces ? config->namespaces : all;
    uint64_t delay = files_had_content(follower->files) && !config->once
                         ? backoff_jitter(config->jitter + 1)
                         : 0;
    int r = 0;

    do {
        r = add_feed(follower, server, RESOURCE_SERVICES, *namespaces, delay);
        if (r >= 0)
            r = add_feed(follower, server, RESOURCE_SLICES, *namespaces, delay);
        if (r >= 0 && config->pods)
            r = add_feed(follower, server, RESOURCE_PODS, *namespaces, delay);
    } while (r >= 0 && *namespaces && *++namespaces);
    if (r >= 0 && !config->namespaces)
        r = add_feed(follower, server, RESOURCE_NAMESPACES, NULL, delay);
    return r;
}

static int add_timers(struct follower *follower)
{
    struct {
        sd_event_source **source;
        sd_event_time_handler_t handler;
    } timers[] = {
        {&follower->status, on_status},
        {&follower->sync, on_sync},
        {&follower->retry, on_retry},
        {&follower->age, on_age},
    };
    int r = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(timers) && r >= 0; i++)
        r = timer_new(timers[i].source, follower->event, 0, timers[i].handler, follower);
    return r;
}

/* The contact that the process before this one had. */
static void read_old_status(struct follower *follower)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (files_read_status(follower->files, text) == 0)
        follower->freshness.contact = freshness_read_contact(text->str);
}

int follower_new(struct follower **followerp, sd_event *event, struct api_server *server,
                 struct files *files, const struct follower_config *config)
{
    struct follower *follower = g_new0(struct follower, 1);
    int r;

    follower->event = sd_event_ref(event);
    follower->files = files;
    follower->config = *config;
    follower->store = store_new();
    follower->feeds = g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))feed_free);
    follower->compare = true;
    follower->freshness = (struct freshness){
        .cluster = config->cluster, .server = config->address, .since = now_real()};
    read_old_status(follower);
    r = add_timers(follower);
    if (r >= 0)
        r = add_feeds(follower, server);
    if (r < 0) {
        follower_free(follower);
        return r;
    }
    write_status(follower);
    *followerp = follower;
    return 0;
}

struct follower *follower_free(struct follower *follower)
{
    if (!follower)
        return NULL;
    if (follower->feeds->len > 0)
        set_state(follower, FRESHNESS_STOPPED, NULL);
    if (files_need_sync(follower->files))
        files_sync(follower->files);
    g_ptr_array_unref(follower->feeds);
    g_queue_clear(&follower->turns);
    store_free(follower->store);
    sd_event_source_disable_unref(follower->status);
    sd_event_source_disable_unref(follower->sync);
    sd_event_source_disable_unref(follower->retry);
    sd_event_source_disable_unref(follower->age);
    sd_event_unref(follower->event);
    g_free(follower->freshness.problem);
    g_free(follower);
    return NULL;
}
