/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to the daemon: one question of inspect.h, its lines of JSON.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include <kubesvc/inspect.h>

/* Called for each line (NUL-terminated, without its newline); false ends the reading. */
typedef bool (*link_line)(void *userdata, const char *line);

#define LINK_STOPPED 100 /* `line` returned false */

/* Sends the NULL-terminated `words` to the daemon at the socket `path`. An enum
 * kubesvc_inspect_result or LINK_STOPPED; negative errno if it cannot be reached or disconnects
 * (-EPROTO: protocol error; -ETIMEDOUT: no answer). `patient`: no timeout between lines. */
int link_ask(const char *path, const char *const *words, bool patient, link_line line,
             void *userdata);

/* The same in steps, for those that have more to do than to wait. `timeout`: the milliseconds
 * without anything new after which it gives -ETIMEDOUT, and may be called again; -1: never. */
struct link;
int link_open(struct link **linkp, const char *path, const char *const *words);
int link_read(struct link *link, int timeout, link_line line, void *userdata);

/* Reads the empty frame with which the daemon takes up `watch`: as link_read. */
int link_begin(struct link *link);

/* Readable when link_read has something to read. */
int link_fd(const struct link *link);
struct link *link_free(struct link *link); /* returns NULL */
void link_release(struct link **linkp);    /* for __attribute__((cleanup)) */

/* The daemon's socket: `given`, else KUBESVC_SOCKET, else the default. */
const char *link_socket(const char *given);

/* The process listening at the socket `path`: 0 or negative errno. */
struct ucred; /* <sys/socket.h> */
int link_credentials(const char *path, struct ucred *peer);

/* The process that listens at the socket `path`, 0 if it is of another PID namespace; negative
 * errno. */
pid_t link_peer(const char *path);

/* Says on stderr why link_ask failed (a negative errno, BUSY, DENIED or UNKNOWN), with a remedy. */
void link_complain(const char *path, int result, bool json);
