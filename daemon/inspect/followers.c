/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Followers: each message is written once, as a frame, and appended to every queue; the event loop
 * sends them. The server is observed only while a client follows questions, so that otherwise a
 * question costs nothing more.
 */
#include "followers.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "frame_writer.h"
#include "lib/util/json.h"
#include "lib/util/log.h"
#include "query.h"
#include "report.h"

#define FOLLOWERS_MAX 16u
#define FOLLOWERS_USER_MAX 8u
#define FOLLOWER_BYTES_MAX ((size_t)1 << 20)

struct followers {
    sd_event *event;
    struct server *server;
    GPtrArray *all; /* struct watching_client * */
    struct json *json;
    GByteArray *frame; /* being written */
};

struct watching_client {
    struct followers *followers;
    uid_t uid;
    int fd;
    bool questions;
    bool overrun; /* its queue was full: it is to go */
    sd_event_source *io;
    GByteArray *queue;
};

static void follower_free(void *data)
{
    struct watching_client *follower = data;

    sd_event_source_disable_unref(follower->io);
    close(follower->fd);
    g_byte_array_unref(follower->queue);
    g_free(follower);
}

static void append(void *userdata, const char *text, size_t size)
{
    g_byte_array_append(userdata, (const uint8_t *)text, (guint)size);
}

struct followers *followers_new(sd_event *event, struct server *server)
{
    struct followers *followers = g_new(struct followers, 1);

    *followers = (struct followers){
        .event = sd_event_ref(event),
        .server = server,
        .all = g_ptr_array_new_with_free_func(follower_free),
        .frame = g_byte_array_new(),
    };
    followers->json = json_new(false, append, followers->frame);
    return followers;
}

static void observe(struct followers *followers);

struct followers *followers_free(struct followers *followers)
{
    if (!followers)
        return NULL;
    g_ptr_array_set_size(followers->all, 0);
    observe(followers);
    g_ptr_array_unref(followers->all);
    json_free(followers->json);
    g_byte_array_unref(followers->frame);
    sd_event_unref(followers->event);
    g_free(followers);
    return NULL;
}

static void drop(struct watching_client *follower)
{
    struct followers *followers = follower->followers;

    g_ptr_array_remove_fast(followers->all, follower);
    observe(followers);
}

/* --- Telling --- */

static void queue(struct watching_client *follower, const uint8_t *data, size_t size)
{
    if (follower->queue->len + size > FOLLOWER_BYTES_MAX)
        follower->overrun = true;
    else
        g_byte_array_append(follower->queue, data, (guint)size);
    (void)sd_event_source_set_io_events(follower->io, EPOLLIN | EPOLLOUT);
}

static void begin(struct followers *followers, const char *event, uint64_t time)
{
    g_byte_array_set_size(followers->frame, sizeof(struct kubesvc_header));
    json_open(followers->json, NULL);
    json_text(followers->json, "event", event);
    json_time(followers->json, "time", time);
}

static void end(struct followers *followers, bool query)
{
    struct kubesvc_header header;

    json_close_line(followers->json);
    frame_writer_make_text(&header, followers->frame->len - sizeof header);
    memcpy(followers->frame->data, &header, sizeof header);
    for (guint i = 0; i < followers->all->len; i++) {
        struct watching_client *follower = followers->all->pdata[i];

        if (follower->questions || !query)
            queue(follower, followers->frame->data, followers->frame->len);
    }
}

void followers_emit(struct followers *followers, uint64_t time, const char *text)
{
    if (followers->all->len == 0)
        return;
    begin(followers, "change", time);
    json_text(followers->json, "text", text);
    end(followers, false);
}

static void put_asked(struct json *json, const struct request *request)
{
    if (request->kind == REQUEST_NAME) {
        g_autofree char *name = g_strndup(request->name, request->name_length);

        json_text(json, "name", name);
    } else {
        struct address address = inspect_query_address(request);

        json_address(json, "name", &address);
    }
}

static void on_question(void *userdata, const struct server_question *query)
{
    static const char *const families[] = {[KUBESVC_FAMILY_ANY] = "any",
                                           [KUBESVC_FAMILY_INET] = "inet",
                                           [KUBESVC_FAMILY_INET6] = "inet6"};
    struct followers *followers = userdata;
    const struct request *request = query->request;
    g_autofree char *ns = NULL;
    struct json *json = followers->json;
    struct ucred peer = {0};
    socklen_t size = sizeof peer;

    begin(followers, "question", (uint64_t)g_get_real_time());
    put_asked(json, request);
    json_text(json, "family", families[request->family]);
    if (request->kind == REQUEST_NAME && request->namespace_length > 0)
        ns = g_strndup(request->ns, request->namespace_length);
    json_text(json, "namespace", ns);
    json_text(json, "status", report_status_name(query->status));
    json_number(json, "addresses", query->n_addresses);
    json_number(json, "microseconds", query->microseconds);
    if (getsockopt(query->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) {
        json_number(json, "uid", peer.uid);
        json_number(json, "pid", (uint64_t)peer.pid);
    }
    end(followers, true);
}

/* Starts following for a client. */
static void observe(struct followers *followers)
{
    bool questions = false;

    for (guint i = 0; i < followers->all->len; i++)
        questions |= ((const struct watching_client *)followers->all->pdata[i])->questions;
    server_observe(followers->server, questions ? on_question : NULL, followers);
}

/* --- Following --- */

static bool is_over(struct watching_client *follower, uint32_t revents)
{
    uint8_t ignored[256];
    ssize_t n;

    if (follower->overrun || (revents & (EPOLLHUP | EPOLLERR)))
        return true;
    if (revents & EPOLLIN) {
        n = recv(follower->fd, ignored, sizeof ignored, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return true;
    }
    if (follower->queue->len > 0) {
        n = send(follower->fd, follower->queue->data, follower->queue->len,
                 MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return true;
        if (n > 0)
            g_byte_array_remove_range(follower->queue, 0, (guint)n);
    }
    return false;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct watching_client *follower = userdata;

    (void)fd;
    if (is_over(follower, revents))
        drop(follower);
    else if (follower->queue->len == 0)
        (void)sd_event_source_set_io_events(source, EPOLLIN);
    return 0;
}

static bool is_busy(const struct followers *followers, uid_t uid)
{
    unsigned of_user = 0;

    for (guint i = 0; i < followers->all->len; i++)
        of_user += ((const struct watching_client *)followers->all->pdata[i])->uid == uid;
    return followers->all->len >= FOLLOWERS_MAX || of_user >= FOLLOWERS_USER_MAX;
}

enum followers_added followers_add(struct followers *followers, int fd, const struct ucred *peer,
                                   bool questions)
{
    struct kubesvc_header hello;
    struct watching_client *follower;

    /* What others ask is for them, root and the daemon's own user to know. */
    if (questions && peer->uid != 0 && peer->uid != geteuid())
        return FOLLOWERS_DENIED;
    if (is_busy(followers, peer->uid))
        return FOLLOWERS_BUSY;
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return FOLLOWERS_BUSY;
    follower = g_new(struct watching_client, 1);
    *follower = (struct watching_client){
        .followers = followers,
        .uid = peer->uid,
        .fd = fd,
        .questions = questions,
        .queue = g_byte_array_new(),
    };
    if (sd_event_add_io(followers->event, &follower->io, fd, EPOLLIN, on_io, follower) < 0) {
        follower_free(follower);
        return FOLLOWERS_BUSY;
    }
    g_ptr_array_add(followers->all, follower);
    observe(followers);
    /* An empty frame says that from now on nothing is missed. */
    frame_writer_make_text(&hello, 0);
    queue(follower, (const uint8_t *)&hello, sizeof hello);
    return FOLLOWERS_ADDED;
}
