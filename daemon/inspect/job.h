/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A report from its request to its last byte: accepted by the server thread, created by the loader
 * thread, sent by the server thread. One of them owns it at any time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "args.h"
#include "daemon/serve/server.h"
#include "frame_writer.h"
#include "query.h"
#include "streams.h"

enum job_state {
    JOB_WAITING, /* for its turn */
    JOB_MAKING,  /* it is with the loader thread */
    JOB_SENDING,
};

struct job {
    struct args args; /* in `payload` */
    char payload[KUBESVC_REQUEST_MAX];
    struct server_status server;               /* when it was handed to the loader thread */
    struct inspect_query *query;               /* NULL: of another verb */
    struct stream_client clients[STREAMS_MAX]; /* that follow backends */
    unsigned n_clients;
    struct frame_writer frames; /* the answer */
    bool stays;                 /* it is not over: changes follow */

    /* The server thread's, at any time: */
    struct inspect *inspect;
    enum job_state state;
    uid_t uid;
    pid_t pid;
    int fd;
    bool gone; /* its client is gone */
    sd_event_source *io, *timer;
};

/* `fd` is taken over. */
struct ucred; /* <sys/socket.h> */
struct job *job_new(const struct ucred *peer, int fd, const char *payload, size_t size);
struct job *job_free(struct job *job); /* returns NULL */
