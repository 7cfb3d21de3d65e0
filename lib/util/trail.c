/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A path walked by hand, as the kernel does it, because each step needs a watch before it is taken:
 * whatever changes after the watch is set makes an event, so nothing is missed between looking and
 * watching. Where a watch cannot be had the walk goes on; somebody polls then.
 */
#include "trail.h"

#include <errno.h>
#include <glib.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel's own */

/* IN_EXCL_UNLINK: what is done to a file that has lost the name is of no concern. */
#define WAY_MASK                                                                                   \
    (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR | IN_EXCL_UNLINK)
#define LAST_MASK (WAY_MASK | IN_MODIFY | IN_CLOSE_WRITE)

struct trail {
    struct watch *watch;
    GPtrArray *points;
    trail_event event;
    void *userdata;
    bool moved;
};

struct walk {
    GString *at; /* where it has come to; empty: the root directory */
    char *rest;  /* what is left of the path */
    unsigned links;
};

static void free_point(void *point)
{
    watch_point_free(point);
}

static void on_way(void *userdata, uint32_t mask, const char *name)
{
    struct trail *trail = userdata;

    (void)name;
    trail->event(trail->userdata, mask, false);
}

static void on_last(void *userdata, uint32_t mask, const char *name)
{
    struct trail *trail = userdata;

    trail->event(trail->userdata, mask, name != NULL);
}

struct trail *trail_new(struct watch *watch, trail_event event, void *userdata)
{
    struct trail *trail = g_new0(struct trail, 1);

    trail->watch = watch;
    trail->event = event;
    trail->userdata = userdata;
    trail->points = g_ptr_array_new_with_free_func(free_point);
    return trail;
}

struct trail *trail_free(struct trail *trail)
{
    if (!trail)
        return NULL;
    g_ptr_array_unref(trail->points);
    g_free(trail);
    return NULL;
}

static void go_up(GString *at)
{
    const char *slash = strrchr(at->str, '/');

    g_string_truncate(at, slash ? (size_t)(slash - at->str) : 0);
}

/* Takes the next name off the rest; NULL at the end. */
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

static void watch_name(struct trail *trail, const struct walk *walk, const char *name)
{
    const char *directory = walk->at->len > 0 ? walk->at->str : "/";
    bool last = is_last(walk);
    struct watch_point *point;

    int r = watch_add(trail->watch, &point, directory, last ? LAST_MASK : WAY_MASK, name,
                      last ? on_last : on_way, trail);
    /* A directory that may be passed but not listed cannot be watched; the path works all the same
     * and the reconciling look will see what changes. */
    if (r == 0)
        g_ptr_array_add(trail->points, point);
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

static int step(struct trail *trail, struct walk *walk, const char *name)
{
    struct stat st;

    if (strcmp(name, ".") == 0)
        return 0;
    if (strcmp(name, "..") == 0) {
        go_up(walk->at);
        return 0;
    }
    watch_name(trail, walk, name);
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

int trail_follow(struct trail *trail, const char *from, const char *target, char **resolvedp)
{
    bool from_root = target[0] == '/' || strcmp(from, "/") == 0;
    struct walk walk = {g_string_new(from_root ? "" : from), g_strdup(target), 0};
    int r = 0;

    /* The old points go last, so that a way that is still the same keeps its kernel watches. */
    GPtrArray *old = trail->points;
    trail->points = g_ptr_array_new_with_free_func(free_point);
    while (r == 0) {
        g_autofree char *name = next_name(&walk);
        if (!name)
            break;
        r = step(trail, &walk, name);
    }
    trail->moved = !watch_point_is_same(get_last(old), get_last(trail->points));
    g_ptr_array_unref(old);
    g_free(walk.rest);
    if (r == 0 && walk.at->len == 0)
        g_string_append_c(walk.at, '/');
    char *resolved = g_string_free(walk.at, r < 0);
    if (r == 0)
        *resolvedp = resolved;
    return r;
}

bool trail_has_moved(const struct trail *trail)
{
    return trail->moved;
}
