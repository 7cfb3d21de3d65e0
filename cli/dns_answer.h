/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a nameserver answers, to a program that looks names up as one in a pod does.
 */
#pragma once

#include "arguments.h"
#include "lib/util/endpoint.h"
#include "other_answer.h"

/* `search`: NULL-terminated domains that are appended to names of fewer than five dots; NULL: none.
 * `family` as in inspect.h. */
struct other_answer *dns_answer_new(const union endpoint *server, const char *name,
                                    const char *const *search, const char *family);

/* Where kubesvc-dns listens by the daemon's configuration, the first address of `dns.listen`; by
 * default if that cannot be known. */
void dns_answer_server(const struct arguments *arguments, union endpoint *server);
