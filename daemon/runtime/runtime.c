/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where runtimes have their files, and reading one of them. The system's daemon sees podman's
 * through a mount of its unit, because they are below a directory that is closed to all but root.
 */
#include "runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/log.h"

#define PODMAN_MOUNTED "/run/kubesvc-sources/podman"
#define PODMAN_OWN "containers/networks/aardvark-dns"
#define CLOCK_TICK (20 * INT64_C(1000000)) /* nanoseconds; file systems' are no finer */
#define FILE_MAX (4u << 20)                /* bytes */
#define CONTENT_SMALL 4096u                /* bytes; most are of one or two KiB */

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

struct runtime_file *runtime_file_new(struct folder *folder, const char *name, bool shared)
{
    struct runtime_file *file = g_new0(struct runtime_file, 1);

    file->folder = folder;
    file->name = name;
    file->shared = shared;
    return file;
}

void runtime_file_free(gpointer userdata)
{
    struct runtime_file *file = userdata;

    g_free(file->problem);
    g_free(file);
}

struct runtime_content {
    struct runtime_text text;
    struct fingerprint look;
    char *heap; /* of a large one */
    char small[CONTENT_SMALL];
};

static void content_clear(struct runtime_content *content)
{
    g_free(content->heap);
}

/* Returns 0 or an errno. */
static int read_all(int fd, struct runtime_content *content)
{
    size_t size = (size_t)content->look.size, length = 0; /* at most FILE_MAX */
    char *buffer = content->small;

    if (size >= sizeof content->small)
        buffer = content->heap = g_malloc(size + 1);
    while (length < size) {
        ssize_t n = read(fd, buffer + length, size - length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0)
            break;
        length += (size_t)n;
    }
    buffer[length] = '\0';
    content->text.text = buffer;
    content->text.length = length;
    return 0;
}

/* When it was created, and whether it has been written to since: the kernel keeps both times, which
 * cannot be set. */
static void put_birth(int fd, struct runtime_text *text)
{
    struct statx st;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_CTIME | STATX_BTIME, &st) < 0 ||
        !(st.stx_mask & STATX_BTIME))
        return;
    text->created = fingerprint_time(st.stx_btime.tv_sec, st.stx_btime.tv_nsec);
    text->untouched =
        fingerprint_time(st.stx_ctime.tv_sec, st.stx_ctime.tv_nsec) - text->created <= CLOCK_TICK;
}

/* A shared file may be written to while it is read, so it is looked at again. */
static void put_times(int fd, bool shared, struct runtime_content *content)
{
    struct runtime_text *text = &content->text;

    text->since = text->created = content->look.mtime;
    text->untouched = !shared;
    if (shared)
        put_birth(fd, text);
}

/* Returns 0 or an errno; ENOENT: there is no such file. */
static int read_file(const struct runtime_file *file, int directory,
                     struct runtime_content *content)
{
    int fd =
        openat(directory, file->name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    struct stat st;
    int error = 0;

    if (fd < 0)
        return errno;
    if (fstat(fd, &st) < 0)
        error = errno;
    else if (!S_ISREG(st.st_mode))
        error = ENOENT;
    else if (st.st_size > FILE_MAX)
        error = EFBIG;
    if (error == 0) {
        content->look = fingerprint_of(&st);
        error = read_all(fd, content);
    }
    if (error == 0)
        put_times(fd, file->shared, content);
    close(fd);
    return error;
}

/* Records the current problem of a file (takes ownership; NULL: none) and logs it once, unless
 * `quietly`. */
static void complain(struct runtime_file *file, char *problem, bool quietly)
{
    g_autofree char *before = file->problem;

    file->problem = problem;
    if (g_strcmp0(before, problem) == 0)
        return;
    g_autofree char *path = folder_file(file->folder, file->name);
    if (problem && !quietly)
        log_warning("%s: %s", path, problem);
    else if (!problem && file->logged)
        log_notice("%s: fixed", path);
    file->logged = problem && (file->logged || !quietly);
}

static const char *consequence(const struct runtime_file *file)
{
    return file->known ? "its previous content stays in effect" : "ignoring it";
}

void runtime_file_withdraw(struct runtime_file *file, runtime_seen seen, void *userdata)
{
    if (file->stated)
        seen(userdata, file, NULL);
    file->stated = false;
    file->has_seen = false;
}

/* Is it to be read? */
static bool is_due(struct runtime_file *file, int directory, enum folder_reason reason)
{
    struct stat st;

    if (file->unreadable || reason == FOLDER_CHANGED ||
        (reason == FOLDER_SCANNED && !file->has_seen))
        return true;
    if (fstatat(directory, file->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return reason == FOLDER_SCANNED;
    struct fingerprint now = fingerprint_of(&st);
    if (reason == FOLDER_SCANNED)
        return !fingerprint_equal(&now, &file->seen);
    /* Else it is being written to, and will be read when it is closed. */
    if (!fingerprint_same_content(&now, &file->seen))
        return false;
    file->seen = now;
    return faccessat(directory, file->name, R_OK, AT_EACCESS) < 0;
}

/* A file written just now may be written again without looking different. */
static void note_seen(struct runtime_file *file, const struct fingerprint *look)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME_COARSE, &now); /* behind by less than a tick */
    file->seen = *look;
    file->has_seen = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - look->ctime > CLOCK_TICK;
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
    seen(userdata, file, sightings);
}

bool runtime_file_look(struct runtime_file *file, enum folder_reason reason, runtime_parse parse,
                       void *parse_userdata, runtime_seen seen, void *userdata)
{
    __attribute__((cleanup(content_clear))) struct runtime_content content;
    g_autofree char *problem = NULL;
    int directory = folder_enter(file->folder);

    content.heap = NULL; /* not all of it: the buffer is large */
    content.look = (struct fingerprint){0};
    if (directory >= 0 && !is_due(file, directory, reason))
        return true;
    int error = directory < 0 ? -directory : read_file(file, directory, &content);
    if (error == ENOENT || error == ENOTDIR || error == ELOOP) {
        runtime_file_withdraw(file, seen, userdata);
        return false;
    }
    file->unreadable = error != 0;
    if (error != 0) {
        complain(
            file,
            g_strdup_printf("cannot be read: %s; %s", strerrordesc_np(error), consequence(file)),
            false);
        return true;
    }
    note_seen(file, &content.look);
    GPtrArray *sightings = g_ptr_array_new_with_free_func((GDestroyNotify)sighting_free);
    int r = parse(parse_userdata, &content.text, sightings, &problem);
    if (r == PARSE_DONE)
        hand_over(file, sightings, seen, userdata);
    else
        g_ptr_array_unref(sightings);
    file->known |= r == PARSE_DONE;
    if (r == PARSE_PARTIAL)
        complain(file, g_strdup_printf("is incomplete; %s", consequence(file)), true);
    else if (r == PARSE_BAD)
        complain(file, g_strdup_printf("%s; %s", problem, consequence(file)), false);
    else
        complain(file, g_steal_pointer(&problem), false);
    return true;
}
