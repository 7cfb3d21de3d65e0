/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Listener: one AF_UNIX socket bound to one path.
 *
 * A socket file outlives its daemon, and bind does not replace it. Whether it is stale is found by
 * connecting to it; but two daemons that start together would both find it stale, and the second
 * would unlink what the first has just bound. So a lock is held, from before the check until the
 * end. It is on its own file, because the socket file itself cannot be opened and because any user
 * who may read the directory could lock it; no other user may open this file.
 */
#include "listening_socket.h"

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

struct listening_socket {
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

/* 0, LISTENING_SOCKET_EXPOSED or negative errno. */
static int listening_socket_make_directory(const char *path)
{
    g_autofree char *directory = g_path_get_dirname(path), *exposure = NULL;

    if (mkdir(directory, 0755) == 0)
        return chmod(directory, 0755) < 0 ? -errno : 0; /* regardless of the umask */
    if (errno != EEXIST)
        return -errno;
    exposure = exposure_of_directory(directory, geteuid());
    return exposure ? LISTENING_SOCKET_EXPOSED : 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The previous daemon removes the lock file while it holds the lock; a file locked afterwards may
 * have no name any more, and the lock must be taken again. */
static int listening_socket_lock(struct listening_socket *listening)
{
    for (;;) {
        struct stat held, named;

        listening->lock = open(listening->lock_path,
                               O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (listening->lock < 0)
            return -errno;
        if (flock(listening->lock, LOCK_EX | LOCK_NB) < 0)
            return errno == EWOULDBLOCK ? LISTENING_SOCKET_BUSY : -errno;
        if (fstat(listening->lock, &held) < 0)
            return -errno;
        if (stat(listening->lock_path, &named) == 0 && same_file(&held, &named)) {
            listening->locked = true;
            return 0;
        }
        close(listening->lock);
    }
}

/* Does a process answer at the address? 0 (no, or nothing is there), LISTENING_SOCKET_BUSY,
 * negative errno. */
static int listening_socket_probe(const struct sockaddr_un *address)
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
    case EAGAIN: /* a full backlog belongs to a daemon */
    case EPROTOTYPE: return LISTENING_SOCKET_BUSY;
    default: return -r;
    }
}

/* Makes room for the socket file. */
static int listening_socket_clear(struct listening_socket *listening)
{
    const char *path = listening->address.sun_path;
    struct stat found;
    int r;

    if (lstat(path, &found) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(found.st_mode))
        return -EEXIST;
    r = listening_socket_probe(&listening->address);
    if (r)
        return r;
    return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

/* Is `fd` a socket that listens at our path? The file may be another's: one that has replaced the
 * socket's, and whose daemon is dead by now. As we hold the lock, whoever answers there is `fd`. */
static bool listens_at(int fd, const struct sockaddr_un *address)
{
    struct sockaddr_un bound = {0};
    socklen_t size = sizeof bound;
    int listens = 0;
    socklen_t listens_size = sizeof listens;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_size) == 0 && listens &&
           getsockname(fd, (struct sockaddr *)&bound, &size) == 0 && bound.sun_family == AF_UNIX &&
           strncmp(bound.sun_path, address->sun_path, sizeof bound.sun_path) == 0 &&
           listening_socket_probe(address) == LISTENING_SOCKET_BUSY;
}

/* Only the holder of the lock puts a file there, so this is the socket's. */
static int listening_socket_take(struct listening_socket *listening, int fd)
{
    struct stat bound;

    listening->fd = fd;
    /* Listening again makes this process the peer that clients see. */
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || lstat(listening->address.sun_path, &bound) < 0 ||
        listen(fd, LISTENING_SOCKET_BACKLOG) < 0)
        return -errno;
    listening->bound = true;
    listening->device = bound.st_dev;
    listening->inode = bound.st_ino;
    return 0;
}

static int listening_socket_bind(struct listening_socket *listening)
{
    const char *path = listening->address.sun_path;
    struct stat bound;

    listening->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listening->fd < 0)
        return -errno;
    if (bind(listening->fd, (const struct sockaddr *)&listening->address,
             sizeof listening->address) < 0)
        return -errno;
    if (lstat(path, &bound) < 0)
        return -errno;
    listening->bound = true;
    listening->device = bound.st_dev;
    listening->inode = bound.st_ino;
    /* No client can connect before listen, so the umask may apply until here. */
    if (chmod(path, 0666) < 0 || listen(listening->fd, LISTENING_SOCKET_BACKLOG) < 0)
        return -errno;
    return 0;
}

static int listening_socket_open(struct listening_socket *listening, int fd)
{
    int r = listening_socket_make_directory(listening->address.sun_path);

    if (!r)
        r = listening_socket_lock(listening);
    if (!r && fd >= 0 && listens_at(fd, &listening->address))
        return listening_socket_take(listening, fd);
    if (fd >= 0)
        close(fd);
    if (!r)
        r = listening_socket_clear(listening);
    return r ? r : listening_socket_bind(listening);
}

int listening_socket_new(struct listening_socket **listeningp, const char *path, int fd)
{
    struct listening_socket *listening;
    int r;

    if (*path == '\0') /* would be an abstract address */
        return -EINVAL;
    if (strlen(path) >= sizeof listening->address.sun_path)
        return -ENAMETOOLONG;

    listening = g_new(struct listening_socket, 1);
    *listening = (struct listening_socket){
        .address.sun_family = AF_UNIX,
        .lock_path = g_strconcat(path, ".lock", NULL),
        .lock = -1,
        .fd = -1,
    };
    memcpy(listening->address.sun_path, path, strlen(path));

    r = listening_socket_open(listening, fd);
    if (r) {
        listening_socket_free(listening);
        return r;
    }
    *listeningp = listening;
    return 0;
}

bool listening_socket_is_reached(const struct listening_socket *listening)
{
    struct stat found;

    return listening->bound && lstat(listening->address.sun_path, &found) == 0 &&
           found.st_dev == listening->device && found.st_ino == listening->inode;
}

struct listening_socket *listening_socket_free(struct listening_socket *listening)
{
    struct stat held, named;

    if (!listening)
        return NULL;
    if (!listening->kept && listening_socket_is_reached(listening))
        unlink(listening->address.sun_path);
    if (listening->fd >= 0)
        close(listening->fd);
    /* If it was removed meanwhile, the next daemon's may be there. */
    if (listening->locked && fstat(listening->lock, &held) == 0 &&
        stat(listening->lock_path, &named) == 0 && same_file(&held, &named))
        unlink(listening->lock_path);
    if (listening->lock >= 0)
        close(listening->lock);
    g_free(listening->lock_path);
    g_free(listening);
    return NULL;
}

void listening_socket_keep(struct listening_socket *listening)
{
    listening->kept = true;
}

int listening_socket_fd(const struct listening_socket *listening)
{
    return listening->fd;
}
