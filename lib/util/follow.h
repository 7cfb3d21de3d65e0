/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Follows one file, through the symbolic links that lead to it, whether it exists or not.
 */
#pragma once

#include <systemd/sd-event.h>

struct follow;

/* `changed` is called from the event loop when the path may lead to something else. */
struct follow *follow_new(sd_event *event, const char *path, void (*changed)(void *userdata),
                          void *userdata);
struct follow *follow_free(struct follow *follow); /* returns NULL */
