/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A selection by labels, as kubectl's -l has it.
 */
#pragma once

#include <stdbool.h>
#include <yajl/yajl_tree.h>

struct selector;

/* a=b a==b a!=b, "a in (b,c)", "a notin (b,c)", a, !a; joined by commas, all must hold. NULL if the
 * text is malformed; *wrongp is then the position of the error. */
struct selector *selector_parse(const char *text, const char **wrongp);
struct selector *selector_free(struct selector *selector); /* returns NULL */

/* `labels`: an object of strings; NULL: no labels. */
bool selector_matches(const struct selector *selector, yajl_val labels);
