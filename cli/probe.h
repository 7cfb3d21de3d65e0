/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How programs get the answer to a question, and how long it takes them.
 */
#pragma once

#include <stdbool.h>

struct probe {
    double
        first; /* milliseconds of a process's first lookup, over the socket; negative: not known */
    double later; /* of the following ones */
    bool by_map;  /* these are answered from the mapped snapshot, without the daemon */
};

/* Looks up a name or an address several times with the module's own code and the socket given in
 * the environment. `family`: "inet", "inet6" or anything else for both. */
struct probe probe_measure(const char *name, const char *family);
