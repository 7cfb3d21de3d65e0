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

struct reader {
    int fd;
    int timeout; /* milliseconds, -1 for ever */
    GString *line;
    link_line take;
    void *userdata;
};

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

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

static int read_fully(const struct reader *reader, void *buffer, size_t size)
{
    for (size_t done = 0; done < size;) {
        struct pollfd poll_fd = {.fd = reader->fd, .events = POLLIN};
        int r = poll(&poll_fd, 1, reader->timeout);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return r < 0 ? -errno : -ETIMEDOUT;
        ssize_t n = read(reader->fd, (char *)buffer + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ECONNRESET;
        done += (size_t)n;
    }
    return 0;
}

/* Lines may cross the borders of frames. */
static bool take_text(struct reader *reader, const char *text, size_t length)
{
    for (const char *end; length > 0 && (end = memchr(text, '\n', length));) {
        size_t part = (size_t)(end - text);
        g_string_append_len(reader->line, text, (gssize)part);
        bool more = reader->take(reader->userdata, reader->line->str);
        g_string_truncate(reader->line, 0);
        if (!more)
            return false;
        text += part + 1;
        length -= part + 1;
    }
    g_string_append_len(reader->line, text, (gssize)length);
    return true;
}

static int read_end(const struct reader *reader, uint32_t length)
{
    struct kubesvc_inspect_end end;
    if (length != sizeof end)
        return -EPROTO;
    int r = read_fully(reader, &end, sizeof end);
    return r < 0 ? r : (int)le32toh(end.result);
}

static int read_frames(struct reader *reader)
{
    g_autofree char *buffer = g_malloc(KUBESVC_INSPECT_FRAME);
    for (;;) {
        struct kubesvc_header header;
        int r = read_fully(reader, &header, sizeof header);
        if (r < 0)
            return r;
        uint32_t length = le32toh(header.length);
        if (le32toh(header.magic) != KUBESVC_MAGIC || length > KUBESVC_INSPECT_FRAME)
            return -EPROTO;
        if (header.type == KUBESVC_RESPONSE_UNSUPPORTED)
            return KUBESVC_INSPECT_UNKNOWN;
        if (header.type == KUBESVC_RESPONSE_END)
            return read_end(reader, length);
        if (header.type != KUBESVC_RESPONSE_TEXT)
            return -EPROTO;
        r = read_fully(reader, buffer, length);
        if (r < 0)
            return r;
        if (!take_text(reader, buffer, length))
            return LINK_STOPPED;
    }
}

int link_ask(const char *path, const char *const *words, bool patient, link_line line,
             void *userdata)
{
    __attribute__((cleanup(close_fd))) int fd = link_connect(path);
    if (fd < 0)
        return fd;
    int r = send_request(fd, words);
    if (r < 0)
        return r;
    g_autoptr(GString) text = g_string_new(NULL);
    struct reader reader = {.fd = fd,
                            .timeout = patient ? -1 : PATIENCE_MS,
                            .line = text,
                            .take = line,
                            .userdata = userdata};
    return read_frames(&reader);
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
    case -ECONNREFUSED:
        text_error(json,
                   "start it with 'systemctl start kubesvcd', or name its socket with --socket",
                   "no daemon answers at %s", path);
        return;
    case -EACCES:
        text_error(json, "look at the permissions of its directory", "%s may not be used by you",
                   path);
        return;
    case -ETIMEDOUT:
        text_error(json, "see 'systemctl status kubesvcd'", "the daemon at %s does not answer",
                   path);
        return;
    case KUBESVC_INSPECT_UNKNOWN:
        text_error(json, "install kubesvc and kubesvcd of one version",
                   "the daemon at %s does not know this question", path);
        return;
    case KUBESVC_INSPECT_BUSY:
        text_error(json, "try again", "the daemon at %s has too many questions of this kind", path);
        return;
    case KUBESVC_INSPECT_DENIED:
        text_error(json, "ask as root",
                   "other users' questions are shown to root and the daemon's "
                   "user only");
        return;
    default:
        text_error(json, NULL, "%s: %s", path,
                   result < 0 ? g_strerror(-result) : "unexpected answer");
    }
}
