/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Not libc's reader, which stops at three servers and falls back to 127.0.0.1.
 */
#include "resolv_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#define SIZE_LIMIT 16384 /* the rest is not read */

/* NULL, with errno, if it cannot be read. */
static char *read_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), error;
    char *text;
    size_t size = 0;
    ssize_t n;

    if (fd < 0)
        return NULL;
    text = g_malloc(SIZE_LIMIT + 1);
    while ((n = read(fd, text + size, SIZE_LIMIT - size)) > 0)
        size += (size_t)n;
    error = errno;
    close(fd);
    text[size] = '\0';
    if (n == 0)
        return text;
    g_free(text);
    errno = error;
    return NULL;
}

/* "nameserver ADDRESS"; the rest of the line is a comment. */
static bool parse_line(union endpoint *server, const char *line)
{
    g_auto(GStrv) words = g_strsplit_set(line, " \t\r", -1);
    unsigned i = 0;

    if (g_strcmp0(words[0], "nameserver") != 0)
        return false;
    while (words[++i] && !*words[i])
        continue;
    return words[i] && endpoint_parse(server, words[i], ENDPOINT_DNS);
}

int resolv_conf_read(const char *path, union endpoint servers[], int max)
{
    g_autofree char *text = read_file(path);
    int n = 0;

    if (!text)
        return -errno;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line && n < max; line++)
        n += parse_line(servers + n, *line);
    return n;
}
