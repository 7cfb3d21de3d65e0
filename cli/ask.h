/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests of the commands to the daemon, with an error message if there is no answer.
 */
#pragma once

#include <stdbool.h>

#include "arguments.h"
#include "value.h"

/* Called for each line; true keeps `item`, to be freed with yajl_tree_free. */
typedef bool (*ask_item)(void *userdata, yajl_val item);

/* Sends the NULL-terminated arguments. STATUS_DONE, STATUS_NOT_FOUND (nothing printed yet), or
 * STATUS_FAILED after an error message on stderr. */
int ask(const struct arguments *arguments, const char *const *words, ask_item take, void *userdata);

/* The same for an answer of one line: *itemp, not NULL when DONE, is to be freed with
 * yajl_tree_free. */
int ask_one(const struct arguments *arguments, const char *const *words, yajl_val *itemp);

/* The first line of an answer without a complaint: KUBESVC_INSPECT_DONE, or why there is none, as
 * inspect_client_ask. */
int ask_quietly(const struct arguments *arguments, const char *const *words, yajl_val *itemp);

/* The namespace that a command is about: the one given, else KUBESVC_NAMESPACE, else the daemon's;
 * "" for all. NULL after an error message. Free with g_free. */
char *ask_namespace(const struct arguments *arguments);

/* The same where its objects are meant: a zone that is not configured is an error, too. */
char *ask_known_namespace(const struct arguments *arguments);

/* Prints an answer if JSON or YAML is wanted; false: it is wanted as text. */
bool ask_print_data(const struct arguments *arguments, yajl_val answer);

/* Can this be looked up, as a name or an address? If not, it prints an error. */
bool ask_can_be(const char *name, bool json);
