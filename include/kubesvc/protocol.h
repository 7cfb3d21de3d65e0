/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The wire protocol between libnss_kubesvc.so.2 (and the command line) and kubesvcd.
 *
 * Transport: one AF_UNIX SOCK_STREAM connection. The client sends one request frame and reads
 * frames until one that is not PENDING; the daemon then closes the connection unless the request
 * carried KUBESVC_FLAG_KEEP. Every frame is a `struct kubesvc_header` followed by `length` bytes of
 * payload. All integers are unsigned and little-endian; all structs are free of padding, so that
 * 32- and 64-bit programs agree. Reserved fields are sent as zero and ignored on receipt.
 *
 * Versions: a frame carries the version that its sender speaks. The daemon answers a request of
 * version N with frames of version N, for every N it ever spoke. A version, type or family that it
 * does not know is answered with UNSUPPORTED in its own newest version. A frame with a wrong magic,
 * or longer than KUBESVC_REQUEST_MAX, is answered by closing the connection.
 *
 * Requests
 *   NAME     struct kubesvc_name_request, then `namespace_length` bytes of namespace (none: the
 *            daemon's default; "namespace@zone" in a zone other than the main one), then
 *            `name_length` bytes of the name as the program typed it (with its final dot, no NUL).
 *   ADDRESS  struct kubesvc_address_request.
 *   MAP      struct kubesvc_map_request: the client wants the snapshot itself, to map it.
 *
 * Responses
 *   PENDING      no payload: the answer takes longer, wait another KUBESVC_DEADLINE_MS.
 *   UNSUPPORTED  no payload.
 *   ANSWER       struct kubesvc_answer; then `names_size` bytes: `names` strings, each terminated
 *                by a NUL, the canonical name (for an address: its name) first, then the aliases;
 *                then, unless the answer carries KUBESVC_ANSWER_WITHHELD, `inet` addresses of 4
 *                bytes and `inet6` addresses of 16 bytes in network order, in the order to be used.
 *                A WITHHELD answer has only counts: there were more addresses than the request's
 *                `room`, and the client asks again with more (the rotation has not advanced).
 *                `length` of the header covers exactly what follows. Only FOUND has names or
 *                addresses: at least one name, and for NAME at least one address.
 *   MAP          struct kubesvc_map and, with its first byte, one descriptor (SCM_RIGHTS) of a
 *                sealed memfd, open for reading only; snapshot.h describes its content. If there is
 *                none (yet), an ANSWER with TRY_AGAIN is sent instead.
 *
 * Request types from 0x80 and response types from 0xc0 belong to the command line; they may change
 * with the daemon (only the header is stable there).
 */
#pragma once

#include <stdint.h>

#include <kubesvc/limits.h>

#define KUBESVC_MAGIC 0x4356534bu /* "KSVC" */
#define KUBESVC_PROTOCOL_VERSION 1u
#define KUBESVC_REQUEST_MAX 1024u /* payload of a request, bytes */

enum kubesvc_request_type {
    KUBESVC_REQUEST_NAME = 0x01,
    KUBESVC_REQUEST_ADDRESS = 0x02,
    KUBESVC_REQUEST_MAP = 0x03,
};

enum kubesvc_response_type {
    KUBESVC_RESPONSE_ANSWER = 0x41,
    KUBESVC_RESPONSE_PENDING = 0x42,
    KUBESVC_RESPONSE_UNSUPPORTED = 0x43,
    KUBESVC_RESPONSE_MAP = 0x44,
};

enum kubesvc_family {
    KUBESVC_FAMILY_ANY = 0, /* both, NAME only */
    KUBESVC_FAMILY_INET = 4,
    KUBESVC_FAMILY_INET6 = 6,
};

enum kubesvc_status {
    KUBESVC_STATUS_FOUND = 1,
    KUBESVC_STATUS_NO_DATA = 2,   /* the name exists, without an address of this family */
    KUBESVC_STATUS_NOT_FOUND = 3, /* ours, and does not exist */
    KUBESVC_STATUS_NOT_OURS = 4,  /* ask the next service */
    KUBESVC_STATUS_TRY_AGAIN = 5, /* still loading, or a nameserver failed */
};

#define KUBESVC_FLAG_KEEP 0x0001u /* request: leave the connection open after the answer */

#define KUBESVC_ANSWER_WITHHELD 0x01u
#define KUBESVC_ANSWER_OURS 0x02u /* TRY_AGAIN: the name is in a zone of the daemon */

struct kubesvc_header {
    uint32_t magic;
    uint8_t version;
    uint8_t type;
    uint16_t flags;
    uint32_t length; /* bytes of payload after this header */
    uint32_t reserved;
};

struct kubesvc_name_request {
    uint32_t room; /* addresses that fit at the client; if there are more, they are withheld */
    uint8_t family;
    uint8_t namespace_length; /* 0 to 253 */
    uint8_t name_length;      /* 1 to 254, with a final dot */
    uint8_t reserved;
};

struct kubesvc_address_request {
    uint8_t family; /* INET: the first four bytes of `address` */
    uint8_t reserved[3];
    uint8_t address[16];
};

struct kubesvc_map_request {
    uint32_t version; /* the newest snapshot layout that the client can read */
};

struct kubesvc_map {
    uint32_t version; /* of this snapshot's layout */
    uint32_t reserved;
};

struct kubesvc_answer {
    uint8_t status;
    uint8_t flags;
    uint16_t names;      /* 1 to KUBESVC_NAMES_MAX when FOUND */
    uint32_t names_size; /* at most KUBESVC_NAMES_SIZE_MAX */
    uint32_t inet;       /* inet + inet6 at most KUBESVC_ADDRESSES_MAX */
    uint32_t inet6;
    uint32_t reserved[2];
};

_Static_assert(sizeof(struct kubesvc_header) == 16, "wire format");
_Static_assert(sizeof(struct kubesvc_name_request) == 8, "wire format");
_Static_assert(sizeof(struct kubesvc_address_request) == 20, "wire format");
_Static_assert(sizeof(struct kubesvc_map_request) == 4, "wire format");
_Static_assert(sizeof(struct kubesvc_map) == 8, "wire format");
_Static_assert(sizeof(struct kubesvc_answer) == 24, "wire format");
