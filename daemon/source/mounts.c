/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /proc/self/mountinfo becomes exceptional (EPOLLPRI) when the mount table changes. It does not
 * tell what changed: the caller compares the directories it knows, and examines files that are
 * mount points again.
 */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MOUNT_POINT_FIELD 5

struct mounts {
    sd_event_source *source;
    void (*changed)(void *userdata);
    void *userdata;
};

static int on_change(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct mounts *mounts = userdata;

    (void)source, (void)fd, (void)revents;
    /* Polling it clears the condition; there is nothing to read. */
    mounts->changed(mounts->userdata);
    return 0;
}

static GString *read_all(int fd)
{
    GString *text = g_string_new(NULL);
    char buffer[8192];
    ssize_t n;

    while ((n = pread(fd, buffer, sizeof(buffer), (off_t)text->len)) > 0)
        g_string_append_len(text, buffer, n);
    return text;
}

static void add_point(GHashTable *points, const char *path)
{
    g_autofree char *directory = g_path_get_dirname(path);
    GPtrArray *names = g_hash_table_lookup(points, directory);

    if (!names) {
        names = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_insert(points, g_steal_pointer(&directory), names);
    }
    g_ptr_array_add(names, g_path_get_basename(path));
}

GHashTable *mounts_points(const struct mounts *mounts)
{
    GHashTable *points =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    GString *text = read_all(sd_event_source_get_io_fd(mounts->source));
    char *rest = text->str, *line;

    while ((line = strsep(&rest, "\n"))) {
        const char *field = NULL;
        for (unsigned i = 0; i < MOUNT_POINT_FIELD; i++)
            field = strsep(&line, " ");
        if (!field)
            continue;
        g_autofree char *path = g_strcompress(field); /* \040 and the like */
        add_point(points, path);
    }
    g_string_free(text, TRUE);
    return points;
}

int mounts_new(struct mounts **mountsp, sd_event *event, void (*changed)(void *userdata),
               void *userdata)
{
    int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;

    struct mounts *mounts = g_new0(struct mounts, 1);
    mounts->changed = changed;
    mounts->userdata = userdata;
    int r = sd_event_add_io(event, &mounts->source, fd, EPOLLPRI, on_change, mounts);
    if (r < 0) {
        close(fd);
        g_free(mounts);
        return r;
    }
    sd_event_source_set_io_fd_own(mounts->source, 1);
    (void)sd_event_source_set_description(mounts->source, "mounts");
    *mountsp = mounts;
    return 0;
}

struct mounts *mounts_free(struct mounts *mounts)
{
    if (!mounts)
        return NULL;
    sd_event_source_disable_unref(mounts->source);
    g_free(mounts);
    return NULL;
}
