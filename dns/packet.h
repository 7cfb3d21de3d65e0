/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DNS messages (RFC 1035, RFC 6891) as the server of one zone sees them: reads the question and the
 * OPT record of a request, and writes a response record by record. Nothing is allocated.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/util/error.h"
#include <kubesvc/limits.h>

#define PACKET_HEADER_SIZE 12u
#define PACKET_SIZE_MAX 65535u
#define PACKET_UDP_SIZE 512u /* without EDNS */
/* What we send and take by UDP at most: no path has to fragment it. */
#define PACKET_EDNS_SIZE 1232u
#define PACKET_NAME_SIZE 255u /* of a name in wire format */

enum packet_type {
    PACKET_A = 1,
    PACKET_NS = 2,
    PACKET_CNAME = 5,
    PACKET_SOA = 6,
    PACKET_PTR = 12,
    PACKET_HINFO = 13,
    PACKET_TXT = 16,
    PACKET_AAAA = 28,
    PACKET_SRV = 33,
    PACKET_OPT = 41,
    PACKET_IXFR = 251,
    PACKET_AXFR = 252,
    PACKET_ANY = 255,
};

#define PACKET_CLASS_IN 1u

enum packet_rcode {
    PACKET_NOERROR = 0,
    PACKET_FORMERR = 1,
    PACKET_SERVFAIL = 2,
    PACKET_NXDOMAIN = 3,
    PACKET_NOTIMP = 4,
    PACKET_REFUSED = 5,
    PACKET_BADVERS = 16,
};

struct packet_question {
    uint16_t id, flags; /* of the header, as received */
    uint16_t type, class;
    const uint8_t *wire; /* the name, inside the request, its root label included */
    size_t wire_size;    /* 0: there is no question that could be repeated */
    bool is_host;        /* every label is of [A-Za-z0-9_-] */
    size_t length;       /* of `name`; 0 for the root */
    bool edns;           /* there is an OPT record */
    uint16_t udp_size;   /* what the client accepts by UDP, at least PACKET_UDP_SIZE */
    /* As received, without final dot. It can be one of ours only if it is a host name, but it is
     * always split into labels correctly. */
    char name[KUBESVC_NAME_MAX + 1];
};

enum packet_verdict {
    PACKET_GOOD,
    PACKET_IGNORED, /* not a request: gets no response */
    PACKET_BAD,     /* it gets `*rcode` */
};

/* Reads a request. `question` points into it; where it is BAD, as much is set as a response needs.
 */
enum packet_verdict packet_read(struct packet_question *question, const uint8_t *request,
                                size_t size, enum packet_rcode *rcode);

/* --- Writing --- */

struct packet {
    uint8_t *bytes;
    size_t size, limit;  /* `limit` leaves room for the OPT record */
    uint16_t records[3]; /* answer, authority, additional */
    uint16_t rcode;
    bool authoritative;
    bool truncated; /* an answer did not fit */
    const struct packet_question *question;
};

enum packet_section { PACKET_ANSWER, PACKET_AUTHORITY, PACKET_ADDITIONAL };

/* Begins a response in `capacity` bytes, at least PACKET_UDP_SIZE. */
void packet_begin(struct packet *packet, const struct packet_question *question, uint8_t *bytes,
                  size_t capacity);

/* Removes everything after the question. */
void packet_rewind(struct packet *packet);

/* Completes it with header and OPT record; returns its size. */
size_t packet_end(struct packet *packet);

/* Where a name stands in the message: a later one can point to it. 0: it has no such place. */
typedef uint16_t packet_place;
#define PACKET_QUESTION_NAME PACKET_HEADER_SIZE

/* The last `length` characters of the question's name, which begin at a label of it. */
packet_place packet_suffix(const struct packet *packet, size_t length);

/* One record: its head, its data piece by piece, its end. If any part does not fit, the whole
 * record is dropped, and the message is truncated if it was an answer. */
struct packet_record {
    struct packet *packet;
    enum packet_section section;
    size_t start, data; /* where it begins, and its data */
    bool full;
};

/* The owner's name is at `place`; where that is 0 it is `owner`, of `length` characters. */
struct packet_record packet_record(struct packet *packet, enum packet_section section,
                                   packet_place place, const char *owner, size_t length,
                                   enum packet_type type, uint32_t ttl);
void packet_put_u16(struct packet_record *record, uint16_t value);
void packet_put_u32(struct packet_record *record, uint32_t value);

/* A name of `length` characters in the letters it comes in, then what stands at `suffix` (0: the
 * root). Returns its place. It must be valid, or nothing. */
packet_place packet_put_name(struct packet_record *record, const char *name, size_t length,
                             packet_place suffix);

/* False: it did not fit. */
bool packet_record_end(struct packet_record *record);

/* A whole record whose data are these bytes. False: it did not fit. */
bool packet_add(struct packet *packet, enum packet_section section, packet_place place,
                enum packet_type type, uint32_t ttl, const void *data, size_t size);
