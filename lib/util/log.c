/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log: one write to stderr per line. The journal reads the severity from a prefix, which is
 * left out if stderr is anything else; so there is no level to choose, no file and no syslog.
 *
 * The reader of a pipe may have stopped reading, and lookups must not wait for it: a line that
 * cannot be written now is dropped, and counted.
 */
#include "log.h"

#include <errno.h>
#include <glib.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escape.h"

/* A pipe that is ready takes this much without blocking; a longer line is cut. */
#define LINE_MAX_BYTES ((size_t)PIPE_BUF)

#define ERASE_LINE "\r\x1b[K"

/* How long to wait for a reader that has kept up so far, in milliseconds. */
#define WAIT_MS 1

/* Per process, as stderr is; any thread may log. */
static atomic_uint n_lost;
static atomic_bool has_progress; /* the terminal's last line is from log_progress */

/* systemd.exec(5): the variable is inherited by processes whose stderr has been redirected since,
 * so the device and inode in it are compared. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char expected[64];
    struct stat status;

    if (!stream || fstat(STDERR_FILENO, &status) < 0)
        return false;
    (void)snprintf(expected, sizeof expected, "%ju:%ju", (uintmax_t)status.st_dev,
                   (uintmax_t)status.st_ino);
    return strcmp(stream, expected) == 0;
}

static void line_begin(GString *line, enum log_level level)
{
    if (stderr_is_journal())
        g_string_append_printf(line, "<%d>", level);
}

/* O_NONBLOCK would affect every process that shares this open file. False: not now. */
static bool line_write(const GString *line)
{
    struct pollfd descriptor = {.fd = STDERR_FILENO, .events = POLLOUT};
    ssize_t n = send(STDERR_FILENO, line->str, line->len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n >= 0)
        return true;
    if (errno == ENOTSOCK && poll(&descriptor, 1, 0) == 1)
        n = write(STDERR_FILENO, line->str, line->len);
    else if (errno == ENOTSOCK)
        errno = EAGAIN;
    /* any other write error cannot be reported anywhere */
    return n >= 0 || errno != EAGAIN;
}

/* True: the line was written. */
static bool line_end(GString *line, unsigned lost)
{
    struct pollfd descriptor = {.fd = STDERR_FILENO, .events = POLLOUT};

    g_string_append_c(line, '\n');
    if (line_write(line))
        return true;
    return lost == 0 && poll(&descriptor, 1, WAIT_MS) == 1 && line_write(line);
}

/* In one write with the current line: if only one write succeeds, both arrive. */
static void tell_of_lost(GString *line, unsigned lost)
{
    if (lost == 0)
        return;
    line_begin(line, LOG_LEVEL_WARNING);
    g_string_append_printf(line, "%u log line%s dropped (stderr blocked)\n", lost,
                           lost == 1 ? "" : "s");
}

void log_line(enum log_level level, const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autoptr(GString) line = g_string_new(NULL);
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);

    unsigned lost = atomic_exchange(&n_lost, 0); /* ours to report */
    if (atomic_exchange(&has_progress, false))
        g_string_append(line, ERASE_LINE);
    tell_of_lost(line, lost);
    line_begin(line, level);
    escape_append(line, text, LINE_MAX_BYTES - 1);
    if (!line_end(line, lost))
        atomic_fetch_add(&n_lost, lost + 1);
}

void log_progress(const char *format, ...)
{
    g_autoptr(GString) line = g_string_new(ERASE_LINE);
    va_list arguments;

    if (!isatty(STDERR_FILENO) || (!format && !atomic_load(&has_progress)))
        return;
    if (format) {
        va_start(arguments, format);
        g_string_append_vprintf(line, format, arguments);
        va_end(arguments);
    }
    atomic_store(&has_progress, format != NULL);
    (void)line_write(line);
}
