/*
 * The nearest of many words: the number of insertions, deletions, replacements and swaps of
 * neighbours that lead from one to the other. Long words are left alone: nobody types them.
 */
#include "suggest.h"

#include <string.h>

#define LONGEST 64u

/* The row before the last one is kept for swaps. */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned rows[3][LONGEST + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= b_length; j++)
        above[j] = j;
    for (unsigned i = 1; i <= a_length; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= b_length; j++) {
            unsigned change = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = MIN(change, MIN(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
        unsigned *last = before;
        before = above;
        above = row;
        row = last;
    }
    return above[b_length];
}

void suggestion_offer(struct suggestion *suggestion, const char *candidate)
{
    size_t a = strlen(suggestion->word), b = strlen(candidate);
    unsigned limit = a < 4 ? 1 : a < 8 ? 2 : 3;
    if (a > LONGEST || b > LONGEST || (a > b ? a - b : b - a) > limit)
        return;
    unsigned d = distance(suggestion->word, a, candidate, b);
    if (d > limit || (suggestion->nearest && d >= suggestion->distance))
        return;
    g_free(suggestion->nearest);
    suggestion->nearest = g_strdup(candidate);
    suggestion->distance = d;
}
