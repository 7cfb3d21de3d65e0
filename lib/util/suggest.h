/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Words that were probably meant: how far two texts are apart, so that a misspelt key, label or
 * name can be answered with the right one.
 */
#pragma once

#include <stdbool.h>

#define NEAR_LENGTH 63u /* longer texts are near to nothing */

/* Insertions, deletions, replacements and swaps of neighbours that turn one text into the other,
 * case aside (0: equal but for that). UINT_MAX if either is too long. */
unsigned suggest_distance(const char *a, const char *b);

/* The one of `words` (NULL-terminated) that is nearest to the text and at most `limit` away; the
 * first of several. NULL: none. */
const char *suggest_word(const char *text, const char *const words[], unsigned limit);

/* Are the two so near that one may have been meant where the other was written? Not if they are the
 * same. */
bool suggest_is_typo(const char *a, const char *b);
