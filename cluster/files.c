/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that are complete at any time: each is written under a hidden name beside its place, which
 * no reader of manifests opens, and renamed. Nothing waits for the disk; a power failure may lose
 * the last seconds, and the first list after it mends that.
 */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/descriptor.h"
#include "lib/util/write_all.h"

#define LOCK_NAME ".lock"
#define STATUS_MAX (1u << 20)

struct files {
    int directory, lock;
    bool had_content, unsynced;
};

#define AUTO_CLOSE __attribute__((cleanup(descriptor_close)))

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

#define AUTO_CLOSEDIR __attribute__((cleanup(close_dir)))

static int open_dir(int at, const char *name, DIR **dirp)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    *dirp = fdopendir(fd);
    if (*dirp)
        return 0;
    close(fd);
    return -ENOMEM;
}

/* A directory without .status.json must be empty: it would be emptied. */
static int check_content(struct files *files)
{
    AUTO_CLOSEDIR DIR *dir = NULL;
    const struct dirent *entry;
    int r;

    files->had_content = faccessat(files->directory, FILES_STATUS, F_OK, 0) == 0;
    if (files->had_content)
        return 0;
    r = open_dir(files->directory, ".", &dir);
    if (r < 0)
        return r;
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] != '.')
            return FILES_FOREIGN;
    }
    return 0;
}

static int files_open(struct files *files, const char *directory)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (mkdir(directory, 0755) < 0 && errno != EEXIST)
        return -errno;
    files->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (files->directory < 0)
        return -errno;
    files->lock = openat(files->directory, LOCK_NAME,
                         O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0644);
    if (files->lock < 0)
        return -errno;
    /* Of this kind, others can ask for it without taking it. */
    if (fcntl(files->lock, F_OFD_SETLK, &lock) < 0)
        return errno == EAGAIN || errno == EACCES ? FILES_BUSY : -errno;
    return check_content(files);
}

int files_new(struct files **filesp, const char *directory)
{
    struct files *files = g_new0(struct files, 1);
    int r;

    files->directory = files->lock = -1;
    r = files_open(files, directory);
    if (r != 0) {
        files_free(files);
        return r;
    }
    *filesp = files;
    return 0;
}

struct files *files_free(struct files *files)
{
    if (!files)
        return NULL;
    descriptor_close(&files->lock);
    descriptor_close(&files->directory);
    g_free(files);
    return NULL;
}

bool files_had_content(const struct files *files)
{
    return files->had_content;
}

/* "moon/web.json" -> "moon/.web.json.new" */
static char *new_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    int head = slash ? (int)(slash + 1 - path) : 0;

    return g_strdup_printf("%.*s.%s.new", head, path, path + head);
}

static int write_file(int directory, const char *name, const GString *text)
{
    size_t done;
    int r;
    AUTO_CLOSE int fd = openat(
        directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0644);

    if (fd < 0)
        return -errno;
    r = write_all(fd, text->str, text->len, &done);
    if (r < 0)
        (void)unlinkat(directory, name, 0);
    return r;
}

static int replace(struct files *files, const char *path, const GString *text)
{
    g_autofree char *name = new_name(path);
    int r = write_file(files->directory, name, text);

    if (r < 0)
        return r;
    files->unsynced = true;
    if (renameat(files->directory, name, files->directory, path) == 0)
        return 0;
    r = -errno;
    (void)unlinkat(files->directory, name, 0);
    return r;
}

/* The directory goes with its last file. */
static int remove_file(struct files *files, const char *path)
{
    g_autofree char *parent = g_path_get_dirname(path);

    if (unlinkat(files->directory, path, 0) < 0 && errno != ENOENT)
        return -errno;
    files->unsynced = true;
    (void)unlinkat(files->directory, parent, AT_REMOVEDIR);
    return 0;
}

int files_replace(struct files *files, const char *group, const GString *text)
{
    g_autofree char *parent = g_path_get_dirname(group);
    int r;

    if (!text)
        return remove_file(files, group);
    r = replace(files, group, text);
    if (r != -ENOENT)
        return r;
    if (mkdirat(files->directory, parent, 0755) < 0 && errno != EEXIST)
        return -errno;
    return replace(files, group, text);
}

static int read_file(int directory, const char *name, size_t max, GString *text)
{
    char buffer[16384];
    ssize_t n;
    AUTO_CLOSE int fd =
        openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return -errno;
    while ((n = read(fd, buffer, sizeof buffer)) != 0) {
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            g_string_append_len(text, buffer, n);
        if (text->len > max)
            return -EFBIG;
    }
    return 0;
}

bool files_equal(const struct files *files, const char *group, const GString *text)
{
    g_autoptr(GString) found = g_string_new(NULL);

    return read_file(files->directory, group, text->len, found) == 0 && g_string_equal(found, text);
}

static int prune_directory(struct files *files, const char *name, const struct store *store)
{
    AUTO_CLOSEDIR DIR *dir = NULL;
    const struct dirent *entry;
    int r = open_dir(files->directory, name, &dir);

    if (r == -ENOTDIR || r == -ELOOP || r == -ENOENT)
        return 0;
    if (r < 0)
        return r;
    for (errno = 0; (entry = readdir(dir)); errno = 0) {
        g_autofree char *path = NULL;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        path = g_strdup_printf("%s/%s", name, entry->d_name);
        if (store && store_has_group(store, path))
            continue;
        if (unlinkat(dirfd(dir), entry->d_name, 0) < 0 && errno != ENOENT && errno != EISDIR)
            return -errno;
        files->unsynced = true;
    }
    if (errno)
        return -errno;
    (void)unlinkat(files->directory, name, AT_REMOVEDIR); /* if it is empty */
    return 0;
}

int files_prune(struct files *files, const struct store *store)
{
    AUTO_CLOSEDIR DIR *dir = NULL;
    const struct dirent *entry;
    int r = open_dir(files->directory, ".", &dir);

    if (r < 0)
        return r;
    for (errno = 0; (entry = readdir(dir)); errno = 0) {
        if (entry->d_name[0] == '.')
            continue;
        r = prune_directory(files, entry->d_name, store);
        if (r < 0)
            return r;
    }
    return errno ? -errno : 0;
}

int files_write_status(struct files *files, const GString *text)
{
    return replace(files, FILES_STATUS, text);
}

int files_read_status(const struct files *files, GString *text)
{
    return read_file(files->directory, FILES_STATUS, STATUS_MAX, text);
}

void files_sync(struct files *files)
{
    files->unsynced = false;
    (void)syncfs(files->directory);
}

bool files_need_sync(const struct files *files)
{
    return files->unsynced;
}
