/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Called by a long computation between its steps, so that its thread can do something else there,
 * which may look at the data but must not change it. Steps are short, and so is the call when there
 * is nothing to do.
 */
#pragma once

struct between {
    void (*call)(void *userdata); /* NULL: nothing is called */
    void *userdata;
};

static inline void between_pieces(const struct between *between)
{
    if (between->call)
        between->call(between->userdata);
}
