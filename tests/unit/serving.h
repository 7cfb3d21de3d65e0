/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server with everything behind it, for tests: a snapshot, a nameserver, a socket in a directory
 * of its own, all on one event loop that the test turns while it plays the clients.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/publish/snapshot_writer.h"
#include "daemon/serve/server.h"
#include "fake_nameserver.h"
#include <kubesvc/protocol.h>

struct serving {
    sd_event *event;
    struct fake_nameserver nameserver;
    struct snapshot_writer *writer;
    struct upstream *upstream;
    struct server *server;
    char *directory, *path;
};

/*
 * Namespace `moon` (the default one) of zone cluster.local has the Services `one` (ClusterIP
 * 10.96.0.1, which has a PTR), `pair` (headless: 10.1.0.1, 10.1.0.2), `dual` (headless: 10.2.0.1 to
 * .3 and fd00::1, fd00::2) and the ExternalNames `far`, `late` and `dead` (see fake_nameserver.h).
 */
void serving_start(struct serving *serving, bool publish);
void serving_stop(struct serving *serving);

/* Adds or changes the headless Service `name` with `n` addresses from 10.128.0.0 on. */
void serving_put_many(struct serving *serving, const char *name, uint32_t n);

/* Turns the loop once, for at most `usec`. */
void serving_turn(struct serving *serving, uint64_t usec);
void serving_pass(struct serving *serving, uint64_t usec);
uint64_t serving_now(void);

/* A connection as the user `uid` (-1: as this one); non-blocking. */
int serving_connect(struct serving *serving, int uid);

/* Request frames, to be sent or mended. */
GByteArray *serving_name_request(const char *name, enum kubesvc_family family, uint32_t room,
                                 uint16_t flags);
GByteArray *serving_address_request(const uint8_t *address, enum kubesvc_family family);
void serving_send(int fd, const void *data, size_t size);

/* The next whole frame, the loop turning meanwhile; fails the test after `limit`. NULL: closed. */
GByteArray *serving_read(struct serving *serving, int fd, uint64_t limit);

/* One question over a connection of its own, the answer's frame. */
GByteArray *serving_ask(struct serving *serving, const char *name, enum kubesvc_family family);

/* Nothing more comes: the connection is closed, or (false) still open after `usec`. */
bool serving_is_closed(struct serving *serving, int fd, uint64_t usec);

struct kubesvc_answer serving_answer(const GByteArray *frame);
const uint8_t *serving_addresses(const GByteArray *frame); /* what follows the names */
