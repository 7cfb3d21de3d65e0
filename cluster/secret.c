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

/* Into one piece of memory, so that no part of it is left elsewhere. */
static GString *read_file(const char *path)
{
    GString *data = g_string_sized_new(SECRET_MAX + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), error;
    ssize_t n = fd < 0 ? -1 : 1;

    while (n > 0 && data->len <= SECRET_MAX) {
        n = TEMP_FAILURE_RETRY(read(fd, data->str + data->len, SECRET_MAX + 1 - data->len));
        g_string_set_size(data, data->len + (gsize)MAX(n, 0));
    }
    error = n < 0 ? errno : data->len > SECRET_MAX ? EFBIG : 0;
    if (fd >= 0)
        close(fd);
    if (error == 0)
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
