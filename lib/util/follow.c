/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /etc/resolv.conf may be a plain file, a link into /run that some service replaces, or, during
 * boot, a dangling link: path_watch knows these. Besides, the file itself is watched, which in a
 * container is a mount that is written to elsewhere. Any event makes the path be followed again;
 * what exactly happened does not matter.
 */
#include "follow.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <sys/inotify.h>

#include "log.h"
#include "path_watch.h"

#define OTHERWISE "changes will not be noticed until a reload"

struct follow {
    char *path, *from; /* the latter: what a relative path starts at */
    char *what;        /* for the log */
    struct watch *watch;
    struct path_watch *path_watch;
    struct watch_point *file; /* NULL: there is none */
    bool stale;               /* there was an event */
    void (*changed)(void *userdata);
    void *userdata;
};

static void on_path(void *userdata, uint32_t mask, bool last)
{
    struct follow *follow = userdata;

    (void)last;
    follow->stale |= (mask & ~(uint32_t)(IN_MODIFY | IN_ISDIR)) != 0; /* else it is being written */
}

static void on_file(void *userdata, uint32_t mask, const char *name)
{
    struct follow *follow = userdata;

    (void)mask;
    (void)name;
    follow->stale = true;
}

static void find(struct follow *follow)
{
    struct watch_point *before = follow->file;
    g_autofree char *resolved = NULL;
    int r = path_watch_follow(follow->path_watch, follow->from, follow->path, &resolved);

    follow->file = NULL;
    if (r == 0)
        r = watch_add(follow->watch, &follow->file, resolved, IN_CLOSE_WRITE, NULL, on_file,
                      follow);
    if (r < 0 && r != -ENOENT)
        log_warning("cannot watch %s: %s; %s", follow->path, g_strerror(-r), OTHERWISE);
    watch_point_free(before);
}

static void on_overflow(void *userdata)
{
    struct follow *follow = userdata;

    follow->stale = true;
}

static void on_drained(void *userdata)
{
    struct follow *follow = userdata;

    if (!follow->stale)
        return;
    follow->stale = false;
    find(follow);
    follow->changed(follow->userdata);
}

struct follow *follow_new(sd_event *event, const char *path, void (*changed)(void *userdata),
                          void *userdata)
{
    struct follow *follow = g_new0(struct follow, 1);
    struct watch_handlers handlers = {
        .otherwise = OTHERWISE, .overflow = on_overflow, .drained = on_drained, .userdata = follow};

    follow->path = g_strdup(path);
    handlers.what = follow->what = g_strconcat("of ", path, NULL);
    follow->from = g_get_current_dir();
    follow->changed = changed;
    follow->userdata = userdata;
    follow->watch = watch_new(event, &handlers);
    follow->path_watch = path_watch_new(follow->watch, on_path, follow);
    find(follow);
    return follow;
}

struct follow *follow_free(struct follow *follow)
{
    if (!follow)
        return NULL;
    watch_point_free(follow->file);
    path_watch_free(follow->path_watch);
    watch_free(follow->watch);
    g_free(follow->what);
    g_free(follow->from);
    g_free(follow->path);
    g_free(follow);
    return NULL;
}
