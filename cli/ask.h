/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests of the commands to the daemon, with an error message if there is no answer.
 */
#pragma once

#include <stdbool.h>
#include <yajl/yajl_tree.h>

#include "arguments.h"

/* Called for each line; true keeps `item`, to be freed with yajl_tree_free. */
typedef bool (*ask_item)(void *userdata, yajl_val item);

/* Sends the NULL-terminated arguments. STATUS_DONE, STATUS_NOT_FOUND (nothing printed yet), or
 * STATUS_FAILED after an error message on stderr. */
int ask(const struct arguments *arguments, const char *const *words, ask_item take, void *userdata);

/* The same for an answer of one line: *itemp, not NULL when DONE, is to be freed with
 * yajl_tree_free. */
int ask_one(const struct arguments *arguments, const char *const *words, yajl_val *itemp);

/* The same without a complaint, as inspect_client_ask. */
int ask_quietly(const struct arguments *arguments, const char *const *words, yajl_val *itemp);

/* The namespace that a command is about: the one given, else KUBESVC_NAMESPACE, else the daemon's;
 * "" for all. NULL after an error message. Free with g_free. */
char *ask_namespace(const struct arguments *arguments);

/* Can this be looked up, as a name or an address? If not, it prints an error. */
bool ask_can_be(const char *name, bool json);

/* Frees *itemp, for __attribute__((cleanup)). */
void ask_release(yajl_val *itemp);
#define ask_auto __attribute__((cleanup(ask_release)))
