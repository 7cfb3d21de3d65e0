/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to the daemon. Blocking, because a person waits; with a time limit, because the
 * daemon may be stopped.
 */
#include "link.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "text.h"

#define PATIENCE_MS 10000
#define LINE_MAX_BYTES                                                                             \
    (256u << 20)           /* of `describe`, a Service with all its endpoints is one line */
#define FRAME_OF_TEXT 1000 /* beyond enum kubesvc_inspect_result and LINK_STOPPED */

struct link {
    int fd;
    GString *text; /* received, not delivered yet */
};

static int link_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    struct timeval limit = {.tv_sec = PATIENCE_MS / 1000};
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno == EAGAIN ? ETIMEDOUT : errno;
        close(fd);
        return -error;
    }
    return fd;
}

static int send_request(int fd, const char *const *words)
{
    g_autoptr(GByteArray) frame = g_byte_array_new();
    struct kubesvc_header header = {.magic = htole32(KUBESVC_MAGIC),
                                    .version = KUBESVC_PROTOCOL_VERSION,
                                    .type = KUBESVC_REQUEST_INSPECT};
    g_byte_array_append(frame, (const guint8 *)&header, sizeof header);
    for (unsigned i = 0; words[i]; i++)
        g_byte_array_append(frame, (const guint8 *)words[i], (guint)strlen(words[i]) + 1);
    uint32_t length = frame->len - (uint32_t)sizeof header;
    if (length > KUBESVC_REQUEST_MAX)
        return -EMSGSIZE;
    length = htole32(length);
    memcpy(frame->data + offsetof(struct kubesvc_header, length), &length, sizeof length);
    ssize_t n = send(fd, frame->data, frame->len, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN ? -ETIMEDOUT : -errno;
    return (guint)n == frame->len ? 0 : -EPIPE;
}

/* Waits at most `timeout` milliseconds for every piece. */
static int read_fully(const struct link *link, int timeout, void *buffer, size_t size)
{
    for (size_t done = 0; done < size;) {
        struct pollfd poll_fd = {.fd = link->fd, .events = POLLIN};
        int r = poll(&poll_fd, 1, timeout);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return r < 0 ? -errno : -ETIMEDOUT;
        ssize_t n = read(link->fd, (char *)buffer + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ECONNRESET;
        done += (size_t)n;
    }
    return 0;
}

/* Gives out whole lines, which may cross the borders of frames; false if that was stopped. */
static bool give_lines(struct link *link, link_line line, void *userdata)
{
    bool more = true;
    char *at = link->text->str, *behind = at + link->text->len;
    for (char *end; more && (end = memchr(at, '\n', (size_t)(behind - at))); at = end + 1) {
        *end = '\0';
        more = line(userdata, at);
    }
    g_string_erase(link->text, 0, at - link->text->str);
    return more;
}

static int read_end(const struct link *link, uint32_t length)
{
    struct kubesvc_inspect_end end = {0};
    if (length != sizeof end)
        return -EPROTO;
    int r = read_fully(link, PATIENCE_MS, &end, sizeof end);
    return r < 0 ? r : (int)le32toh(end.result);
}

/* FRAME_OF_TEXT, or how the answer ends. */
static int read_frame(struct link *link, int timeout)
{
    struct kubesvc_header header = {0};
    struct pollfd poll_fd = {.fd = link->fd, .events = POLLIN};
    int r;
    do
        r = poll(&poll_fd, 1, timeout);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return -errno;
    if (r == 0) /* between two frames, where it can be tried again */
        return -ETIMEDOUT;
    r = read_fully(link, PATIENCE_MS, &header, sizeof header);
    if (r < 0)
        return r;
    uint32_t length = le32toh(header.length);
    if (le32toh(header.magic) != KUBESVC_MAGIC || length > KUBESVC_INSPECT_FRAME)
        return -EPROTO;
    if (header.type == KUBESVC_RESPONSE_UNSUPPORTED)
        return KUBESVC_INSPECT_UNKNOWN;
    if (header.type == KUBESVC_RESPONSE_END)
        return read_end(link, length);
    if (header.type != KUBESVC_RESPONSE_TEXT)
        return -EPROTO;
    gsize had = link->text->len;
    g_string_set_size(link->text, had + length);
    r = read_fully(link, PATIENCE_MS, link->text->str + had, length);
    return r < 0 ? r : FRAME_OF_TEXT;
}

int link_credentials(const char *path, struct ucred *peer)
{
    socklen_t size = sizeof *peer;
    int fd = link_connect(path);
    if (fd < 0)
        return fd;
    int r = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &size) < 0 ? -errno : 0;
    close(fd);
    return r;
}

pid_t link_peer(const char *path)
{
    struct ucred peer;
    int r = link_credentials(path, &peer);
    return r < 0 ? r : peer.pid;
}

int link_read(struct link *link, int timeout, link_line line, void *userdata)
{
    for (;;) {
        if (!give_lines(link, line, userdata))
            return LINK_STOPPED;
        if (link->text->len > LINE_MAX_BYTES)
            return -EPROTO;
        int r = read_frame(link, timeout);
        if (r != FRAME_OF_TEXT)
            return r;
    }
}

struct link *link_free(struct link *link)
{
    if (!link)
        return NULL;
    if (link->fd >= 0)
        close(link->fd);
    g_string_free(link->text, TRUE);
    g_free(link);
    return NULL;
}

int link_fd(const struct link *link)
{
    return link->fd;
}

void link_release(struct link **linkp)
{
    *linkp = link_free(*linkp);
}

int link_begin(struct link *link)
{
    int r = read_frame(link, PATIENCE_MS);
    return r == FRAME_OF_TEXT ? KUBESVC_INSPECT_DONE : r;
}

int link_open(struct link **linkp, const char *path, const char *const *words)
{
    __attribute__((cleanup(link_release))) struct link *link = g_new0(struct link, 1);
    link->text = g_string_new(NULL);
    link->fd = link_connect(path);
    if (link->fd < 0)
        return link->fd;
    int r = send_request(link->fd, words);
    if (r < 0)
        return r;
    *linkp = g_steal_pointer(&link);
    return 0;
}

int link_ask(const char *path, const char *const *words, bool patient, link_line line,
             void *userdata)
{
    __attribute__((cleanup(link_release))) struct link *link = NULL;
    int r = link_open(&link, path, words);
    return r < 0 ? r : link_read(link, patient ? -1 : PATIENCE_MS, line, userdata);
}

const char *link_socket(const char *given)
{
    const char *from_environment = secure_getenv("KUBESVC_SOCKET");
    if (given)
        return given;
    return from_environment && *from_environment ? from_environment : KUBESVC_SOCKET_PATH;
}

void link_complain(const char *path, int result, bool json)
{
    switch (result) {
    case -ENOENT:
    case -ENOTDIR:
    case -ECONNREFUSED:
        text_error(json,
                   "start it with 'systemctl start kubesvcd', or give its socket with --socket",
                   "no daemon is listening on %s", path);
        return;
    case -EACCES:
        text_error(json, "check the permissions of its directory", "%s: permission denied", path);
        return;
    case -EMSGSIZE:
        text_error(json, "the name is too long", "the request is too long for the daemon");
        return;
    case -ETIMEDOUT:
        text_error(json, "see 'systemctl status kubesvcd'", "the daemon at %s does not answer",
                   path);
        return;
    case KUBESVC_INSPECT_UNKNOWN:
        text_error(json, "install kubesvc and kubesvcd of the same version",
                   "the daemon at %s does not support this request", path);
        return;
    case KUBESVC_INSPECT_BUSY:
        text_error(json, "try again", "the daemon at %s has too many requests of this kind", path);
        return;
    case KUBESVC_INSPECT_TOO_LARGE:
        text_error(json, "ask for one namespace",
                   "the answer is larger than the daemon at %s sends", path);
        return;
    case KUBESVC_INSPECT_DENIED:
        text_error(json, "ask as root",
                   "other users' lookups are shown only to root and the daemon's user");
        return;
    default:
        text_error(json, NULL, "%s: %s", path,
                   result < 0 ? g_strerror(-result) : "unexpected answer");
    }
}
