/*
 * Inspect: who asks, which verb, and whether there is room for it. Everything that takes time
 * happens elsewhere.
 */
#include "inspect.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "children.h"
#include "followers.h"
#include "report.h"

/* Requests that wait for a child to end: who asks for one thing after the other is not to be told
 * that it is busy with the last one. */
#define WAITING_MAX 32u
#define WAITING_USER_MAX 8u

struct inspect {
    const struct inspect_world *world;
    GQueue waiting; /* struct request_waiting * */
    struct children *children;
    struct followers *followers;
};

static void end_at_once(int fd, enum kubesvc_inspect_result result)
{
    uint8_t frame[FRAMES_END_SIZE];

    frames_make_end(frame, result);
    /* Nothing was sent before it, so it fits. */
    (void)send(fd, frame, sizeof frame, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void print(void *userdata, const char *text, size_t size)
{
    frames_write(userdata, text, size);
}

/* In the child: the model may be in the middle of working something out; its copy can be finished
 * here, nobody else sees it. */
static void write_report(const struct inspect_world *world, const struct words *words,
                         report_fn write, int fd)
{
    struct frames *frames = g_new(struct frames, 1);

    frames_init(frames, fd);
    while (!cluster_update(world->cluster, G_USEC_PER_SEC))
        ;
    frames_end(frames, write(&(struct report){
                           .world = world,
                           .words = words,
                           .frames = frames,
                           .json = json_new(print, frames),
                       }));
    _exit(0);
}

static void watch(struct inspect *inspect, int fd, const struct ucred *peer,
                  const struct words *words)
{
    bool questions = strcmp(words_get(words, 1), "questions") == 0;

    if (words->n > 2 || (words->n == 2 && !questions)) {
        end_at_once(fd, KUBESVC_INSPECT_UNKNOWN);
        return;
    }
    switch (followers_add(inspect->followers, fd, peer, questions)) {
    case FOLLOWERS_ADDED: break;
    case FOLLOWERS_BUSY: end_at_once(fd, KUBESVC_INSPECT_BUSY); break;
    case FOLLOWERS_DENIED: end_at_once(fd, KUBESVC_INSPECT_DENIED); break;
    }
}

struct request_waiting {
    uid_t uid;
    int fd;
    size_t size;
    char payload[KUBESVC_REQUEST_MAX]; /* of words that were found good */
};

static void waiting_free(void *data)
{
    struct request_waiting *waiting = data;

    close(waiting->fd);
    g_free(waiting);
}

/* False: there is no room now. */
static bool start(struct inspect *inspect, uid_t uid, int fd, const char *payload, size_t size)
{
    struct words words;

    switch (children_fork(inspect->children, uid, fd)) {
    case CHILDREN_BUSY: return false;
    case CHILDREN_PARENT: return true;
    case CHILDREN_CHILD: break;
    }
    if (words_parse(&words, payload, size))
        write_report(inspect->world, &words, report_find(&words), fd);
    _exit(1);
}

static bool may_wait(const struct inspect *inspect, uid_t uid)
{
    unsigned of_user = 0;

    for (const GList *link = inspect->waiting.head; link; link = link->next)
        of_user += ((const struct request_waiting *)link->data)->uid == uid;
    return inspect->waiting.length < WAITING_MAX && of_user < WAITING_USER_MAX;
}

static bool let_wait(struct inspect *inspect, uid_t uid, int fd, const char *payload, size_t size)
{
    struct request_waiting *waiting;

    if (!may_wait(inspect, uid) || size > sizeof waiting->payload)
        return false;
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return false;
    waiting = g_new(struct request_waiting, 1);
    waiting->uid = uid;
    waiting->fd = fd;
    waiting->size = size;
    memcpy(waiting->payload, payload, size);
    g_queue_push_tail(&inspect->waiting, waiting);
    return true;
}

/* A child has ended. The next in the queue may be of a user who has no room yet. */
static void on_ended(void *userdata)
{
    struct inspect *inspect = userdata;
    GList *next;

    for (GList *link = inspect->waiting.head; link; link = next) {
        struct request_waiting *waiting = link->data;

        next = link->next;
        if (!start(inspect, waiting->uid, waiting->fd, waiting->payload, waiting->size))
            continue;
        g_queue_delete_link(&inspect->waiting, link);
        waiting_free(waiting);
    }
}

static void on_request(void *userdata, int fd, const char *payload, size_t size)
{
    struct inspect *inspect = userdata;
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t peer_size = sizeof peer;
    struct words words;

    (void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size);
    if (!words_parse(&words, payload, size))
        end_at_once(fd, KUBESVC_INSPECT_UNKNOWN);
    else if (strcmp(words.items[0], "watch") == 0)
        watch(inspect, fd, &peer, &words);
    else if (!report_find(&words))
        end_at_once(fd, KUBESVC_INSPECT_UNKNOWN);
    else if (!start(inspect, peer.uid, fd, payload, size) &&
             !let_wait(inspect, peer.uid, fd, payload, size))
        end_at_once(fd, KUBESVC_INSPECT_BUSY);
}

struct inspect *inspect_new(sd_event *event, const struct inspect_world *world)
{
    struct inspect *inspect = g_new(struct inspect, 1);

    *inspect = (struct inspect){
        .world = world,
        .waiting = G_QUEUE_INIT,
        .children = children_new(event, on_ended, inspect),
        .followers = followers_new(event, world->server, world->changes),
    };
    server_set_inspect(world->server, on_request, inspect);
    return inspect;
}

struct inspect *inspect_free(struct inspect *inspect)
{
    if (!inspect)
        return NULL;
    server_set_inspect(inspect->world->server, NULL, NULL);
    g_queue_clear_full(&inspect->waiting, waiting_free);
    children_free(inspect->children);
    followers_free(inspect->followers);
    g_free(inspect);
    return NULL;
}
