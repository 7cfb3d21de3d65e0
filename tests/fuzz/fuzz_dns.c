/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LDFLAGS: -lresolv */
/*
 * Any bytes as a request by UDP or TCP: whatever they are, the response is no larger than allowed,
 * is a DNS message by the word of glibc's parser, and has the id and the question of the request.
 *
 *   1 byte    which world; by UDP or TCP; with a search list
 *   the rest  the request
 */
#include "tests/unit/dns_world.h"

static const struct world_options worlds[] = {
    {.pods = KUBESVC_PODS_INSECURE},
    {.flags = KUBESVC_SETTINGS_FALLTHROUGH, .zone = "example.org"},
    {.flags = KUBESVC_SETTINGS_EMPTY},
    {.zone = "a"},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const uint8_t *request, size_t request_size, const uint8_t *response, size_t size)
{
    struct packet_question query;
    enum packet_rcode rcode;
    g_autofree char *text = dns_world_text(response, size);

    if (text == NULL || memcmp(response, request, 2) != 0)
        abort();
    if (packet_read(&query, request, request_size, &rcode) == PACKET_GOOD &&
        memcmp(response + PACKET_HEADER_SIZE, query.wire, query.wire_size + 4) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dns_world made[G_N_ELEMENTS(worlds)];
    static uint8_t response[65535];
    size_t n = size > 0 ? data[0] % G_N_ELEMENTS(worlds) : 0, room, written;
    bool udp = size > 0 && (data[0] & 0x80) != 0;

    if (size < 1)
        return 0;
    if (made[n].writer == NULL)
        made[n] = dns_world_new(&worlds[n]);
    made[n].ns = (data[0] & 0x40) != 0 ? "prod" : NULL;
    room = udp ? PACKET_EDNS_SIZE : sizeof response;
    written = dns_world_answer(&made[n], data + 1, size - 1, udp, response, room);
    if (written > room)
        abort();
    if (written > 0)
        check(data + 1, size - 1, response, written);
    return 0;
}
