/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests to the small world, answered as kubesvc-dns answers them but for its sockets, and the
 * responses read with glibc's parser. Header only, because a fuzz target is built from one file; it
 * links with -lresolv.
 */
#pragma once

#include <arpa/nameser.h>
#include <resolv.h>

#include "dns/response.h"
#include "tests/unit/world.h"

struct dns_world {
    struct snapshot_writer *writer;
    struct snapshot_view view;
    const char *ns;
};

static inline struct dns_world dns_world_new(const struct world_options *options)
{
    struct dns_world world = {.writer = world_new(options)};

    if (!snapshot_writer_view(world.writer, &world.view))
        abort();
    return world;
}

/* What `front` makes of a request, in at most `room` bytes (512 to 65535; of what the client takes,
 * if it is less and `udp`). 0: no response. */
static inline size_t dns_world_answer(const struct dns_world *world, const uint8_t *request,
                                      size_t request_size, bool udp, uint8_t *response, size_t room)
{
    union endpoint own = {.inet = {.sin_family = AF_INET,
                                   .sin_port = htons(53),
                                   .sin_addr.s_addr = htonl(0x7f00003f)}};
    const struct response_context context = {
        .view = &world->view, .ns = world->ns, .own = &own, .ttl = 5, .serial = 7};
    struct packet_question question;
    struct packet packet;
    enum packet_rcode rcode;
    char alias[KUBESVC_NAME_MAX + 1];
    enum packet_verdict verdict = packet_read(&question, request, request_size, &rcode);

    if (verdict == PACKET_IGNORED)
        return 0;
    packet_begin(&packet, &question, response,
                 udp && question.udp_size < room ? question.udp_size : room);
    if (verdict == PACKET_BAD) {
        packet.rcode = (uint16_t)rcode;
        return packet_end(&packet);
    }
    switch (response_write(&context, &packet, alias)) {
    case RESPONSE_READY:
    case RESPONSE_OUTSIDE: break;
    case RESPONSE_FOREIGN:
    case RESPONSE_FAILED:
        packet_rewind(&packet);
        packet.rcode = PACKET_REFUSED;
        break;
    }
    return packet_end(&packet);
}

/* glibc discourages its use, but nothing else in it prints records. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* A record as in a zone file, in one line, without comments, class, and a TTL of 5 seconds. */
static inline void append_record(GString *text, const char *section, const char *line)
{
    static const char *const dropped[] = {"",      "(",      ")",       ";",  "serial", "refresh",
                                          "retry", "expiry", "minimum", "IN", NULL};
    g_auto(GStrv) words = g_strsplit_set(line, "\t\n ", -1);
    unsigned n = 0;

    g_string_append_printf(text, "\n%s", section);
    for (char **word = words; *word; word++) {
        if (g_strv_contains(dropped, *word) || (n++ == 1 && strcmp(*word, "5S") == 0))
            continue;
        g_string_append_printf(text, "%s%s", n > 1 ? " " : "", *word);
    }
}

/* "RCODE aa tc" and a line for each record. To be freed; NULL: it is no message. */
static inline char *dns_world_text(const uint8_t *response, size_t size)
{
    static const char *const rcodes[] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                         "NXDOMAIN", "NOTIMP",  "REFUSED"};
    static const ns_sect sections[] = {ns_s_an, ns_s_ns, ns_s_ar};
    static const char *const words[] = {"", "authority ", "additional "};
    GString *text;
    ns_msg message;

    if (ns_initparse(response, (int)size, &message) < 0)
        return NULL;
    unsigned rcode = (unsigned)ns_msg_getflag(message, ns_f_rcode);

    text = g_string_new(rcode < G_N_ELEMENTS(rcodes) ? rcodes[rcode] : "?");
    g_string_append_printf(text, "%s%s", ns_msg_getflag(message, ns_f_aa) ? " aa" : "",
                           ns_msg_getflag(message, ns_f_tc) ? " tc" : "");
    for (size_t i = 0; i < G_N_ELEMENTS(sections); i++) {
        for (int j = 0; j < ns_msg_count(message, sections[i]); j++) {
            char line[4096];
            ns_rr record;

            if (ns_parserr(&message, sections[i], j, &record) < 0) {
                g_string_free(text, TRUE);
                return NULL;
            }
            if (ns_rr_type(record) == ns_t_opt) {
                g_string_append_printf(text, "\n%sOPT %u", words[i], ns_rr_class(record));
                continue;
            }
            if (ns_sprintrr(&message, &record, NULL, NULL, line, sizeof line) < 0) {
                g_string_free(text, TRUE);
                return NULL;
            }
            append_record(text, words[i], line);
        }
    }
    return g_string_free(text, FALSE);
}
