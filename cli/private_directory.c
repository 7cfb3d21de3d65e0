/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lock is a shared flock(2) of the directory itself: whoever gets an exclusive one is alone.
 */
#include "private_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "kubesvc-run-"
#define PARENT_MAX 60u   /* bytes: a socket's path has at most 107 */
#define STALE_SECONDS 60 /* a younger directory may not be locked yet */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st, (void)type, (void)walk;
    return remove(path);
}

void private_directory_remove(const char *path)
{
    (void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *find_parent(void)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (runtime && *runtime == '/' && strlen(runtime) <= PARENT_MAX && access(runtime, W_OK) == 0)
        return runtime;
    return "/tmp";
}

/* Left by a killed guard: no process holds its lock. */
static void sweep_one(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && time(NULL) - st.st_mtime > STALE_SECONDS &&
        flock(fd, LOCK_EX | LOCK_NB) == 0)
        private_directory_remove(path);
    close(fd);
}

static void sweep(const char *parent)
{
    g_autoptr(GDir) directory = g_dir_open(parent, 0, NULL);
    const char *name;
    while (directory && (name = g_dir_read_name(directory)))
        if (g_str_has_prefix(name, PREFIX)) {
            g_autofree char *path = g_build_filename(parent, name, NULL);
            sweep_one(path);
        }
}

int private_directory_make(char **pathp, int *fdp)
{
    const char *parent = find_parent();
    sweep(parent);
    *pathp = g_build_filename(parent, PREFIX "XXXXXX", NULL);
    if (!mkdtemp(*pathp))
        return -errno;
    *fdp = open(*pathp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fdp >= 0 && flock(*fdp, LOCK_SH) == 0)
        return 0;
    int error = errno;
    (void)rmdir(*pathp);
    return -error;
}
