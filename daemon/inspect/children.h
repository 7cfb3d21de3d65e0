/*
 * Children of the daemon that write reports: how many there are, and for whom.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

struct children;

/* `ended` is called from the event loop when there may be room again. */
struct children *children_new(sd_event *event, void (*ended)(void *userdata), void *userdata);
struct children *children_free(struct children *children); /* ends them; returns NULL */

enum children_forked {
    CHILDREN_PARENT,
    CHILDREN_CHILD, /* this is the child: it has `fd` alone, blocking, and must _exit */
    CHILDREN_BUSY,  /* there are enough, or there can be no more */
};

/* A child that writes to `fd` on behalf of a user. SIGCHLD must be blocked. */
enum children_forked children_fork(struct children *children, uid_t uid, int fd);
