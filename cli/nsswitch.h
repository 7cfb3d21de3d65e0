/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hosts line of /etc/nsswitch.conf: which services it lists, in which order, and whether ours
 * is among them where it can work.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum nsswitch_status {
    NSSWITCH_TRYAGAIN,
    NSSWITCH_UNAVAIL,
    NSSWITCH_NOTFOUND,
    NSSWITCH_SUCCESS,
    NSSWITCH_STATUSES,
};

struct nsswitch_service {
    char *name;
    bool stops[NSSWITCH_STATUSES]; /* [STATUS=return]: no later service is asked */
};

struct nsswitch {
    unsigned line;       /* of the file, from 1; 0: it has no such line and the default counts */
    GPtrArray *services; /* struct nsswitch_service *, in order */
};

/* The hosts line of a file's text, as glibc reads it: the last one counts. */
struct nsswitch *nsswitch_parse(const char *text);
struct nsswitch *nsswitch_free(struct nsswitch *nsswitch); /* returns NULL */

enum nsswitch_place {
    NSSWITCH_GOOD,
    NSSWITCH_ABSENT,    /* kubesvc is not on the line */
    NSSWITCH_CUT_OFF,   /* a service before it ends the search at a name that it does not know */
    NSSWITCH_LATE,      /* a service before it asks the network for our names */
    NSSWITCH_NO_RETURN, /* a name of ours that does not exist is handed on to later services */
};

/* `*before`: the service that is in the way (CUT_OFF, LATE) or comes next (NO_RETURN); it belongs
 * to the line. */
enum nsswitch_place nsswitch_place(const struct nsswitch *nsswitch, const char **before);
