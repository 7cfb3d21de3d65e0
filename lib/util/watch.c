/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One inotify instance, shared. It knows nothing of manifests, keeps no event, and reads all
 * pending events before any is acted on, because a burst then causes only one look. sd-event's own
 * inotify sources are not used: they hide a lack of watches and cannot be drained on demand.
 */
#include "watch.h"

#include <errno.h>
#include <glib.h>
#include <limits.h>
#include <stdalign.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

/* Bounds one round, so that clients are served: the queue may fill as fast as it is drained. */
#define DRAIN_READS_MAX 32

struct watched {
    struct watch *watch;
    int wd;
    GQueue everything;   /* struct watch_point */
    GHashTable *by_name; /* name -> GQueue * of struct watch_point */
    unsigned n;
};

struct watch_point {
    struct watched *watched; /* NULL: the watch has ended */
    GList link;              /* of its queue */
    char *name;
    uint32_t mask;
    watch_event event;
    void *userdata;
};

struct watch {
    sd_event *event;
    sd_event_source *source;
    int fd;
    GHashTable *watched; /* wd -> struct watched */
    struct watch_handlers handlers;
    bool exhausted;
    bool failed; /* in this round */
};

static bool is_shortage(int error)
{
    return error == ENOSPC || error == EMFILE || error == ENFILE || error == ENOMEM;
}

static void exhaust(struct watch *watch, int error)
{
    watch->failed = true;
    if (watch->exhausted)
        return;
    watch->exhausted = true;
    log_warning("cannot watch all %s: %s (see fs.inotify.max_user_watches and "
                "max_user_instances); %s",
                watch->handlers.what, strerrordesc_np(error), watch->handlers.otherwise);
}

static GQueue *queue_of(struct watched *watched, const char *name)
{
    return name ? g_hash_table_lookup(watched->by_name, name) : &watched->everything;
}

static void link_point(struct watched *watched, struct watch_point *point)
{
    GQueue *queue = queue_of(watched, point->name);

    if (!queue) {
        queue = g_new0(GQueue, 1);
        g_hash_table_insert(watched->by_name, g_strdup(point->name), queue);
    }
    point->watched = watched;
    point->link.data = point;
    g_queue_push_tail_link(queue, &point->link);
    watched->n++;
}

static void unlink_point(struct watch_point *point)
{
    struct watched *watched = point->watched;
    GQueue *queue = queue_of(watched, point->name);

    g_queue_unlink(queue, &point->link);
    if (point->name && queue->length == 0)
        g_hash_table_remove(watched->by_name, point->name);
    point->watched = NULL;
    watched->n--;
}

static void emit(const GQueue *queue, uint32_t mask, const char *name)
{
    for (const GList *link = queue ? queue->head : NULL; link; link = link->next) {
        const struct watch_point *point = link->data;

        if (mask & point->mask)
            point->event(point->userdata, mask, name);
    }
}

static void detach(GQueue *queue)
{
    for (GList *link; (link = g_queue_pop_head_link(queue));) {
        struct watch_point *point = link->data;

        point->watched = NULL;
        point->event(point->userdata, IN_IGNORED, NULL);
    }
}

/* The kernel has dropped the watch: its inode is deleted or its file system unmounted. */
static void end_watched(struct watched *watched)
{
    GHashTableIter iter;
    void *queue;

    detach(&watched->everything);
    g_hash_table_iter_init(&iter, watched->by_name);
    while (g_hash_table_iter_next(&iter, NULL, &queue))
        detach(queue);
    g_hash_table_remove(watched->watch->watched, GINT_TO_POINTER(watched->wd));
}

static void free_watched(void *data)
{
    struct watched *watched = data;

    g_hash_table_unref(watched->by_name);
    g_free(watched);
}

static void on_event(struct watch *watch, const struct inotify_event *event, const char *name)
{
    if (event->mask & IN_Q_OVERFLOW) {
        watch->handlers.overflow(watch->handlers.userdata);
        return;
    }
    struct watched *watched = g_hash_table_lookup(watch->watched, GINT_TO_POINTER(event->wd));
    if (!watched)
        return; /* removed meanwhile */
    if (event->mask & IN_IGNORED) {
        end_watched(watched);
        return;
    }
    emit(&watched->everything, event->mask, name);
    if (name)
        emit(queue_of(watched, name), event->mask, name);
}

void watch_drain(struct watch *watch)
{
    alignas(struct inotify_event) char buffer[16384];
    bool heard = false;

    if (watch->fd < 0)
        return;
    for (unsigned i = 0; i < DRAIN_READS_MAX; i++) {
        ssize_t size = read(watch->fd, buffer, sizeof(buffer));
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            break;
        heard = true;
        for (size_t at = 0; (size_t)size - at >= sizeof(struct inotify_event);) {
            const struct inotify_event *event = (const void *)(buffer + at);
            at += sizeof(*event);
            if (event->len > (size_t)size - at)
                break;
            on_event(watch, event, event->len > 0 ? event->name : NULL);
            at += event->len;
        }
    }
    if (heard)
        watch->handlers.drained(watch->handlers.userdata);
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    (void)source;
    (void)fd;
    (void)revents;
    watch_drain(userdata);
    return 0;
}

/* Zero or WATCH_EXHAUSTED. */
static int open_instance(struct watch *watch)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) {
        exhaust(watch, errno);
        return WATCH_EXHAUSTED;
    }
    int r = sd_event_add_io(watch->event, &watch->source, fd, EPOLLIN, on_readable, watch);
    if (r < 0) {
        close(fd);
        exhaust(watch, -r);
        return WATCH_EXHAUSTED;
    }
    sd_event_source_set_io_fd_own(watch->source, 1);
    (void)sd_event_source_set_description(watch->source, "inotify");
    watch->fd = fd;
    return 0;
}

struct watch *watch_new(sd_event *event, const struct watch_handlers *handlers)
{
    struct watch *watch = g_new0(struct watch, 1);

    watch->event = sd_event_ref(event);
    watch->fd = -1;
    watch->handlers = *handlers;
    watch->watched = g_hash_table_new_full(NULL, NULL, NULL, free_watched);
    (void)open_instance(watch);
    return watch;
}

struct watch *watch_free(struct watch *watch)
{
    if (!watch)
        return NULL;
    sd_event_source_disable_unref(watch->source);
    g_hash_table_unref(watch->watched);
    sd_event_unref(watch->event);
    g_free(watch);
    return NULL;
}

static struct watched *get_watched(struct watch *watch, int wd)
{
    struct watched *watched = g_hash_table_lookup(watch->watched, GINT_TO_POINTER(wd));

    if (watched)
        return watched;
    watched = g_new0(struct watched, 1);
    watched->watch = watch;
    watched->wd = wd;
    watched->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_insert(watch->watched, GINT_TO_POINTER(wd), watched);
    return watched;
}

int watch_add(struct watch *watch, struct watch_point **pointp, const char *path, uint32_t mask,
              const char *name, watch_event event, void *userdata)
{
    *pointp = NULL;
    if (watch->fd < 0 && open_instance(watch) != 0)
        return WATCH_EXHAUSTED;

    /* IN_MASK_ADD: another listener may be at the same inode with another mask. */
    int wd = inotify_add_watch(watch->fd, path, mask | IN_MASK_ADD);
    if (wd < 0 && is_shortage(errno)) {
        exhaust(watch, errno);
        return WATCH_EXHAUSTED;
    }
    if (wd < 0)
        return -errno;

    struct watch_point *point = g_new0(struct watch_point, 1);
    point->name = g_strdup(name);
    point->mask = mask | IN_UNMOUNT;
    point->event = event;
    point->userdata = userdata;
    link_point(get_watched(watch, wd), point);
    *pointp = point;
    return 0;
}

struct watch_point *watch_point_free(struct watch_point *point)
{
    if (!point)
        return NULL;
    struct watched *watched = point->watched;
    if (watched) {
        unlink_point(point);
        if (watched->n == 0) {
            /* Fails only if the kernel has just dropped the watch itself. */
            (void)inotify_rm_watch(watched->watch->fd, watched->wd);
            g_hash_table_remove(watched->watch->watched, GINT_TO_POINTER(watched->wd));
        }
    }
    g_free(point->name);
    g_free(point);
    return NULL;
}

bool watch_point_is_same(const struct watch_point *a, const struct watch_point *b)
{
    return a && b && a->watched && a->watched == b->watched && g_strcmp0(a->name, b->name) == 0;
}

bool watch_is_exhausted(const struct watch *watch)
{
    return watch->exhausted;
}

void watch_begin_round(struct watch *watch)
{
    watch->failed = false;
}

void watch_end_round(struct watch *watch)
{
    if (!watch->exhausted || watch->failed)
        return;
    watch->exhausted = false;
    log_notice("watching all %s again", watch->handlers.what);
}
