/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Follow: /etc/resolv.conf may be a plain file, a link into /run that some service replaces, or,
 * during boot, a dangling link. So the directory of every name on the way is watched, or, if it is
 * missing, its nearest existing parent; and the file itself, which in a container is a mount that
 * is written to elsewhere. Any event on one of them makes the path be followed again; what exactly
 * happened does not matter.
 */
#include "follow.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/inotify.h>

#include "log.h"

#define FOLLOW_LINKS_MAX 16u
#define FOLLOW_EVENTS                                                                              \
    (IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF |       \
     IN_MOVE_SELF | IN_ONLYDIR)

struct follow {
    sd_event *event;
    char *path;
    GPtrArray *watches; /* struct follow_watch */
    sd_event_source *changing;
    void (*changed)(void *userdata);
    void *userdata;
};

struct follow_watch {
    struct follow *follow;
    char *name; /* the relevant one in the directory; NULL: the file itself */
    sd_event_source *source;
};

static void follow_watch_free(void *userdata)
{
    struct follow_watch *watch = userdata;

    sd_event_source_disable_unref(watch->source);
    g_free(watch->name);
    g_free(watch);
}

static int follow_on_inotify(sd_event_source *source, const struct inotify_event *event,
                             void *userdata)
{
    struct follow_watch *watch = userdata;

    (void)source;
    if (event->len > 0 && g_strcmp0(event->name, watch->name) != 0)
        return 0;
    return sd_event_source_set_enabled(watch->follow->changing, SD_EVENT_ONESHOT);
}

static int follow_add(struct follow *follow, const char *path, uint32_t events, char *name)
{
    struct follow_watch *watch = g_new0(struct follow_watch, 1);
    int r;

    watch->follow = follow;
    watch->name = name;
    r = sd_event_add_inotify(follow->event, &watch->source, path, events, follow_on_inotify, watch);
    if (r >= 0)
        g_ptr_array_add(follow->watches, watch);
    else
        follow_watch_free(watch);
    return r;
}

/* Watches the directory of `path`, or the nearest one above it that exists. */
static int follow_watch_name(struct follow *follow, const char *path)
{
    g_autofree char *child = g_strdup(path);

    for (;;) {
        g_autofree char *directory = g_path_get_dirname(child);
        int r = follow_add(follow, directory, FOLLOW_EVENTS, g_path_get_basename(child));

        if (r != -ENOENT || strcmp(directory, child) == 0)
            return MIN(r, 0);
        g_free(child);
        child = g_steal_pointer(&directory);
    }
}

static int follow_watch_all(struct follow *follow)
{
    g_autofree char *path = g_strdup(follow->path);

    g_ptr_array_set_size(follow->watches, 0);
    for (unsigned i = 0; i < FOLLOW_LINKS_MAX; i++) {
        g_autofree char *directory = g_path_get_dirname(path);
        g_autofree char *target = NULL;
        int r = follow_watch_name(follow, path);

        if (r < 0)
            return r;
        target = g_file_read_link(path, NULL);
        if (!target) {
            (void)follow_add(follow, path, IN_CLOSE_WRITE, NULL); /* if it exists */
            return 0;
        }
        g_free(path);
        path = g_path_is_absolute(target) ? g_steal_pointer(&target)
                                          : g_build_filename(directory, target, NULL);
    }
    return 0; /* a loop of links: its members are watched */
}

static void follow_start(struct follow *follow)
{
    int r = follow_watch_all(follow);

    if (r < 0)
        log_warning("cannot watch %s: %s; changes will not be noticed until a reload", follow->path,
                    g_strerror(-r));
}

static int follow_on_change(sd_event_source *source, void *userdata)
{
    struct follow *follow = userdata;

    (void)source;
    follow_start(follow);
    follow->changed(follow->userdata);
    return 0;
}

int follow_new(struct follow **followp, sd_event *event, const char *path,
               void (*changed)(void *userdata), void *userdata)
{
    struct follow *follow = g_new(struct follow, 1);
    int r;

    *follow = (struct follow){
        .event = sd_event_ref(event),
        .path = g_strdup(path),
        .watches = g_ptr_array_new_with_free_func(follow_watch_free),
        .changed = changed,
        .userdata = userdata,
    };
    r = sd_event_add_defer(event, &follow->changing, follow_on_change, follow);
    if (r >= 0)
        r = sd_event_source_set_enabled(follow->changing, SD_EVENT_OFF);
    if (r < 0) {
        follow_free(follow);
        return r;
    }
    follow_start(follow);
    *followp = follow;
    return 0;
}

struct follow *follow_free(struct follow *follow)
{
    if (!follow)
        return NULL;
    g_ptr_array_unref(follow->watches);
    sd_event_source_disable_unref(follow->changing);
    sd_event_unref(follow->event);
    g_free(follow->path);
    g_free(follow);
    return NULL;
}
