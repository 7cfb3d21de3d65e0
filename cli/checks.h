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
#include "other_answer.h"

enum check_verdict { VERDICT_OK, VERDICT_WARN, VERDICT_BAD, VERDICTS };

struct checks {
    const struct arguments *arguments;
    GPtrArray *results; /* private */
};

void checks_init(struct checks *checks, const struct arguments *arguments);
void checks_clear(struct checks *checks);

/* Adds a result. `point` is static; no remedy: NULL. */
void checks_add(struct checks *checks, enum check_verdict verdict, const char *point,
                const char *remedy, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Adds whether another way, which is taken over, leads to what the daemon answers for the name. */
void checks_compare(struct checks *checks, const char *point, const char *name,
                    struct other_answer *answer, yajl_val daemons, const char *remedy);

/* The path of a file of the host, free with g_free. */
char *checks_path(const struct checks *checks, const char *path);

unsigned checks_count(const struct checks *checks, enum check_verdict verdict);
void checks_print(const struct checks *checks);
void checks_print_json(const struct checks *checks);

/* The points: the host's files and libraries, and the daemon with what it answers. */
void examine_host(struct checks *checks);
void examine_module(struct checks *checks);
bool examine_has_module(void); /* can libc load it? */
void examine_network(struct checks *checks);
void examine_daemon(struct checks *checks);

/* Those of the daemon's status. */
void examine_runtimes(struct checks *checks, yajl_val status);

/* DNS: `name` (may be NULL) is one of the daemon's, with its answer to a query for it. */
void examine_dns(struct checks *checks, yajl_val status, const char *name, yajl_val daemons);
void examine_start(struct checks *checks); /* why the daemon does not answer */
