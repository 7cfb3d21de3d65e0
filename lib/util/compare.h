/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Orders for qsort() and g_ptr_array_sort().
 */
#pragma once

#include <string.h>

/* Of pointers to texts: bytewise. */
static inline int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}
