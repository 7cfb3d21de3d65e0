/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections that receive what happens, as it happens: those of programs that follow the backends
 * of cluster IPs, and of watching clients. Each has a bounded queue; a client that does not read is
 * dropped, and has to start over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "frame_writer.h"

#define STREAMS_MAX 16u

/* [a-z0-9-], as programs are called. */
#define STREAM_PROGRAM_MAX 32u

struct stream_client {
    pid_t pid;
    uid_t uid;
    char program[STREAM_PROGRAM_MAX + 1]; /* "": it only follows, and forwards nothing */
    bool questions;                       /* it receives these, too */
};

struct streams;

struct streams_options {
    sd_event *event;
    unsigned of_all, of_user; /* how many there may be, at most STREAMS_MAX */
    size_t lag;               /* bytes that may wait for a client, besides what it is given first */
    uint64_t stall;           /* microseconds in which it may read nothing of them; 0: any number */
    void (*gone)(void *userdata); /* a client has gone */
    void *userdata;
};
struct streams *streams_new(const struct streams_options *options);
struct streams *streams_free(struct streams *streams); /* returns NULL */

/* Adds a client: takes over the contents of `frames`, which are sent first; `fd` stays the
 * caller's. False: there are too many, and nothing was taken. */
bool streams_add(struct streams *streams, int fd, const struct stream_client *client,
                 struct frame_writer *frames);

/* Lines for all of them, or for those that receive questions. */
void streams_emit(struct streams *streams, const char *lines, bool question);

/* Those that there are now; returns their number. */
unsigned streams_list(const struct streams *streams,
                      struct stream_client clients[static STREAMS_MAX]);
