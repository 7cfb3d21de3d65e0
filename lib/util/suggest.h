/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds the word that was probably meant: the distance between two texts, so that a misspelt key,
 * label or name can be answered with the right one.
 */
#pragma once

#include <stdbool.h>

#define SUGGEST_LENGTH_MAX 63u /* longer texts match nothing */

/* Insertions, deletions, replacements and swaps of neighbours that turn one text into the other,
 * ignoring case. UINT_MAX if either is too long. */
unsigned suggest_distance(const char *a, const char *b);

/* The one of `words` (NULL-terminated) closest to the text and at most `limit` away; the first of
 * several. NULL if there is none. */
const char *suggest_word(const char *text, const char *const words[], unsigned limit);

/* How many edits may turn one into the other if one is a misspelling of the other. */
unsigned suggest_limit(const char *a, const char *b);

/* Are they so close that one may be a misspelling of the other? False if they are equal. */
bool suggest_is_typo(const char *a, const char *b);
