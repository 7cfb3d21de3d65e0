/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Questions of the commands to the daemon, with the complaint when there is no answer.
 */
#pragma once

#include <stdbool.h>
#include <yajl/yajl_tree.h>

#include "arguments.h"

/* Called for each line; true keeps `item`, which is to be freed with yajl_tree_free then. */
typedef bool (*ask_item)(void *userdata, yajl_val item);

/* Asks the NULL-terminated words. STATUS_DONE, STATUS_NOT_FOUND (nothing said yet), or
 * STATUS_FAILED when it has said on stderr what is wrong. */
int ask(const struct arguments *arguments, const char *const *words, ask_item take, void *userdata);

/* The same for an answer of one line: *itemp is to be freed with yajl_tree_free, and not NULL when
 * DONE. */
int ask_one(const struct arguments *arguments, const char *const *words, yajl_val *itemp);

/* The same without a complaint, as link_ask. */
int ask_quietly(const struct arguments *arguments, const char *const *words, yajl_val *itemp);

/* The namespace that a command is about: the one given, else KUBESVC_NAMESPACE, else the daemon's;
 * "" for all. NULL when it has said why it cannot be known. To be freed with g_free. */
char *ask_namespace(const struct arguments *arguments);

/* Can this be looked up, as a name or an address? If not, it has said so. */
bool ask_can_be(const char *name, bool json);

/* Frees *itemp, for __attribute__((cleanup)). */
void ask_release(yajl_val *itemp);
#define ask_auto __attribute__((cleanup(ask_release)))
