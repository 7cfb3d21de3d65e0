/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libc answers, by way of /etc/nsswitch.conf, as any program gets it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <yajl/yajl_tree.h>

struct libc_answer {
    char *error;          /* NULL: found */
    char *canonical;      /* NULL: none */
    GPtrArray *addresses; /* char *, without repetitions; of an address none */
};

/* `family` as in inspect.h. */
struct libc_answer *libc_answer_new(const char *name, const char *family);
struct libc_answer *libc_answer_free(struct libc_answer *answer); /* returns NULL */

/* Says how it differs from the daemon's answer; NULL if it does not. To be freed with g_free. */
char *libc_answer_compare(const struct libc_answer *answer, yajl_val daemons);

/* What is wrong with the hosts line of /etc/nsswitch.conf, NULL if nothing is. To be freed with
 * g_free. */
char *libc_answer_complaint(void);
