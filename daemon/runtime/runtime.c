/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where runtimes have their files, and reading one of them. The system's daemon sees podman's
 * through a mount of its unit, because they are below a directory that is closed to all but root.
 */
#include "runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/log.h"

#define PODMAN_MOUNTED "/run/kubesvc-sources/podman"
#define PODMAN_OWN "containers/networks/aardvark-dns"
#define CLOCK_TICK (20 * INT64_C(1000000)) /* nanoseconds; file systems' are no finer */
#define KEPT "; its previous content stays in effect"

static bool is_mounted(const char *path)
{
    struct statx st;

    return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &st) == 0 &&
           (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static const char *user_runtime_directory(void)
{
    return getuid() != 0 ? g_getenv("XDG_RUNTIME_DIR") : NULL;
}

static char *podman_directory(void)
{
    const char *own = user_runtime_directory();

    if (is_mounted(PODMAN_MOUNTED))
        return g_strdup(PODMAN_MOUNTED);
    return g_build_filename(own ? own : "/run", PODMAN_OWN, NULL);
}

static char *quadlet_directory(void)
{
    if (user_runtime_directory())
        return g_build_filename(g_get_user_config_dir(), "containers/systemd", NULL);
    return g_strdup("/etc/containers/systemd");
}

char *runtime_directory(const struct config_source *source)
{
    if (source->directory)
        return g_strdup(source->directory);
    switch (source->runtime) {
    case CONFIG_PODMAN: return podman_directory();
    case CONFIG_KUBELET: return g_strdup("/var/lib/kubelet/pods");
    case CONFIG_QUADLET: return quadlet_directory();
    case CONFIG_CNI:
    case CONFIG_K3S:
    case CONFIG_RUNTIMES: break;
    }
    return g_strdup("/var/lib/cni/results");
}

bool runtime_is_rootless(const struct config_source *source)
{
    return source->runtime == CONFIG_PODMAN && !source->directory && user_runtime_directory() &&
           !is_mounted(PODMAN_MOUNTED);
}

struct runtime_file *runtime_file_new(char *path)
{
    struct runtime_file *file = g_new0(struct runtime_file, 1);

    file->path = path;
    return file;
}

void runtime_file_free(gpointer userdata)
{
    struct runtime_file *file = userdata;

    g_free(file->path);
    g_free(file->problem);
    g_free(file);
}

static char *read_all(int fd, size_t size, struct runtime_text *text)
{
    char *buffer = g_malloc(size + 1);
    size_t length = 0;

    while (length < size) {
        ssize_t n = read(fd, buffer + length, size - length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            g_free(buffer);
            return NULL;
        }
        if (n == 0)
            break;
        length += (size_t)n;
    }
    buffer[length] = '\0';
    text->text = buffer;
    text->length = length;
    return buffer;
}

static int64_t nanoseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

char *runtime_read(const char *path, struct runtime_text *text, struct stat *st, int *errorp)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    char *buffer = NULL;

    if (fd < 0 || fstat(fd, st) < 0) {
        *errorp = errno;
    } else if (!S_ISREG(st->st_mode)) {
        *errorp = ENOENT;
    } else if (st->st_size > (off_t)RUNTIME_FILE_MAX) {
        *errorp = EFBIG;
    } else {
        text->since = nanoseconds(&st->st_mtim);
        buffer = read_all(fd, (size_t)st->st_size, text);
        *errorp = buffer ? 0 : errno;
    }
    if (fd >= 0)
        close(fd);
    return buffer;
}

void runtime_file_complain(struct runtime_file *file, char *problem, bool quietly)
{
    g_autofree char *before = file->problem;

    file->problem = problem;
    if (g_strcmp0(before, problem) == 0)
        return;
    if (problem && !quietly)
        log_warning("%s: %s", file->path, problem);
    else if (!problem && file->logged)
        log_notice("%s: fixed", file->path);
    file->logged = problem && (file->logged || !quietly);
}

void runtime_file_withdraw(struct runtime_file *file, runtime_seen seen, void *userdata)
{
    if (file->stated)
        seen(userdata, file->path, NULL);
    file->stated = false;
    file->has_seen = false;
}

static bool looks_as_before(const struct runtime_file *file)
{
    struct stat st;

    return file->has_seen && lstat(file->path, &st) == 0 && st.st_dev == file->seen.st_dev &&
           st.st_ino == file->seen.st_ino && st.st_size == file->seen.st_size &&
           nanoseconds(&st.st_mtim) == nanoseconds(&file->seen.st_mtim) &&
           nanoseconds(&st.st_ctim) == nanoseconds(&file->seen.st_ctim);
}

/* A file written just now may be written again without looking different. */
static void note_seen(struct runtime_file *file, const struct stat *st)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    file->seen = *st;
    file->has_seen = nanoseconds(&now) - nanoseconds(&st->st_ctim) > CLOCK_TICK;
}

static void free_sighting(gpointer sighting)
{
    sighting_free(sighting);
}

/* The array's free function goes with the ownership of its elements. */
static void hand_over(struct runtime_file *file, GPtrArray *sightings, runtime_seen seen,
                      void *userdata)
{
    if (sightings->len == 0 && !file->stated) {
        g_ptr_array_unref(sightings);
        return;
    }
    g_ptr_array_set_free_func(sightings, NULL);
    file->stated = sightings->len > 0;
    seen(userdata, file->path, sightings);
}

bool runtime_file_look(struct runtime_file *file, bool heard, runtime_parse parse,
                       void *parse_userdata, runtime_seen seen, void *userdata)
{
    struct runtime_text text;
    struct stat st;
    int error;

    if (!heard && looks_as_before(file))
        return true;
    g_autofree char *content = runtime_read(file->path, &text, &st, &error), *problem = NULL;

    if (!content && (error == ENOENT || error == ENOTDIR || error == ELOOP)) {
        runtime_file_withdraw(file, seen, userdata);
        return false;
    }
    if (!content) {
        runtime_file_complain(
            file, g_strdup_printf("cannot be read: %s" KEPT, strerrordesc_np(error)), false);
        return true;
    }
    note_seen(file, &st);
    GPtrArray *sightings = g_ptr_array_new_with_free_func(free_sighting);
    int r = parse(parse_userdata, &text, sightings, &problem);
    if (r == PARSE_DONE)
        hand_over(file, sightings, seen, userdata);
    else
        g_ptr_array_unref(sightings);
    if (r == PARSE_PARTIAL)
        runtime_file_complain(file, g_strdup("is incomplete" KEPT), true);
    else if (r == PARSE_BAD)
        runtime_file_complain(file, g_strconcat(problem, KEPT, NULL), false);
    else
        runtime_file_complain(file, g_steal_pointer(&problem), false);
    return true;
}
