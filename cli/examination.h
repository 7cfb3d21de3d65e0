/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What `kubesvc doctor` looks at, and what it finds: for each point whether it is well, and what to
 * do if it is not.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <yajl/yajl_tree.h>

#include "arguments.h"

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_BAD, VERDICTS };

struct examination {
    const struct arguments *arguments;
    GPtrArray *results; /* private */
};

void examination_init(struct examination *examination, const struct arguments *arguments);
void examination_clear(struct examination *examination);

/* Adds a result. `point` is static, `text` and `remedy` are taken over; no remedy: NULL. */
void examination_add(struct examination *examination, enum verdict verdict, const char *point,
                     char *text, char *remedy);

/* The path of a file of the host, free with g_free. */
char *examination_path(const struct examination *examination, const char *path);

unsigned examination_count(const struct examination *examination, enum verdict verdict);
void examination_print(const struct examination *examination);
void examination_print_json(const struct examination *examination);

/* The points: the host's files and libraries, and the daemon with what it answers. */
void examine_host(struct examination *examination);
bool examine_has_module(void); /* can libc load it? */
void examine_network(struct examination *examination);
void examine_daemon(struct examination *examination);

/* Those of the daemon's status. */
void examine_runtimes(struct examination *examination, yajl_val status);

/* DNS: `name` (may be NULL) is one of the daemon's, with its answer to a query for it. */
void examine_dns(struct examination *examination, const char *zone, const char *name,
                 yajl_val daemons);
void examine_start(struct examination *examination); /* why the daemon does not answer */
