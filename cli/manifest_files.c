/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files and directories, once and without watching.
 */
#include "manifest_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/manifest/manifest_name.h"
#include "lib/util/compare.h"
#include "lib/yaml/input.h"

#define FILE_SIZE_MAX (UINT64_C(512) << 20) /* as maxFileSize of the daemon */
#define DEPTH_MAX 64u

int manifest_files_read(const char *path, const char *ns, manifest_look look, void *userdata)
{
    struct manifest_options options = {
        .default_namespace = ns,
        .max_size = FILE_SIZE_MAX,
        .look = look,
        .look_userdata = userdata,
    };
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return -EINVAL;
    }
    struct source *source = source_new(path, 0, false, NULL);
    g_autoptr(GPtrArray) objects = NULL, diagnostics = NULL;
    int r = manifest_read(source, &options, input_read_fd, &fd, &objects, &diagnostics);
    source_unref(source);
    close(fd);
    return r;
}

GPtrArray *manifest_files_list(const char *path, int *errorp)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    const char *name;
    *errorp = directory ? 0 : errno;
    while (directory && (name = g_dir_read_name(directory)))
        if (manifest_name_is_read(name) || manifest_name_is_entered(name))
            g_ptr_array_add(paths, g_build_filename(path, name, NULL));
    g_ptr_array_sort(paths, compare_texts);
    return paths;
}

static void walk(const char *path, bool recursive, unsigned depth,
                 void (*file)(void *userdata, const char *path), void *userdata)
{
    int error;
    g_autoptr(GPtrArray) paths = manifest_files_list(path, &error);
    for (guint i = 0; i < paths->len; i++) {
        const char *below = paths->pdata[i];
        struct stat st;
        if (stat(below, &st) < 0)
            continue;
        if (S_ISREG(st.st_mode) && manifest_name_is_read(strrchr(below, '/') + 1))
            file(userdata, below);
        else if (S_ISDIR(st.st_mode) && recursive && depth < DEPTH_MAX)
            walk(below, recursive, depth + 1, file, userdata);
    }
}

void manifest_files_walk(const char *path, bool recursive,
                         void (*file)(void *userdata, const char *path), void *userdata)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return;
    if (S_ISDIR(st.st_mode))
        walk(path, recursive, 0, file, userdata);
    else
        file(userdata, path);
}
