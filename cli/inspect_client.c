/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to the daemon. Blocking, because a person waits; with a time limit, because the
 * daemon may be stopped.
 */
#include "inspect_client.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "text.h"

#define TIMEOUT_MS 10000
#define LINE_MAX_BYTES (256u << 20) /* `describe` has all endpoints of a Service in one line */
enum { FRAME_OF_TEXT = INSPECT_CLIENT_STOPPED + 1 };

struct inspect_client {
    int fd;
    GString *text; /* received, not delivered yet */
};

static int inspect_client_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    struct timeval limit = {.tv_sec = TIMEOUT_MS / 1000};
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

/* Without a time limit it also waits for the end of our reader: it would see nothing of it until
 * there is something to write, and `... | grep -m1` would wait for one more line. */
static int wait_readable(const struct inspect_client *client, int timeout)
{
    struct pollfd fds[] = {{.fd = client->fd, .events = POLLIN},
                           {.fd = timeout < 0 ? STDOUT_FILENO : -1}};
    int r = (int)TEMP_FAILURE_RETRY(poll(fds, G_N_ELEMENTS(fds), timeout));
    if (r <= 0)
        return r < 0 ? -errno : -ETIMEDOUT;
    if (fds[0].revents == 0)
        (void)raise(SIGPIPE); /* as writing would */
    return fds[0].revents == 0 ? -EPIPE : 0;
}

static int read_fully(const struct inspect_client *client, void *buffer, size_t size)
{
    for (size_t done = 0; done < size;) {
        int r = wait_readable(client, TIMEOUT_MS);
        if (r < 0)
            return r;
        ssize_t n = TEMP_FAILURE_RETRY(read(client->fd, (char *)buffer + done, size - done));
        if (n <= 0)
            return n < 0 ? -errno : -ECONNRESET;
        done += (size_t)n;
    }
    return 0;
}

/* Gives out whole lines, which may cross the borders of frames; false if that was stopped. */
static bool give_lines(struct inspect_client *client, inspect_client_line line, void *userdata)
{
    bool more = true;
    char *at = client->text->str, *behind = at + client->text->len;
    for (char *end; more && (end = memchr(at, '\n', (size_t)(behind - at))); at = end + 1) {
        *end = '\0';
        more = line(userdata, at);
    }
    g_string_erase(client->text, 0, at - client->text->str);
    return more;
}

static int read_end(const struct inspect_client *client, uint32_t length)
{
    struct kubesvc_inspect_end end = {0};
    if (length != sizeof end)
        return -EPROTO;
    int r = read_fully(client, &end, sizeof end);
    return r < 0 ? r : (int)le32toh(end.result);
}

/* FRAME_OF_TEXT, or how the answer ends. */
static int read_frame(struct inspect_client *client, int timeout)
{
    struct kubesvc_header header = {0};
    int r = wait_readable(client, timeout); /* between two frames, where it can be tried again */
    if (r == 0)
        r = read_fully(client, &header, sizeof header);
    if (r < 0)
        return r;
    uint32_t length = le32toh(header.length);
    if (le32toh(header.magic) != KUBESVC_MAGIC || length > KUBESVC_INSPECT_FRAME)
        return -EPROTO;
    if (header.type == KUBESVC_RESPONSE_UNSUPPORTED)
        return KUBESVC_INSPECT_UNKNOWN;
    if (header.type == KUBESVC_RESPONSE_END)
        return read_end(client, length);
    if (header.type != KUBESVC_RESPONSE_TEXT)
        return -EPROTO;
    gsize had = client->text->len;
    g_string_set_size(client->text, had + length);
    r = read_fully(client, client->text->str + had, length);
    return r < 0 ? r : FRAME_OF_TEXT;
}

int inspect_client_credentials(const char *path, struct ucred *peer)
{
    socklen_t size = sizeof *peer;
    int fd = inspect_client_connect(path);
    if (fd < 0)
        return fd;
    int r = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &size) < 0 ? -errno : 0;
    close(fd);
    return r;
}

int inspect_client_read(struct inspect_client *client, int timeout, inspect_client_line line,
                        void *userdata)
{
    for (;;) {
        if (!give_lines(client, line, userdata))
            return INSPECT_CLIENT_STOPPED;
        if (client->text->len > LINE_MAX_BYTES)
            return -EPROTO;
        int r = read_frame(client, timeout);
        if (r != FRAME_OF_TEXT)
            return r;
    }
}

struct inspect_client *inspect_client_free(struct inspect_client *client)
{
    if (!client)
        return NULL;
    if (client->fd >= 0)
        close(client->fd);
    g_string_free(client->text, TRUE);
    g_free(client);
    return NULL;
}

int inspect_client_fd(const struct inspect_client *client)
{
    return client->fd;
}

void inspect_client_release(struct inspect_client **clientp)
{
    *clientp = inspect_client_free(*clientp);
}

int inspect_client_open(struct inspect_client **clientp, const char *path, const char *const *words)
{
    inspect_client_auto struct inspect_client *client = g_new0(struct inspect_client, 1);
    client->text = g_string_new(NULL);
    client->fd = inspect_client_connect(path);
    if (client->fd < 0)
        return client->fd;
    int r = send_request(client->fd, words);
    if (r < 0)
        return r;
    *clientp = g_steal_pointer(&client);
    return 0;
}

int inspect_client_watch(struct inspect_client **clientp, const char *path, bool questions)
{
    const char *words[] = {"watch", questions ? "questions" : NULL, NULL};
    int r = inspect_client_open(clientp, path, words);
    if (r == 0)
        r = read_frame(*clientp, TIMEOUT_MS); /* an empty one */
    return r == FRAME_OF_TEXT ? KUBESVC_INSPECT_DONE : r;
}

int inspect_client_ask(const char *path, const char *const *words, inspect_client_line line,
                       void *userdata)
{
    inspect_client_auto struct inspect_client *client = NULL;
    int r = inspect_client_open(&client, path, words);
    return r < 0 ? r : inspect_client_read(client, TIMEOUT_MS, line, userdata);
}

const char *inspect_client_socket(const char *given)
{
    const char *from_environment = secure_getenv("KUBESVC_SOCKET");
    if (given)
        return given;
    return from_environment && *from_environment ? from_environment : KUBESVC_SOCKET_PATH;
}

void inspect_client_complain(const char *path, int result, bool json)
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
    case -ECONNRESET:
    case -EPIPE:
        text_error(json, "see 'systemctl status kubesvcd'",
                   "the daemon at %s closed the connection before it had answered", path);
        return;
    case -EPROTO:
    case -EPROTOTYPE:
        text_error(json, "install kubesvc and kubesvcd of the same version, or give another socket",
                   "what listens on %s does not answer as kubesvcd does", path);
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
