/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One question to the daemon and its answer, as far as it can be read before it is known how much
 * room it takes. The caller then receives the names and the addresses where they are to stay.
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
    char namespace[KUBESVC_LABEL_MAX];
    uint8_t address[16]; /* ADDRESS */
};

/* The head of an answer, checked: only FOUND has counts that are not 0, and they keep to the limits
 * of the protocol and to the family of the question. `status` may be none that we know. */
struct query_answer {
    enum kubesvc_status status;
    bool withheld; /* the addresses do not follow */
    uint32_t names;
    uint32_t names_size;
    uint32_t inet;
    uint32_t inet6;
};

/* The namespace that the environment names, in lower case; 0 bytes where it names none that could
 * exist. */
uint8_t query_namespace(char label[static KUBESVC_LABEL_MAX]);

/* Connects, asks, and reads the head of the answer; names and addresses then come by
 * connection_receive. */
enum connection_result query_ask(struct connection *connection,
                                 const struct query_question *question, uint32_t room,
                                 struct query_answer *answer);

/* Connects and asks for the daemon's snapshot. *fd: its descriptor, the caller's from now on, or -1
 * where the daemon has none to give now, or (not *supported) knows of none. */
enum connection_result query_map(struct connection *connection, int *fd, bool *supported);
