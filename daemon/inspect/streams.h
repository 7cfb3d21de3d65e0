/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Programs that follow the backends of cluster IPs: connections that received all of them and now
 * receive changes. Unlike watching clients, they must miss nothing, so one that is too slow for its
 * queue is dropped and has to start over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "frame_writer.h"

#define STREAMS_MAX 8u

/* [a-z0-9-], as programs are called. */
#define STREAM_PROGRAM_MAX 32u

struct stream_client {
    pid_t pid;
    uid_t uid;
    char program[STREAM_PROGRAM_MAX + 1]; /* "": it only follows, and forwards nothing */
};

struct streams;

/* `idle` is called when the last one has gone. */
struct streams *streams_new(sd_event *event, void (*idle)(void *userdata), void *userdata);
struct streams *streams_free(struct streams *streams); /* returns NULL */

/* Adds a client: takes over the contents of `frames`, which are sent first; `fd` stays the
 * caller's. False: there are too many, and nothing was taken. */
bool streams_add(struct streams *streams, int fd, const struct stream_client *client,
                 struct frame_writer *frames);

/* Lines for all of them. */
void streams_emit(struct streams *streams, const char *lines);

/* Those that follow now; returns their number. */
unsigned streams_list(const struct streams *streams,
                      struct stream_client clients[static STREAMS_MAX]);
