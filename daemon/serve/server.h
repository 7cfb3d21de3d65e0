/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The socket: accepts clients, reads their request, answers from the current snapshot. A slow, idle
 * or hostile client delays no other and is dropped in time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/publish/snapshot_root.h"
#include "histogram.h"
#include "lib/util/error.h"
#include "request.h"
#include "upstream.h"

struct server;

enum { SERVER_BUSY = 1 };

/* Listens at `path`, with the socket `adopted` if it does so already (-1: none; takes ownership):
 * creates its directory if missing (0755), replaces a stale socket file, mode 0666. SERVER_BUSY:
 * another daemon answers there; it is left undisturbed. `root` and `upstream` must live longer than
 * the server. Until the first publish every name of ours is TRY_AGAIN. */
MUST_USE int server_new(struct server **serverp, sd_event *event, const char *path, int adopted,
                        struct snapshot_root *root, struct upstream *upstream);

/* Closes everything and removes the socket file if it is still this server's. Returns NULL. */
struct server *server_free(struct server *server);

/* Keeps the socket when the server is freed, for another process. `kept`: see listener_keep. */
void server_keep_socket(struct server *server, void (*kept)(void *userdata, int fd),
                        void *userdata);

/* Tells programs that have the snapshot mapped that it was stopped on purpose. */
void server_stop(struct server *server);

/* May programs map the snapshot and answer themselves? At first: yes. */
void server_allow_maps(struct server *server, bool allow);

/* Retries the questions waiting for a nameserver (`answered` of upstream.h). */
void server_retry(struct server *server);

struct server_status {
    uint64_t questions, found, no_data, not_found, not_ours, try_again; /* answers by status */
    uint64_t maps;    /* snapshots handed out for mapping */
    uint64_t refused; /* malformed, unknown or cut off */
    uint64_t clients; /* connected now */
    struct histogram latency;
    uint64_t pending; /* waiting for a nameserver now */
};
void server_status(const struct server *server, struct server_status *status);

/* An INSPECT request came: `size` bytes of words. The server closes the connection after the call;
 * to continue with it, duplicate the descriptor. */
typedef void (*server_inspect)(void *userdata, int fd, const char *words, size_t size);
void server_set_inspect(struct server *server, server_inspect inspect, void *userdata);

/* Names in these zones are ours even before there is a snapshot, which knows zones by itself. Takes
 * ownership of `zones`, for g_strfreev(). */
void server_reserve(struct server *server, char **zones);

struct server_question {
    const struct request *request; /* NAME or ADDRESS */
    enum kubesvc_status status;
    uint32_t n_addresses;
    uint64_t microseconds;
    int fd; /* of the connection */
};

/* Calls `answered` for every answered question; NULL: stops. */
typedef void (*server_answered)(void *userdata, const struct server_question *question);
void server_observe(struct server *server, server_answered answered, void *userdata);
