/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks a path like the kernel, because each step needs a watch before it is taken: any change
 * after the watch is set makes an event, so nothing is missed between looking and watching. If a
 * watch cannot be had, the walk continues; the caller then polls.
 */
#include "path_watch.h"

#include <errno.h>
#include <glib.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* same as the kernel's */

/* IN_EXCL_UNLINK: events on a file that has lost the name are irrelevant. */
#define WAY_MASK                                                                                   \
    (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR | IN_EXCL_UNLINK)
#define LAST_MASK (WAY_MASK | IN_MODIFY | IN_CLOSE_WRITE)

struct path_watch {
    struct watch *watch;
    GPtrArray *points;
    path_watch_event event;
    void *userdata;
    bool moved;
};

struct walk {
    GString *at; /* directory reached so far; empty: the root directory */
    char *rest;  /* remaining part of the path */
    unsigned links;
};

static void free_point(void *point)
{
    watch_point_free(point);
}

static void on_way(void *userdata, uint32_t mask, const char *name)
{
    struct path_watch *path_watch = userdata;

    (void)name;
    path_watch->event(path_watch->userdata, mask, false);
}

static void on_last(void *userdata, uint32_t mask, const char *name)
{
    struct path_watch *path_watch = userdata;

    path_watch->event(path_watch->userdata, mask, name != NULL);
}

struct path_watch *path_watch_new(struct watch *watch, path_watch_event event, void *userdata)
{
    struct path_watch *path_watch = g_new0(struct path_watch, 1);

    path_watch->watch = watch;
    path_watch->event = event;
    path_watch->userdata = userdata;
    path_watch->points = g_ptr_array_new_with_free_func(free_point);
    return path_watch;
}

struct path_watch *path_watch_free(struct path_watch *path_watch)
{
    if (!path_watch)
        return NULL;
    g_ptr_array_unref(path_watch->points);
    g_free(path_watch);
    return NULL;
}

static void go_up(GString *at)
{
    const char *slash = strrchr(at->str, '/');

    g_string_truncate(at, slash ? (size_t)(slash - at->str) : 0);
}

/* Takes the next name off the remaining path; NULL at the end. */
static char *next_name(struct walk *walk)
{
    const char *start = walk->rest + strspn(walk->rest, "/");
    size_t length = strcspn(start, "/");

    if (length == 0)
        return NULL;
    char *name = g_strndup(start, length);
    char *rest = g_strdup(start + length);
    g_free(walk->rest);
    walk->rest = rest;
    return name;
}

static bool is_last(const struct walk *walk)
{
    return walk->rest[strspn(walk->rest, "/")] == '\0';
}

static void watch_name(struct path_watch *path_watch, const struct walk *walk, const char *name)
{
    const char *directory = walk->at->len > 0 ? walk->at->str : "/";
    bool last = is_last(walk);
    struct watch_point *point;

    int r = watch_add(path_watch->watch, &point, directory, last ? LAST_MASK : WAY_MASK, name,
                      last ? on_last : on_way, path_watch);
    /* A directory that may be passed but not listed cannot be watched; the path works all the same,
     * and the periodic rescan will see changes. */
    if (r == 0)
        g_ptr_array_add(path_watch->points, point);
}

static int follow_link(struct walk *walk)
{
    char target[PATH_MAX];

    if (++walk->links > LINKS_MAX)
        return -ELOOP;
    ssize_t length = readlink(walk->at->str, target, sizeof(target) - 1);
    if (length < 0)
        return -errno;
    target[length] = '\0';
    if (target[0] == '/')
        g_string_truncate(walk->at, 0);
    else
        go_up(walk->at);
    char *rest = g_strconcat(target, "/", walk->rest, NULL);
    g_free(walk->rest);
    walk->rest = rest;
    return strlen(rest) < 4 * PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int step(struct path_watch *path_watch, struct walk *walk, const char *name)
{
    struct stat st;

    if (strcmp(name, ".") == 0)
        return 0;
    if (strcmp(name, "..") == 0) {
        go_up(walk->at);
        return 0;
    }
    watch_name(path_watch, walk, name);
    g_string_append_c(walk->at, '/');
    g_string_append(walk->at, name);
    if (lstat(walk->at->str, &st) < 0)
        return -errno;
    if (S_ISLNK(st.st_mode))
        return follow_link(walk);
    return is_last(walk) || S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static const struct watch_point *get_last(const GPtrArray *points)
{
    return points->len > 0 ? points->pdata[points->len - 1] : NULL;
}

int path_watch_follow(struct path_watch *path_watch, const char *from, const char *target,
                      char **resolvedp)
{
    bool from_root = target[0] == '/' || strcmp(from, "/") == 0;
    struct walk walk = {g_string_new(from_root ? "" : from), g_strdup(target), 0};
    int r = 0;

    /* The old points go last, so that an unchanged path keeps its kernel watches. */
    GPtrArray *old = path_watch->points;
    path_watch->points = g_ptr_array_new_with_free_func(free_point);
    while (r == 0) {
        g_autofree char *name = next_name(&walk);
        if (!name)
            break;
        r = step(path_watch, &walk, name);
    }
    path_watch->moved = !watch_point_is_same(get_last(old), get_last(path_watch->points));
    g_ptr_array_unref(old);
    g_free(walk.rest);
    if (r == 0 && walk.at->len == 0)
        g_string_append_c(walk.at, '/');
    char *resolved = g_string_free(walk.at, r < 0);
    if (r == 0)
        *resolvedp = resolved;
    return r;
}

bool path_watch_has_moved(const struct path_watch *path_watch)
{
    return path_watch->moved;
}
