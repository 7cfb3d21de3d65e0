/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rules of `kubesvc check` by name, including the reader's, each with a description.
 */
#pragma once

#include <glib.h>

/* All of them, one per line, free with g_free. */
char *rules_describe(void);

/* The name as used in findings, NULL if there is no such rule. */
const char *rules_find(const char *word);

/* The rule that was probably meant, or NULL. */
const char *rules_suggest(const char *word);
