/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All waiting requests are received with one call, and immediate answers are sent with another;
 * nothing is allocated for them. If the socket is bound to every address of the host, a response
 * leaves from the queried one.
 *
 * What cannot be sent now is dropped, as usual with UDP: clients retry.
 */
#include "udp.h"

#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "packet.h"

#define BATCH 64u
#define BATCHES_MAX 8u /* before other sockets have their turn */
#define REQUEST_MAX 4096u

#define CONTROL_SIZE CMSG_SPACE(sizeof(struct in6_pktinfo))

struct udp_slot {
    union endpoint from;
    struct iovec part;
    _Alignas(struct cmsghdr) uint8_t control[CONTROL_SIZE];
    uint8_t bytes[REQUEST_MAX];
};

struct udp {
    int fd;
    sd_event_source *io;
    struct front *front;
    union endpoint own;
    bool wildcard;
    struct mmsghdr requests[BATCH], responses[BATCH];
    struct udp_slot in[BATCH], out[BATCH];
};

/* --- The queried address, and answers --- */

static int ask_for_own(const struct udp *udp)
{
    bool inet6 = udp->own.any.sa_family == AF_INET6;

    return setsockopt(udp->fd, inet6 ? IPPROTO_IPV6 : IPPROTO_IP,
                      inet6 ? IPV6_RECVPKTINFO : IP_PKTINFO, &(int){1}, sizeof(int)) < 0
               ? -errno
               : 0;
}

static void read_own(const struct udp *udp, struct msghdr *header, union endpoint *own)
{
    const struct cmsghdr *control = CMSG_FIRSTHDR(header);

    *own = udp->own;
    if (!control)
        return;
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;

        memcpy(&info, CMSG_DATA(control), sizeof info);
        own->inet.sin_addr = info.ipi_addr;
    } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;

        memcpy(&info, CMSG_DATA(control), sizeof info);
        own->inet6.sin6_addr = info.ipi6_addr;
        own->inet6.sin6_scope_id = info.ipi6_ifindex;
    }
}

/* The control message that makes a response leave from `own`. */
static void write_own(struct msghdr *header, uint8_t control[static CONTROL_SIZE],
                      const union endpoint *own)
{
    bool inet6 = own->any.sa_family == AF_INET6;
    struct in_pktinfo info = {.ipi_spec_dst = own->inet.sin_addr};
    struct in6_pktinfo info6 = {.ipi6_addr = own->inet6.sin6_addr,
                                .ipi6_ifindex = own->inet6.sin6_scope_id};
    size_t size = inet6 ? sizeof info6 : sizeof info;
    struct cmsghdr *first = (void *)control;

    memset(control, 0, CONTROL_SIZE);
    first->cmsg_level = inet6 ? IPPROTO_IPV6 : IPPROTO_IP;
    first->cmsg_type = inet6 ? IPV6_PKTINFO : IP_PKTINFO;
    first->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(first), inet6 ? (void *)&info6 : (void *)&info, size);
    header->msg_control = control;
    header->msg_controllen = CMSG_SPACE(size);
}

/* --- Requests and responses --- */

static void on_reply(const struct requester *client, const uint8_t *bytes, size_t size)
{
    const struct udp *udp = client->connection;
    union endpoint to = client->from;
    _Alignas(struct cmsghdr) uint8_t control[CONTROL_SIZE];
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = size};
    struct msghdr header = {
        .msg_name = &to,
        .msg_namelen = endpoint_size(&to),
        .msg_iov = &part,
        .msg_iovlen = 1,
    };

    if (udp->wildcard)
        write_own(&header, control, &client->own);
    (void)sendmsg(udp->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Answers one request into the slot `n`; false: it gets no response now. */
static bool answer(struct udp *udp, struct udp_slot *in, struct msghdr *header, size_t size,
                   unsigned n)
{
    struct udp_slot *out = &udp->out[n];
    struct msghdr *response = &udp->responses[n].msg_hdr;
    struct requester client = {
        .from = in->from,
        .request = in->bytes,
        .request_size = size,
        .connection = udp,
        .reply = on_reply,
    };

    if ((header->msg_flags & MSG_TRUNC) != 0 || endpoint_port(&in->from) == 0)
        return false;
    read_own(udp, header, &client.own);
    if (front_ask(udp->front, &client, out->bytes, PACKET_EDNS_SIZE, &out->part.iov_len) !=
        FRONT_ANSWERED)
        return false;
    out->from = in->from;
    response->msg_namelen = endpoint_size(&out->from);
    if (udp->wildcard)
        write_own(response, out->control, &client.own);
    return true;
}

/* A response that cannot be sent does not delay the others. */
static void send_responses(struct udp *udp, unsigned n)
{
    for (unsigned sent = 0; sent < n;) {
        int r = sendmmsg(udp->fd, udp->responses + sent, n - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (r < 0 && (errno == EAGAIN || errno == ENOBUFS))
            return;
        sent += r > 0 ? (unsigned)r : 1;
    }
}

static int receive(struct udp *udp)
{
    for (unsigned i = 0; i < BATCH; i++) {
        udp->requests[i].msg_hdr.msg_namelen = sizeof udp->in[i].from;
        udp->requests[i].msg_hdr.msg_controllen = udp->wildcard ? CONTROL_SIZE : 0;
    }
    return recvmmsg(udp->fd, udp->requests, BATCH, MSG_DONTWAIT, NULL);
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct udp *udp = userdata;

    (void)source, (void)fd, (void)revents;
    for (unsigned batches = 0; batches < BATCHES_MAX; batches++) {
        int n = receive(udp);
        unsigned responses = 0;

        for (int i = 0; i < n; i++) {
            struct mmsghdr *request = &udp->requests[i];

            responses += answer(udp, &udp->in[i], &request->msg_hdr, request->msg_len, responses);
        }
        send_responses(udp, responses);
        if (n < (int)BATCH)
            break;
    }
    return 0;
}

/* --- Life --- */

static void prepare(struct udp *udp)
{
    for (unsigned i = 0; i < BATCH; i++) {
        struct udp_slot *in = &udp->in[i], *out = &udp->out[i];

        in->part = (struct iovec){.iov_base = in->bytes, .iov_len = sizeof in->bytes};
        out->part.iov_base = out->bytes;
        udp->requests[i].msg_hdr = (struct msghdr){
            .msg_name = &in->from,
            .msg_iov = &in->part,
            .msg_iovlen = 1,
            .msg_control = udp->wildcard ? in->control : NULL,
        };
        udp->responses[i].msg_hdr =
            (struct msghdr){.msg_name = &out->from, .msg_iov = &out->part, .msg_iovlen = 1};
    }
}

int udp_new(struct udp **udpp, sd_event *event, int fd, struct front *front)
{
    struct udp *udp = g_new0(struct udp, 1);
    socklen_t size = sizeof udp->own;

    udp->fd = fd;
    udp->front = front;
    int r = getsockname(fd, &udp->own.any, &size) < 0 ? -errno : 0;

    udp->wildcard = r >= 0 && endpoint_is_wildcard(&udp->own);
    if (r >= 0 && udp->wildcard)
        r = ask_for_own(udp);
    prepare(udp);
    if (r >= 0)
        r = sd_event_add_io(event, &udp->io, fd, EPOLLIN, on_readable, udp);
    if (r < 0) {
        udp_free(udp);
        return r;
    }
    *udpp = udp;
    return 0;
}

struct udp *udp_free(struct udp *udp)
{
    if (!udp)
        return NULL;
    front_forget(udp->front, udp);
    sd_event_source_disable_unref(udp->io);
    close(udp->fd);
    g_free(udp);
    return NULL;
}
