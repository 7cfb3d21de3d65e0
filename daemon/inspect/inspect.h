/*
 * The command line's side of the daemon (include/kubesvc/inspect.h): what it asks is answered from
 * a child, or for as long as it watches by the daemon itself.
 */
#pragma once

#include <systemd/sd-event.h>

#include "world.h"

struct inspect;

/* Takes the server's INSPECT requests. `world` must live as long; it may change between turns of
 * the event loop. SIGCHLD must be blocked. */
struct inspect *inspect_new(sd_event *event, const struct inspect_world *world);
struct inspect *inspect_free(struct inspect *inspect); /* returns NULL */
