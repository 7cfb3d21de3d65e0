/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text for people. The only place that knows about terminals.
 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "json_text.h"
#include "lib/util/escape.h"

bool text_is_plain(const char *text)
{
    while (g_ascii_isprint(*text))
        text++;
    return *text == '\0';
}

char *text_clean(const char *text)
{
    if (!text)
        return g_strdup("<none>");
    if (text_is_plain(text)) /* nearly all are, and there may be a million of them */
        return g_strdup(text);
    GString *out = g_string_sized_new(strlen(text));
    escape_append(out, text, G_MAXSIZE);
    return g_string_free(out, FALSE);
}

static bool shows_colours(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

char *text_styled(const char *text, enum text_style style)
{
    static const char *const codes[] = {
        [STYLE_BOLD] = "1", [STYLE_GOOD] = "32", [STYLE_WARN] = "33",
        [STYLE_BAD] = "31", [STYLE_FAINT] = "2",
    };
    if (style == STYLE_PLAIN || !shows_colours())
        return g_strdup(text);
    return g_strdup_printf("\033[%sm%s\033[0m", codes[style], text);
}

unsigned text_columns(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
        return 0;
    return size.ws_col > 0 ? size.ws_col : 80;
}

unsigned text_width(const char *text)
{
    unsigned width = 0;
    if (text_is_plain(text))
        return (unsigned)strlen(text);
    for (const char *at = text; *at; at = g_utf8_next_char(at)) {
        if (*at == '\033') {
            at = strchr(at, 'm');
            if (!at)
                return width;
            continue;
        }
        gunichar c = g_utf8_get_char(at);
        if (!g_unichar_iszerowidth(c))
            width += g_unichar_iswide(c) ? 2 : 1;
    }
    return width;
}

int text_compare(const char *a, const char *b)
{
    while (*a && *b) {
        if (g_ascii_isdigit(*a) && g_ascii_isdigit(*b)) {
            char *a_end, *b_end;
            guint64 x = g_ascii_strtoull(a, &a_end, 10), y = g_ascii_strtoull(b, &b_end, 10);
            if (x != y)
                return x < y ? -1 : 1;
            a = a_end;
            b = b_end;
            continue;
        }
        if (*a != *b)
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        a++;
        b++;
    }
    return (*a != '\0') - (*b != '\0');
}

static void error_as_json(const char *message, const char *remedy)
{
    struct json *json = json_text_new(stderr, false);
    json_open(json, NULL);
    json_text(json, "error", message);
    json_text(json, "remedy", remedy);
    json_close_line(json);
    json_free(json);
}

char *text_plural(int64_t n, const char *what)
{
    return g_strdup_printf("%" G_GINT64_FORMAT " %s%s", n, what, n == 1 ? "" : "s");
}

void text_line(int indent, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *raw = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *clean = text_clean(raw);
    printf("%*s%s\n", indent, "", clean);
}

void text_error(bool json, const char *remedy, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *raw = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *message = text_clean(raw), *advice = text_clean(remedy);
    if (json)
        error_as_json(message, remedy ? advice : NULL);
    else if (remedy)
        fprintf(stderr, "kubesvc: %s; %s\n", message, advice);
    else
        fprintf(stderr, "kubesvc: %s\n", message);
}
