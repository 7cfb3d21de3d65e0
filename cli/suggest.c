/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The closest of many candidates, offered one by one: there may be 160,000 of them.
 */
#include "suggest.h"

#include <string.h>

#include "lib/util/suggest.h"

void suggestion_offer(struct suggestion *suggestion, const char *candidate)
{
    size_t a = strlen(suggestion->word), b = strlen(candidate);
    unsigned limit = suggest_limit(suggestion->word, candidate);
    if ((a > b ? a - b : b - a) > limit)
        return;
    unsigned distance = suggest_distance(suggestion->word, candidate);
    if (distance > limit || (suggestion->nearest && distance >= suggestion->distance))
        return;
    g_free(suggestion->nearest);
    suggestion->nearest = g_strdup(candidate);
    suggestion->distance = distance;
}
