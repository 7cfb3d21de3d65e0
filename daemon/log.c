/*
 * The log: one write to stderr for each line. The journal reads the severity from the prefix;
 * nothing else is needed, so there is no level to choose, no file and no syslog.
 */
#include "log.h"

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_MAX_BYTES 8192u /* a longer line is cut */

void log_line(enum log_level level, const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autoptr(GString) line = g_string_new(NULL);
    ssize_t written;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);

    if (!isatty(STDERR_FILENO))
        g_string_append_printf(line, "<%d>", level);
    for (const char *c = text; *c && line->len < LINE_MAX_BYTES; c++) {
        if (g_ascii_iscntrl(*c))
            g_string_append_printf(line, "\\x%02x", (unsigned char)*c);
        else
            g_string_append_c(line, *c);
    }
    g_string_append_c(line, '\n');
    /* nobody is left to be told of a log that cannot be written */
    written = write(STDERR_FILENO, line->str, line->len);
    (void)written;
}
