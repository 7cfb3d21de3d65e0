/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What another way than the daemon's answers (libc, DNS), and how it differs.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <yajl/yajl_tree.h>

struct other_answer {
    const char *way;      /* "libc", static */
    char *error;          /* NULL: found */
    char *canonical;      /* NULL: none */
    GPtrArray *addresses; /* char *, without repetitions; of an address none */
    char *difference;     /* from the daemon's answer, once compared; NULL: none */
};

struct other_answer *other_answer_new(const char *way);
struct other_answer *other_answer_free(struct other_answer *answer); /* returns NULL */
void other_answer_add(struct other_answer *answer, const char *address);

/* Sets `difference`. */
void other_answer_compare(struct other_answer *answer, yajl_val daemons);
