/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake_nameserver.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct packet {
    uint8_t data[512];
    size_t size;
};

static void put(struct packet *packet, const void *data, size_t size)
{
    assert(packet->size + size <= sizeof packet->data);
    memcpy(packet->data + packet->size, data, size);
    packet->size += size;
}

static void put_u16(struct packet *packet, unsigned value)
{
    put(packet, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

/* A record whose owner is at `owner` of the packet; returns where its data begins. */
static size_t put_record(struct packet *packet, size_t owner, unsigned type, unsigned ttl,
                         const void *data, size_t size)
{
    put_u16(packet, 0xc000u | (unsigned)owner);
    put_u16(packet, type);
    put_u16(packet, ns_c_in);
    put_u16(packet, ttl >> 16);
    put_u16(packet, ttl & 0xffffu);
    put_u16(packet, (unsigned)size);
    put(packet, data, size);
    return packet->size - size;
}

static unsigned label_ttl(const char *label)
{
    size_t digits = strcspn(label, "0123456789");

    return label[digits] ? (unsigned)atoi(label + digits) : 60;
}

/* Appends the answer sections; returns the rcode. */
static unsigned reply(const struct fake_nameserver *fake, struct packet *packet, const char *label,
                      unsigned type)
{
    static const uint8_t soa[22] = {0, 0, [21] = 1};
    size_t owner = NS_HFIXEDSZ;

    if (strcmp(label, "fail") == 0)
        return ns_r_servfail;
    if (strcmp(label, "none") == 0 || strcmp(label, "empty") == 0) {
        put_record(packet, owner, ns_t_soa, 60, soa, sizeof soa);
        packet->data[9] = 1;
        return *label == 'n' ? ns_r_nxdomain : ns_r_noerror;
    }
    if (strcmp(label, "loop") == 0)
        put_record(packet, owner, ns_t_cname, 60, "\xc0\x0c", 2);
    else if (strcmp(label, "odd") == 0)
        owner = put_record(packet, owner, ns_t_cname, 60, "\3a b", 5);
    else if (strcmp(label, "far") == 0)
        owner = put_record(packet, owner, ns_t_cname, 60, "\4Near\4test", 11);
    packet->data[7] = owner != NS_HFIXEDSZ || strcmp(label, "loop") == 0;
    if (type == ns_t_a && strcmp(label, "loop") != 0) {
        put_record(packet, owner, ns_t_a, label_ttl(label), fake->address, 4);
        packet->data[7]++;
    }
    return ns_r_noerror;
}

/* The first label of the question; the packet ends behind it afterwards. */
static void read_question(struct packet *packet, char label[static 64], unsigned *type)
{
    size_t end = NS_HFIXEDSZ, n = packet->size;

    memset(label, 0, 64);
    memcpy(label, packet->data + end + 1, packet->data[end] & 63u);
    while (packet->data[end])
        end += packet->data[end] + 1u;
    *type = (unsigned)packet->data[end + 1] << 8 | packet->data[end + 2];
    packet->size = end + 1 + NS_QFIXEDSZ;
    assert(packet->size <= n);
    memset(packet->data + 6, 0, 6);
    packet->data[2] |= 0x80;
}

/* What an off-path attacker might send, guessing badly. */
static void send_forged(int fd, struct packet packet, const struct sockaddr_in *peer)
{
    static const size_t changed[] = {1, 2, 5, NS_HFIXEDSZ + 1}; /* id, QR, QDCOUNT, name */

    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
        struct packet copy = packet;

        copy.data[changed[i]] ^= 0x80;
        (void)sendto(fd, copy.data, copy.size, 0, (const struct sockaddr *)peer, sizeof *peer);
    }
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* from another port */
    assert(fd >= 0);
    (void)sendto(fd, packet.data, packet.size, 0, (const struct sockaddr *)peer, sizeof *peer);
    close(fd);
}

static void answer(const struct fake_nameserver *fake, struct packet *packet, const char *label,
                   unsigned type)
{
    if (strcmp(label, "big") == 0)
        packet->data[2] |= 2;
    if (strcmp(label, "LOUD") == 0)
        memcpy(packet->data + NS_HFIXEDSZ + 1, "loud", 4);
    if (strcmp(label, "bare") == 0) {
        packet->size = NS_HFIXEDSZ;
        memset(packet->data + 4, 0, 8);
        packet->data[3] = ns_r_formerr;
        return;
    }
    packet->data[3] =
        (uint8_t)(0x80 | (packet->data[2] & 2 ? 0u : reply(fake, packet, label, type)));
}

static int on_question(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct fake_nameserver *fake = userdata;
    struct sockaddr_in peer;
    socklen_t peer_size = sizeof peer;
    struct packet packet;
    char label[64];
    unsigned type;
    ssize_t n =
        recvfrom(fd, packet.data, sizeof packet.data, 0, (struct sockaddr *)&peer, &peer_size);

    (void)source;
    (void)revents;
    assert(n > NS_HFIXEDSZ && n < (ssize_t)sizeof packet.data);
    packet.size = (size_t)n;
    read_question(&packet, label, &type);
    fake->questions++;
    if (strncmp(label, "dead", 4) == 0 || (strcmp(label, "late") == 0 && fake->questions % 2))
        return 0;
    if (strcmp(label, "forged") == 0)
        send_forged(fd, packet, &peer);
    answer(fake, &packet, label, type);
    n = sendto(fd, packet.data, packet.size, 0, (struct sockaddr *)&peer, peer_size);
    assert(n == (ssize_t)packet.size);
    return 0;
}

/* Until its question is read, a connection belongs to the event loop, which may end before. */
static sd_event_source *take(sd_event_source *source)
{
    sd_event_source *taken = sd_event_source_ref(source);
    int r = sd_event_source_set_floating(source, 0);

    assert(r >= 0);
    return taken;
}

static int on_stream_question(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct fake_nameserver *fake = userdata;
    uint8_t message[2 + sizeof((struct packet *)0)->data];
    ssize_t n = recv(fd, message, sizeof message, 0);
    struct packet packet;
    char label[64];
    unsigned type;

    (void)revents;
    source = take(source);
    if (n <= 0) {
        sd_event_source_disable_unref(source);
        return 0;
    }
    packet.size = (size_t)message[0] << 8 | message[1];
    assert(packet.size + 2 == (size_t)n);
    memcpy(packet.data, message + 2, packet.size);
    read_question(&packet, label, &type);
    fake->streams++;
    if (strncmp(label, "dead", 4) == 0) {
        (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
        sd_event_source_disable_unref(fake->unanswered);
        fake->unanswered = source;
        return 0;
    }
    packet.data[3] = (uint8_t)(0x80 | reply(fake, &packet, label, type));
    message[0] = (uint8_t)(packet.size >> 8);
    message[1] = (uint8_t)packet.size;
    memcpy(message + 2, packet.data, packet.size);
    /* In two pieces: so the prefix may come alone. */
    (void)send(fd, message, 1, MSG_NOSIGNAL);
    (void)send(fd, message + 1, strcmp(label, "cut") == 0 ? 20 : packet.size + 1, MSG_NOSIGNAL);
    sd_event_source_disable_unref(source);
    return 0;
}

static int on_stream(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    int r, stream = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)revents;
    assert(stream >= 0);
    r = sd_event_add_io(sd_event_source_get_event(source), &source, stream, EPOLLIN,
                        on_stream_question, userdata);
    assert(r >= 0);
    r = sd_event_source_set_io_fd_own(source, 1);
    assert(r >= 0);
    r = sd_event_source_set_floating(source, 1);
    assert(r >= 0);
    sd_event_source_unref(source);
    return 0;
}

static int open_at(int type, const struct sockaddr_in *address)
{
    int one = 1, r, fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert(fd >= 0);
    r = type == SOCK_STREAM ? setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) : 0;
    assert(r == 0);
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) == 0)
        return fd;
    r = errno;
    close(fd);
    errno = r;
    return -1;
}

/* Opens both sockets on one port, another one if it is in use for TCP; false: it could not be
 * had. */
static bool open_both(struct fake_nameserver *fake, struct sockaddr_in *address)
{
    const struct sockaddr_in wanted = *address;

    for (;;) {
        socklen_t size = sizeof *address;

        fake->fd = open_at(SOCK_DGRAM, &wanted);
        if (fake->fd < 0) {
            assert(errno == EACCES);
            return false;
        }
        int r = getsockname(fake->fd, (struct sockaddr *)address, &size);

        assert(r == 0);
        fake->listening = open_at(SOCK_STREAM, address);
        if (fake->listening >= 0)
            return true;
        assert(errno == EADDRINUSE && wanted.sin_port == 0);
        close(fake->fd);
    }
}

static bool start(struct fake_nameserver *fake, sd_event *event, struct sockaddr_in address)
{
    int r;

    *fake = (struct fake_nameserver){.address = {10, 9, 8, 7}};
    if (!open_both(fake, &address))
        return false;
    fake->port = ntohs(address.sin_port);
    r = sd_event_add_io(event, &fake->source, fake->fd, EPOLLIN, on_question, fake);
    assert(r >= 0);
    return true;
}

void fake_nameserver_start(struct fake_nameserver *fake, sd_event *event)
{
    bool started = start(
        fake, event,
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)});

    assert(started);
}

bool fake_nameserver_start_at(struct fake_nameserver *fake, sd_event *event, const char *address)
{
    return start(fake, event,
                 (struct sockaddr_in){.sin_family = AF_INET,
                                      .sin_port = htons(53),
                                      .sin_addr.s_addr = inet_addr(address)});
}

void fake_nameserver_start_tcp(struct fake_nameserver *fake, sd_event *event)
{
    int r = listen(fake->listening, 16);

    assert(r == 0);
    r = sd_event_add_io(event, &fake->stream_source, fake->listening, EPOLLIN, on_stream, fake);
    assert(r >= 0);
}

void fake_nameserver_stop(struct fake_nameserver *fake)
{
    sd_event_source_disable_unref(fake->source);
    close(fake->fd);
    sd_event_source_disable_unref(fake->unanswered);
    sd_event_source_disable_unref(fake->stream_source);
    close(fake->listening);
}
