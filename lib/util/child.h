/*
 * Children of the daemon: each has a copy of all the daemon knows at that moment, and one
 * descriptor to write to. So what it writes is consistent, may take its time, and keeps no lookup
 * waiting.
 */
#pragma once

#include <sys/types.h>

#include "error.h"

/* The child, which has `fd` alone of all descriptors, ends with the daemon, and must _exit, gets 0
 * and goes on with the daemon's signal mask; the daemon gets its pid. Negative errno: there is
 * none. */
MUST_USE pid_t child_fork(int fd);
