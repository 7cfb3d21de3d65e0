/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One question to the daemon and the head of its answer, which tells how much room it needs. The
 * caller then receives names and addresses at their final place.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include <kubesvc/protocol.h>

struct query_question {
    enum kubesvc_request_type type;
    enum kubesvc_family family;
    const char *name; /* NAME: valid; `name_length` may count a final dot */
    size_t name_length;
    uint8_t namespace_length; /* NAME: 0 is the daemon's default */
    char ns[KUBESVC_NAMESPACE_MAX];
    uint8_t address[16]; /* ADDRESS */
};

/* The validated head of an answer: only FOUND has non-zero counts, within the protocol's limits and
 * of the question's family. `status` may be unknown to us. */
struct query_answer {
    enum kubesvc_status status;
    bool withheld; /* the addresses do not follow */
    bool ours;     /* TRY_AGAIN: the name is in a zone of the daemon */
    uint32_t names;
    uint32_t names_size;
    uint32_t inet;
    uint32_t inet6;
};

/* The namespace given in the environment, in lower case; 0 bytes if there is none or it could not
 * exist. */
uint8_t query_namespace(char ns[static KUBESVC_NAMESPACE_MAX]);

/* Connects, asks, and reads the head of the answer; names and addresses follow through
 * connection_receive. */
enum connection_result query_ask(struct connection *connection,
                                 const struct query_question *question, uint32_t room,
                                 struct query_answer *answer);

/* Connects and asks for the daemon's snapshot. *fd: its descriptor, owned by the caller, or -1 if
 * the daemon has none to give now or (not *supported) knows no snapshots. */
enum connection_result query_map(struct connection *connection, int *fd, bool *supported);
