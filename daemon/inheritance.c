/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The service manager keeps descriptors by name and hands them to whatever process it starts next
 * for the unit, after an orderly restart as after a crash; it drops them when the unit is stopped.
 *
 * A snapshot that was left cannot be written to (it is sealed), so the processes that have it
 * mapped see that its daemon is gone and ask the socket first, where they get the next one.
 *
 * A process may be killed between any two messages to the service manager, which drops descriptors
 * by name only. So snapshots have two names by turns: the next one is stored before the one before
 * it is dropped, and a process that is handed both has the choice. The socket is only replaced if
 * its file was removed.
 */
#include "inheritance.h"

#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/publish/publisher.h"
#include "lib/util/descriptor.h"
#include "lib/util/log.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE)

/* A process that lives shorter than this counts as one start of many. From the sixth on each waits
 * twice as long as the one before it. */
#define SHORT_LIFE_USEC (10 * G_USEC_PER_SEC)
#define STARTS_FREE UINT64_C(5)
#define DELAY_MIN_USEC UINT64_C(250000)
#define DELAY_MAX_USEC UINT64_C(5000000)

#define SNAPSHOTS 2u /* the first descriptors */

enum descriptor { SNAPSHOT, OTHER_SNAPSHOT, SOCKET, STARTS, DESCRIPTORS };

static const char *const names[DESCRIPTORS] = {
    [SNAPSHOT] = "kubesvc-snapshot",
    [OTHER_SNAPSHOT] = "kubesvc-snapshot-2",
    [SOCKET] = "kubesvc-socket",
    [STARTS] = "kubesvc-starts",
};

struct starts {
    uint64_t count; /* in a row */
    int64_t last;   /* CLOCK_MONOTONIC, microseconds */
};

struct mapped {
    const void *base; /* NULL: nothing */
    size_t size;
};

struct inheritance {
    struct notify *notify;
    bool kept;
    int fds[DESCRIPTORS];    /* -1: none */
    ino_t socket;            /* that the service manager has; 0: none */
    enum descriptor stored;  /* the snapshot that it has, if any */
    struct mapped answering; /* that snapshot, while it answers */
    uint64_t generation;     /* of the snapshot that was left last */
    uint64_t delay;
};

static void take_descriptors(struct inheritance *inheritance)
{
    char **listed = NULL;
    int n = sd_listen_fds_with_names(1, &listed);
    g_auto(GStrv) given = listed; /* of malloc, as GLib's are */

    for (int i = 0; i < n; i++) {
        int fd = SD_LISTEN_FDS_START + i;
        enum descriptor d = 0;

        while (d < DESCRIPTORS && strcmp(given[i], names[d]) != 0)
            d++;
        if (d < DESCRIPTORS && inheritance->fds[d] < 0)
            inheritance->fds[d] = fd;
        else
            close(fd);
    }
}

/* Does the service manager remove the directory of the socket by itself? */
static bool is_runtime_directory(const char *socket)
{
    const char *list = getenv("RUNTIME_DIRECTORY");
    g_auto(GStrv) directories = g_strsplit(list ? list : "", ":", -1);
    g_autofree char *directory = g_path_get_dirname(socket);

    return g_strv_contains((const char *const *)directories, directory);
}

static void count_start(struct inheritance *inheritance)
{
    struct starts starts = {0};
    int64_t now = g_get_monotonic_time();

    int *fd = &inheritance->fds[STARTS];
    if (*fd < 0)
        *fd = memfd_create(names[STARTS], MFD_CLOEXEC);
    else if (pread(*fd, &starts, sizeof starts, 0) != sizeof starts)
        starts = (struct starts){0};
    starts.count = now - starts.last < SHORT_LIFE_USEC ? starts.count + 1 : 0;
    starts.last = now;
    if (*fd < 0 || pwrite(*fd, &starts, sizeof starts, 0) != sizeof starts)
        return;
    (void)notify_store_fd(inheritance->notify, names[STARTS], *fd);
    if (starts.count > STARTS_FREE)
        inheritance->delay =
            MIN(DELAY_MIN_USEC << MIN(starts.count - STARTS_FREE, UINT64_C(10)), DELAY_MAX_USEC);
}

struct inheritance *inheritance_new(struct notify *notify, const char *socket)
{
    struct inheritance *inheritance = g_new0(struct inheritance, 1);

    inheritance->notify = notify;
    inheritance->stored = OTHER_SNAPSHOT;
    for (enum descriptor d = 0; d < DESCRIPTORS; d++)
        inheritance->fds[d] = -1;
    take_descriptors(inheritance);
    inheritance->kept = notify_is_supervised(notify) && is_runtime_directory(socket);
    if (inheritance->kept)
        count_start(inheritance);
    return inheritance;
}

static void unmap(struct mapped *mapped)
{
    if (mapped->base)
        munmap((void *)mapped->base, mapped->size);
    mapped->base = NULL;
}

void inheritance_end(struct inheritance *inheritance)
{
    unmap(&inheritance->answering);
    for (enum descriptor d = 0; d < SNAPSHOTS; d++)
        descriptor_close(&inheritance->fds[d]);
}

struct inheritance *inheritance_free(struct inheritance *inheritance)
{
    if (!inheritance)
        return NULL;
    inheritance_end(inheritance);
    descriptor_close(&inheritance->fds[SOCKET]);
    descriptor_close(&inheritance->fds[STARTS]);
    g_free(inheritance);
    return NULL;
}

bool inheritance_is_kept(const struct inheritance *inheritance)
{
    return inheritance->kept;
}

/* 0: it is not open. */
static ino_t inode_of(int fd)
{
    struct stat file;

    return fstat(fd, &file) == 0 ? file.st_ino : 0;
}

int inheritance_take_socket(struct inheritance *inheritance)
{
    int fd = inheritance->fds[SOCKET];

    inheritance->fds[SOCKET] = -1;
    inheritance->socket = inode_of(fd);
    return fd;
}

/* Of the layout that this daemon knows, and as large as it says. */
static bool is_sound(const struct kubesvc_snapshot_header *header, size_t size)
{
    return header->magic == htole32(KUBESVC_SNAPSHOT_MAGIC) &&
           header->version == htole32(KUBESVC_SNAPSHOT_VERSION) &&
           le32toh(header->size) <= size / KUBESVC_SNAPSHOT_ALIGN &&
           (le32toh(header->state) & KUBESVC_SNAPSHOT_STOPPED) == 0;
}

/* Would this configuration give the same answers? The settings do not cover which namespaces are
 * exposed: a difference there goes unnoticed. */
static bool has_settings_of(const void *base, const struct config *config)
{
    struct snapshot_view view;

    if (!snapshot_view_open(&view, base, SIZE_MAX))
        return false;
    g_autoptr(GByteArray) wanted = publisher_settings(config);
    struct snapshot_record found = snapshot_find(&view, "c", 1);

    return found.data && found.length == wanted->len &&
           memcmp(found.data, wanted->data, wanted->len) == 0;
}

/* Without a base: it is none that can be answered from. */
static struct mapped map_snapshot(int fd, const struct config *config)
{
    struct mapped mapped = {0};
    struct stat file;
    int seals = fcntl(fd, F_GET_SEALS); /* -1: none */

    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &file) < 0 ||
        file.st_size < (off_t)sizeof(struct kubesvc_snapshot_header))
        return mapped;
    mapped.size = (size_t)file.st_size;
    void *base = mmap(NULL, mapped.size, PROT_READ, MAP_SHARED, fd, 0);

    if (base == MAP_FAILED)
        return mapped;
    mapped.base = base;
    if (!is_sound(base, mapped.size) || !has_settings_of(base, config))
        unmap(&mapped);
    return mapped;
}

static bool is_newer(const struct kubesvc_snapshot_header *header,
                     const struct kubesvc_snapshot_header *other)
{
    bool retired = le32toh(header->state) & KUBESVC_SNAPSHOT_RETIRED;
    bool other_retired = le32toh(other->state) & KUBESVC_SNAPSHOT_RETIRED;

    if (retired != other_retired)
        return other_retired;
    return le32toh(header->heartbeat) > le32toh(other->heartbeat);
}

/* The newest of those that were left. */
static void choose_snapshot(struct inheritance *inheritance, const struct config *config)
{
    struct mapped *best = &inheritance->answering;

    for (enum descriptor d = 0; d < SNAPSHOTS; d++) {
        struct mapped found = map_snapshot(inheritance->fds[d], config);

        if (!found.base || (best->base && !is_newer(found.base, best->base))) {
            unmap(&found);
            continue;
        }
        unmap(best);
        *best = found;
        inheritance->stored = d;
    }
}

void inheritance_answer(struct inheritance *inheritance, struct snapshot_root *root,
                        const struct config *config)
{
    choose_snapshot(inheritance, config);
    if (!inheritance->answering.base)
        return;
    snapshot_root_adopt(root, inheritance->answering.base);
    log_info("answering from the snapshot of the previous process until manifests are loaded");
}

void inheritance_leave_socket(struct inheritance *inheritance, int fd)
{
    ino_t inode = inode_of(fd);

    if (!inheritance->kept)
        return;
    if (inheritance->socket != inode)
        notify_remove_fd(inheritance->notify, names[SOCKET]);
    if (notify_store_fd(inheritance->notify, names[SOCKET], fd))
        inheritance->socket = inode;
}

void inheritance_leave_snapshot(struct inheritance *inheritance, const struct snapshot_root *root)
{
    uint64_t generation = snapshot_root_generation(root);
    int fd = snapshot_root_fd(root);

    if (!inheritance->kept || fd < 0 || generation == inheritance->generation)
        return;
    enum descriptor next = inheritance->stored == SNAPSHOT ? OTHER_SNAPSHOT : SNAPSHOT;

    notify_remove_fd(inheritance->notify, names[next]);
    if (!notify_store_fd(inheritance->notify, names[next], fd))
        return; /* the next publish tries again */
    notify_remove_fd(inheritance->notify, names[inheritance->stored]);
    inheritance->stored = next;
    inheritance->generation = generation;
}

uint64_t inheritance_delay(const struct inheritance *inheritance)
{
    return inheritance->delay;
}
