/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Listener: one AF_UNIX socket bound to one path.
 *
 * A socket file outlives its daemon, and bind does not replace it. Whether it is stale is found by
 * connecting to it; but two daemons that start together would both find it stale, and the second
 * would unlink what the first has just bound. So a lock is held, from before the look until the
 * end. It lies on a file of its own, because the socket file itself cannot be opened and because a
 * lock on the directory could be taken by anybody who may read it; nobody else may open this one.
 */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/util/exposure.h"

/* The queue of the kernel is one for all users. Where somebody keeps it full, who comes through
 * does so the sooner the shorter it is; who does not tries again within a millisecond. */
#define LISTENER_BACKLOG 256

struct listener {
    struct sockaddr_un address;
    char *lock_path;
    int lock;
    bool locked;
    int fd;
    bool bound;
    bool kept;
    dev_t device; /* of the socket file, while bound */
    ino_t inode;
};

/* 0, LISTENER_EXPOSED or negative errno. */
static int listener_make_directory(const char *path)
{
    g_autofree char *directory = g_path_get_dirname(path), *exposure = NULL;

    if (mkdir(directory, 0755) == 0)
        return chmod(directory, 0755) < 0 ? -errno : 0; /* whatever the umask is */
    if (errno != EEXIST)
        return -errno;
    exposure = exposure_of_directory(directory);
    return exposure ? LISTENER_EXPOSED : 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The daemon before this one removes the lock file while it holds the lock; what was locked then
 * may have no name any more, and the lock must be taken anew. */
static int listener_lock(struct listener *listener)
{
    for (;;) {
        struct stat held, named;

        listener->lock =
            open(listener->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (listener->lock < 0)
            return -errno;
        if (flock(listener->lock, LOCK_EX | LOCK_NB) < 0)
            return errno == EWOULDBLOCK ? LISTENER_BUSY : -errno;
        if (fstat(listener->lock, &held) < 0)
            return -errno;
        if (stat(listener->lock_path, &named) == 0 && same_file(&held, &named)) {
            listener->locked = true;
            return 0;
        }
        close(listener->lock);
    }
}

/* Does anybody answer at the address? 0 (nobody, or nothing there), LISTENER_BUSY, negative errno.
 */
static int listener_probe(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = 0;

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0)
        r = errno;
    close(fd);
    switch (r) {
    case ECONNREFUSED:
    case ENOENT: return 0;
    case 0:
    case EAGAIN: /* a full backlog is somebody's */
    case EPROTOTYPE: return LISTENER_BUSY;
    default: return -r;
    }
}

/* Makes room for the socket file. */
static int listener_clear(struct listener *listener)
{
    const char *path = listener->address.sun_path;
    struct stat found;
    int r;

    if (lstat(path, &found) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(found.st_mode))
        return -EEXIST;
    r = listener_probe(&listener->address);
    if (r)
        return r;
    return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

/* Is `fd` a socket that listens at our path? */
static bool listens_at(int fd, const struct sockaddr_un *address)
{
    struct sockaddr_un bound = {0};
    socklen_t size = sizeof bound;
    struct stat file;
    int listens = 0;
    socklen_t listens_size = sizeof listens;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_size) == 0 && listens &&
           getsockname(fd, (struct sockaddr *)&bound, &size) == 0 && bound.sun_family == AF_UNIX &&
           strncmp(bound.sun_path, address->sun_path, sizeof bound.sun_path) == 0 &&
           lstat(address->sun_path, &file) == 0 && S_ISSOCK(file.st_mode);
}

/* Whoever holds the lock is the only one to put a file there, so that is this socket's. */
static int listener_take(struct listener *listener, int fd)
{
    struct stat bound;

    listener->fd = fd;
    /* Listening once more makes this process the one that clients see behind the socket. */
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || lstat(listener->address.sun_path, &bound) < 0 ||
        listen(fd, LISTENER_BACKLOG) < 0)
        return -errno;
    listener->bound = true;
    listener->device = bound.st_dev;
    listener->inode = bound.st_ino;
    return 0;
}

static int listener_bind(struct listener *listener)
{
    const char *path = listener->address.sun_path;
    struct stat bound;

    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0)
        return -errno;
    if (bind(listener->fd, (const struct sockaddr *)&listener->address, sizeof listener->address) <
        0)
        return -errno;
    if (lstat(path, &bound) < 0)
        return -errno;
    listener->bound = true;
    listener->device = bound.st_dev;
    listener->inode = bound.st_ino;
    /* Nobody can connect before listen, so it does no harm that the umask had its say until here.
     */
    if (chmod(path, 0666) < 0 || listen(listener->fd, LISTENER_BACKLOG) < 0)
        return -errno;
    return 0;
}

int listener_new(struct listener **listenerp, const char *path)
{
    return listener_adopt(listenerp, path, -1);
}

static int listener_open(struct listener *listener, int fd)
{
    int r = listener_make_directory(listener->address.sun_path);

    if (!r)
        r = listener_lock(listener);
    if (!r && fd >= 0 && listens_at(fd, &listener->address))
        return listener_take(listener, fd);
    if (fd >= 0)
        close(fd);
    if (!r)
        r = listener_clear(listener);
    return r ? r : listener_bind(listener);
}

int listener_adopt(struct listener **listenerp, const char *path, int fd)
{
    struct listener *listener;
    int r;

    if (*path == '\0') /* would be an abstract address */
        return -EINVAL;
    if (strlen(path) >= sizeof listener->address.sun_path)
        return -ENAMETOOLONG;

    listener = g_new(struct listener, 1);
    *listener = (struct listener){
        .address.sun_family = AF_UNIX,
        .lock_path = g_strconcat(path, ".lock", NULL),
        .lock = -1,
        .fd = -1,
    };
    memcpy(listener->address.sun_path, path, strlen(path));

    r = listener_open(listener, fd);
    if (r) {
        listener_free(listener);
        return r;
    }
    *listenerp = listener;
    return 0;
}

bool listener_is_reached(const struct listener *listener)
{
    struct stat found;

    return listener->bound && lstat(listener->address.sun_path, &found) == 0 &&
           found.st_dev == listener->device && found.st_ino == listener->inode;
}

struct listener *listener_free(struct listener *listener)
{
    struct stat held, named;

    if (!listener)
        return NULL;
    if (!listener->kept && listener_is_reached(listener))
        unlink(listener->address.sun_path);
    if (listener->fd >= 0)
        close(listener->fd);
    /* Where somebody removed it, that of the next daemon may lie there. */
    if (listener->locked && fstat(listener->lock, &held) == 0 &&
        stat(listener->lock_path, &named) == 0 && same_file(&held, &named))
        unlink(listener->lock_path);
    if (listener->lock >= 0)
        close(listener->lock);
    g_free(listener->lock_path);
    g_free(listener);
    return NULL;
}

void listener_keep(struct listener *listener)
{
    listener->kept = true;
}

int listener_fd(const struct listener *listener)
{
    return listener->fd;
}
