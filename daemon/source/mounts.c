/*
 * /proc/self/mountinfo becomes exceptional (EPOLLPRI) when the mount table changes. What changed is
 * not read from it: whoever asks compares the directories he knows, which is cheaper and cannot
 * misread a path.
 */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/epoll.h>
#include <unistd.h>

struct mounts {
    sd_event_source *source;
    void (*changed)(void *userdata);
    void *userdata;
};

static int on_change(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct mounts *mounts = userdata;

    (void)source;
    (void)fd;
    (void)revents;
    /* The kernel forgets the change as it is polled; there is nothing to read. */
    mounts->changed(mounts->userdata);
    return 0;
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
