/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to the daemon: one question of inspect.h, its lines of JSON.
 */
#pragma once

#include <stdbool.h>

#include <kubesvc/inspect.h>

/* Called for each line (NUL-terminated, without its newline); false ends the reading. */
typedef bool (*inspect_client_line)(void *userdata, const char *line);

/* `line` returned false; beyond what a later daemon may send as its result. */
enum { INSPECT_CLIENT_STOPPED = 100 };

/* Sends the NULL-terminated `words` to the daemon at the socket `path`. An enum
 * kubesvc_inspect_result or INSPECT_CLIENT_STOPPED; negative errno if it cannot be reached or
 * disconnects (-EPROTO: protocol error; -ETIMEDOUT: no answer). */
int inspect_client_ask(const char *path, const char *const *words, inspect_client_line line,
                       void *userdata);

/* The same in steps, for those that have more to do than to wait. `timeout`: the milliseconds
 * without anything new after which it gives -ETIMEDOUT, and may be called again; -1: never, but
 * SIGPIPE is raised if standard output has no reader any more. */
struct inspect_client;
int inspect_client_open(struct inspect_client **clientp, const char *path,
                        const char *const *words);
int inspect_client_read(struct inspect_client *client, int timeout, inspect_client_line line,
                        void *userdata);

/* Opens a connection on which changes come as they happen, and questions if wanted: DONE when none
 * is missed from now on, else as inspect_client_ask. */
int inspect_client_watch(struct inspect_client **clientp, const char *path, bool questions);

/* Readable when inspect_client_read has something to read. */
int inspect_client_fd(const struct inspect_client *client);
struct inspect_client *inspect_client_free(struct inspect_client *client); /* returns NULL */
void inspect_client_release(struct inspect_client **clientp); /* for __attribute__((cleanup)) */
#define inspect_client_auto __attribute__((cleanup(inspect_client_release)))

/* The daemon's socket: `given`, else KUBESVC_SOCKET, else the default. */
const char *inspect_client_socket(const char *given);

/* The process listening at the socket `path`, with pid 0 if it is of another PID namespace: 0 or
 * negative errno. */
struct ucred; /* <sys/socket.h> */
int inspect_client_credentials(const char *path, struct ucred *peer);

/* Says on stderr why inspect_client_ask failed (a negative errno, BUSY, DENIED or UNKNOWN), with a
 * remedy. */
void inspect_client_complain(const char *path, int result, bool json);
