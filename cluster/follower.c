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
    enum freshness_state state;
    uint64_t since, contact;
    char *problem;
    int write_error;
    sd_event_source *status, *sync, *retry, *age;
};

static uint64_t now_real(void)
{
    return (uint64_t)g_get_real_time();
}

static void arm(sd_event_source *timer, uint64_t delay)
{
    int enabled = SD_EVENT_OFF;

    (void)sd_event_source_get_enabled(timer, &enabled);
    if (enabled != SD_EVENT_OFF)
        return;
    (void)sd_event_source_set_time_relative(timer, delay);
    (void)sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static void write_status(struct follower *follower)
{
    g_autofree struct freshness_feed *feeds = g_new0(struct freshness_feed, follower->feeds->len);
    g_autofree char *text = NULL;
    struct freshness freshness = {
        .cluster = follower->config.cluster,
        .server = follower->config.address,
        .problem = follower->problem,
        .state = follower->state,
        .since = follower->since,
        .contact = follower->contact,
        .feeds = feeds,
        .n_feeds = follower->feeds->len,
    };
    size_t size;
    int r;

    for (unsigned i = 0; i < follower->feeds->len; i++) {
        const struct feed *feed = follower->feeds->pdata[i];

        feeds[i] = (struct freshness_feed){feed_name(feed), feed_version(feed), feed_problem(feed)};
    }
    for (unsigned i = 0; i < N_RESOURCES; i++)
        freshness.objects[i] = store_count(follower->store, i);
    text = freshness_write(&freshness, &size);
    r = files_write_status(follower->files, text, size);
    if (r < 0 && r != follower->write_error)
        log_error("cannot write the status: %s", g_strerror(-r));
    (void)sd_notifyf(0, "STATUS=%s", follower->problem ? follower->problem : "In sync");
}

static int on_status(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct follower *follower = userdata;

    (void)source;
    (void)usec;
    if (follower->state == FRESHNESS_SYNCED)
        follower->contact = now_real();
    write_status(follower);
    return 0;
}

static int on_sync(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct follower *follower = userdata;

    (void)source;
    (void)usec;
    files_sync(follower->files);
    return 0;
}

static void set_state(struct follower *follower, enum freshness_state state, const char *problem)
{
    if (follower->state == state && g_strcmp0(follower->problem, problem) == 0)
        return;
    if (follower->state == FRESHNESS_SYNCED || state == FRESHNESS_SYNCED)
        follower->contact = now_real();
    if (follower->state != state)
        follower->since = now_real();
    follower->state = state;
    g_free(follower->problem);
    follower->problem = g_strdup(problem);
    write_status(follower);
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
    if (r < 0 && r != follower->write_error)
        log_error("%s: cannot be written: %s; trying again every %u s", group, g_strerror(-r),
                  (unsigned)(RETRY_DELAY / SECOND));
    if (r < 0)
        follower->write_error = r;
    return r == 0;
}

static bool all_listed(const struct follower *follower)
{
    for (unsigned i = 0; i < follower->feeds->len; i++) {
        if (!feed_has_listed(follower->feeds->pdata[i]))
            return false;
    }
    return true;
}

/* The state of the whole is that of its worst feed. */
static void update_state(struct follower *follower)
{
    const struct feed *worst = NULL;

    for (unsigned i = 0; i < follower->feeds->len; i++) {
        const struct feed *feed = follower->feeds->pdata[i];

        if (feed_health(feed) >= FEED_DISCONNECTED &&
            (!worst || feed_health(feed) > feed_health(worst)))
            worst = feed;
    }
    if (!worst) {
        set_state(follower, follower->ready ? FRESHNESS_SYNCED : FRESHNESS_STARTING, NULL);
        (void)sd_event_source_set_enabled(follower->age, SD_EVENT_OFF);
        return;
    }
    set_state(follower,
              follower->expired                   ? FRESHNESS_EXPIRED
              : feed_health(worst) == FEED_DENIED ? FRESHNESS_DENIED
                                                  : FRESHNESS_DISCONNECTED,
              feed_problem(worst));
    if (follower->config.max_age > 0 && !follower->expired) {
        uint64_t now = now_real(), age = now - MIN(now, follower->contact);

        arm(follower->age, age < follower->config.max_age ? follower->config.max_age - age : 0);
    }
}

static bool all_healthy(const struct follower *follower)
{
    for (unsigned i = 0; i < follower->feeds->len; i++) {
        if (feed_health(follower->feeds->pdata[i]) != FEED_SYNCED)
            return false;
    }
    return true;
}

/* Writes what has changed; the first time, and after the files were removed, everything. */
static void flush(struct follower *follower)
{
    unsigned left;
    int r = 0;

    if (follower->ready ? follower->expired && !all_healthy(follower) : !all_listed(follower))
        return;
    left = store_take_changed(follower->store, write_group, follower);
    if (left == 0 && follower->compare) {
        r = files_prune(follower->files, follower->store);
        if (r < 0 && r != follower->write_error)
            log_error("cannot remove old files: %s", g_strerror(-r));
        if (r < 0)
            follower->write_error = r;
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
    (void)source;
    (void)usec;
    flush(userdata);
    return 0;
}

static int on_age(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct follower *follower = userdata;
    int r = files_prune(follower->files, NULL);

    (void)source;
    (void)usec;
    if (r < 0)
        log_error("cannot remove the files: %s", g_strerror(-r));
    log_warning("no contact for longer than maxAge; the cluster's names are taken away");
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

    if (feed_problem(feed))
        log_warning("%s; keeping what is known", feed_problem(feed));
    else if (follower->ready)
        log_notice("%s: in contact again", feed_name(feed));
    if (!feed_problem(feed))
        flush(follower);
    update_state(follower);
    if (feed_problem(feed) && follower->config.once)
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

    for (size_t i = 0; i < G_N_ELEMENTS(timers) && r >= 0; i++) {
        r = sd_event_add_time(follower->event, timers[i].source, CLOCK_MONOTONIC, 0, 0,
                              timers[i].handler, follower);
        if (r >= 0)
            r = sd_event_source_set_enabled(*timers[i].source, SD_EVENT_OFF);
    }
    return r;
}

static void read_old_status(struct follower *follower)
{
    g_autofree char *text = NULL;
    size_t size;

    if (files_read_status(follower->files, &text, &size) == 0)
        follower->contact = freshness_read_contact(text);
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
    follower->since = now_real();
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
    g_free(follower->problem);
    g_free(follower);
    return NULL;
}
