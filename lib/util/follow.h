/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Follows one file, through the symbolic links that lead to it, whether it exists or not.
 */
#pragma once

#include <systemd/sd-event.h>

#include "error.h"

struct follow;

/* `changed` is called from the event loop when the path may lead to something else. */
MUST_USE int follow_new(struct follow **followp, sd_event *event, const char *path,
                        void (*changed)(void *userdata), void *userdata);
struct follow *follow_free(struct follow *follow); /* returns NULL */
