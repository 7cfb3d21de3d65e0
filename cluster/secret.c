/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Secrets. They are never logged, and wiped when they are given up.
 */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/log.h"

static void data_free(GString *data)
{
    if (!data)
        return;
    explicit_bzero(data->str, data->allocated_len);
    g_string_free(data, TRUE);
}

static GString *read_file(const char *path)
{
    char buffer[4096];
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), error = 0;
    GString *data;

    if (fd < 0) {
        log_error("%s: %s", path, g_strerror(errno));
        return NULL;
    }
    data = g_string_new(NULL);
    while (data->len <= SECRET_MAX && (n = read(fd, buffer, sizeof buffer)) != 0) {
        if (n > 0)
            g_string_append_len(data, buffer, n);
        else if (errno != EINTR)
            break;
    }
    error = n < 0 ? errno : data->len > SECRET_MAX ? EFBIG : 0;
    explicit_bzero(buffer, sizeof buffer);
    close(fd);
    if (!error)
        return data;
    log_error("%s: %s", path, g_strerror(error));
    data_free(data);
    return NULL;
}

const GString *secret_get(struct secret *secret, uint64_t now, bool force)
{
    GString *data;

    if (!secret->path)
        return secret->data;
    if (secret->data && !force && now - secret->read_at < SECRET_PERIOD)
        return secret->data;
    secret->read_at = now;
    data = read_file(secret->path);
    if (data) {
        data_free(secret->data);
        secret->data = data;
    }
    return secret->data;
}

void secret_clear(struct secret *secret)
{
    data_free(secret->data);
    secret->data = NULL;
    g_clear_pointer(&secret->path, g_free);
}
