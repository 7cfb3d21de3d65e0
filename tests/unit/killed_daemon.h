/*
 * A daemon that is killed while it has a child, which dies a while after it: until then the child
 * has all that the daemon had open.
 */
#pragma once

#include <sys/types.h>

/* Forks one, which calls `open` (0: well) on `path` before it forks its child; returns when that
 * runs. From now on children of children are the caller's to wait for. */
pid_t killed_daemon_start(int (*open)(const char *path), const char *path);

/* Kills the daemon. Its child is still alive then. */
void killed_daemon_kill(pid_t pid);

/* Waits for the child to have died. */
void killed_daemon_await_child(void);
