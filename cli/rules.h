/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rules of `kubesvc check` by their words, those of the reader included, each with what it is
 * about.
 */
#pragma once

#include <glib.h>

/* All of them, one a line, to be freed with g_free. */
char *rules_describe(void);

/* The word as the findings have it, NULL if there is no such rule. */
const char *rules_find(const char *word);

/* The rule that was probably meant, or NULL. */
const char *rules_suggest(const char *word);
