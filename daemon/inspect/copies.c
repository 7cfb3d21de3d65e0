/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copies of clusters: a .status.json in a configured directory, or in one right below it, as
 * /var/lib/kubesvc-cluster has for each cluster. Whether a process still maintains the copy shows
 * in its lock, which is tested and never taken.
 */
#include "copies.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/compare.h"
#include "lib/util/json_tree.h"

#define STATUS_NAME ".status.json"
#define STATUS_MAX 262144u /* bytes */
#define COPIES_MAX 100u    /* below one directory */

static char *read_status(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, STATUS_NAME, NULL);
    g_autofree char *text = NULL;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    ssize_t n = -1;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < (off_t)STATUS_MAX) {
        text = g_malloc(STATUS_MAX);
        n = read(fd, text, STATUS_MAX - 1);
    }
    close(fd);
    if (n < 0)
        return NULL;
    text[n] = '\0';
    return g_steal_pointer(&text);
}

static bool is_locked(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, ".lock", NULL);
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
    bool locked;

    if (fd < 0)
        return false;
    locked = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return locked;
}

static const char *text_at(yajl_val root, const char *key)
{
    const char *path[] = {key, NULL};

    return YAJL_GET_STRING(yajl_tree_get(root, path, yajl_t_string));
}

static uint64_t count_at(yajl_val root, const char *key)
{
    const char *path[] = {"objects", key, NULL};
    yajl_val value = yajl_tree_get(root, path, yajl_t_number);

    return YAJL_IS_INTEGER(value) && YAJL_GET_INTEGER(value) > 0 ? (uint64_t)YAJL_GET_INTEGER(value)
                                                                 : 0;
}

static uint64_t seconds_since(const char *text)
{
    g_autoptr(GDateTime) time = text ? g_date_time_new_from_iso8601(text, NULL) : NULL;
    int64_t then = time ? g_date_time_to_unix(time) : 0, now = g_get_real_time() / G_USEC_PER_SEC;

    return time && now > then ? (uint64_t)(now - then) : 0;
}

static void clear(void *data)
{
    struct copy *copy = data;

    g_free(copy->directory);
    yajl_tree_free(copy->status);
}

/* False: there is no copy in that directory. */
static bool add(GArray *copies, const char *directory)
{
    g_autofree char *text = read_status(directory);
    yajl_val status = text ? json_tree_parse(text) : NULL;
    struct copy copy = {.running = is_locked(directory), .status = status};

    if (!YAJL_IS_OBJECT(status)) {
        yajl_tree_free(status);
        return false;
    }
    copy.directory = g_strdup(directory);
    copy.cluster = text_at(status, "cluster");
    copy.server = text_at(status, "server");
    copy.state = text_at(status, "state");
    copy.problem = text_at(status, "problem");
    copy.since = text_at(status, "since");
    copy.contact = text_at(status, "contact");
    copy.services = count_at(status, "services");
    copy.slices = count_at(status, "endpointslices");
    copy.fresh = copy.running && g_strcmp0(copy.state, "synced") == 0;
    copy.age = copy.fresh ? 0 : seconds_since(copy.contact);
    g_array_append_val(copies, copy);
    return true;
}

static void look_below(GArray *copies, const char *directory)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    DIR *stream = opendir(directory);
    const struct dirent *entry;

    if (!stream)
        return;
    while (paths->len < COPIES_MAX && (entry = readdir(stream))) {
        if (*entry->d_name != '.' && (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN))
            g_ptr_array_add(paths, g_build_filename(directory, entry->d_name, NULL));
    }
    closedir(stream);
    g_ptr_array_sort(paths, compare_texts);
    for (unsigned i = 0; i < paths->len; i++)
        (void)add(copies, paths->pdata[i]);
}

static void on_directory(void *copies, const struct loader_directory_status *status)
{
    if (!status->missing && !add(copies, status->path))
        look_below(copies, status->path);
}

GArray *copies_list(const struct loader *loader)
{
    GArray *copies = g_array_new(FALSE, FALSE, sizeof(struct copy));

    g_array_set_clear_func(copies, clear);
    loader_directories(loader, on_directory, copies);
    return copies;
}

bool copies_is_part(const char *path)
{
    g_autofree char *ns = g_path_get_dirname(path);
    g_autofree char *directory = g_path_get_dirname(ns);
    g_autofree char *status = g_build_filename(directory, STATUS_NAME, NULL);

    return faccessat(AT_FDCWD, status, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
