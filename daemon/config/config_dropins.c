/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding the drop-ins. Only names decide: other extensions, such as an editor's backup or files
 * set aside by a package manager, are skipped.
 */
#include "config_dropins.h"

#include <dirent.h>
#include <errno.h>

#include "config.h"
#include "lib/util/compare.h"

#define DROPINS_MAX 1000u

/* 0 or an errno. */
static int list(GPtrArray *paths, const char *directory)
{
    DIR *stream = opendir(directory);
    int error;

    if (!stream)
        return errno == ENOENT ? 0 : errno;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream);

        if (!entry || paths->len > DROPINS_MAX)
            break;
        if (*entry->d_name != '.' && g_str_has_suffix(entry->d_name, ".yaml"))
            g_ptr_array_add(paths, g_build_filename(directory, entry->d_name, NULL));
    }
    error = errno;
    closedir(stream);
    return error;
}

int config_dropins_find(GPtrArray *paths, const char *path, GPtrArray *diagnostics)
{
    g_autofree char *directory = g_strconcat(path, ".d", NULL);
    int error = list(paths, directory);
    struct diagnostic *diagnostic;

    g_ptr_array_sort(paths, compare_texts);
    if (error == 0 && paths->len <= DROPINS_MAX)
        return 0;
    g_ptr_array_set_size(paths, 0);
    diagnostic = error != 0 ? diagnostic_new(DIAGNOSTIC_ERROR, 0, 0, "unreadable", NULL,
                                             "cannot be read: %s", g_strerror(error))
                            : diagnostic_new(DIAGNOSTIC_ERROR, 0, 0, "too-many", NULL,
                                             "more than %u drop-ins", DROPINS_MAX);
    diagnostic->path = g_steal_pointer(&directory);
    g_ptr_array_add(diagnostics, diagnostic);
    return CONFIG_BAD;
}
