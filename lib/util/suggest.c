/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Edit distance, in its restricted form: no substring is edited twice. Limited in length, because
 * keys and names are short and anything else is not a misspelling.
 */
#include "suggest.h"

#include <glib.h>
#include <limits.h>
#include <string.h>

unsigned suggest_distance(const char *a, const char *b)
{
    unsigned rows[3][SUGGEST_LENGTH_MAX + 1];
    size_t length_a = strlen(a), length_b = strlen(b);

    if (length_a > SUGGEST_LENGTH_MAX || length_b > SUGGEST_LENGTH_MAX)
        return UINT_MAX;
    for (unsigned j = 0; j <= length_b; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= length_a; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i - 1) % 3], *two_above = rows[(i + 1) % 3];
        char at_a = g_ascii_tolower(a[i - 1]);

        row[0] = i;
        for (unsigned j = 1; j <= length_b; j++) {
            char at_b = g_ascii_tolower(b[j - 1]);

            row[j] = MIN(above[j - 1] + (at_a != at_b), MIN(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && at_a == g_ascii_tolower(b[j - 2]) &&
                at_b == g_ascii_tolower(a[i - 2]))
                row[j] = MIN(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[length_a % 3][length_b];
}

const char *suggest_word(const char *text, const char *const words[], unsigned limit)
{
    const char *nearest = NULL;
    unsigned best = limit;

    for (; *words; words++) {
        unsigned distance = suggest_distance(text, *words);

        if (distance > best || (nearest && distance == best))
            continue;
        best = distance;
        nearest = *words;
    }
    return nearest;
}

unsigned suggest_limit(const char *a, const char *b)
{
    size_t length = MAX(strlen(a), strlen(b));

    return length <= 2 ? 0 : length <= 5 ? 1 : length <= 9 ? 2 : 3;
}

bool suggest_is_typo(const char *a, const char *b)
{
    unsigned distance = suggest_distance(a, b);

    return distance > 0 && distance <= suggest_limit(a, b);
}
