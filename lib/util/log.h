/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One line to stderr, with the severity prefix "<N>" of sd-daemon(3) if stderr is the journal.
 * Harmful characters in the text are written as \xNN (escape.h): no manifest can forge a line.
 */
#pragma once

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO };

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* On a terminal: shows progress in a line that the next one replaces; NULL: done. Elsewhere does
 * nothing. */
void log_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
