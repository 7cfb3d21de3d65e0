/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which files a check skips: patterns as in .gitignore. One without a slash means every file or
 * directory of that name; one with a slash is a path from where the check runs, or below what it
 * was given; '**' stands for any directories. Everything in an ignored directory is ignored.
 */
#pragma once

#include <stdbool.h>

/* `top` is what the path was found below, or the path itself. */
bool ignore_matches(const char *pattern, const char *top, const char *path);

/* Does the text look like a path or a pattern, and not like the name of a rule? */
bool ignore_is_pattern(const char *text);
