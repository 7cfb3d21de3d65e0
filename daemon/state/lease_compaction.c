/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes a complete new file, syncs it, and renames it, in that order, so that the name never leads
 * to less than a whole journal.
 */
#include "lease_compaction.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lease_line.h"
#include "lib/util/write_all.h"

#define NEW_NAME LEASE_JOURNAL_NAME ".new"

static int write_leases(int fd, const struct leases *leases)
{
    g_autoptr(GString) text = g_string_new(LEASE_JOURNAL_TITLE);
    size_t done;
    lease_line_append_all(text, leases);
    int r = write_all(fd, text->str, text->len, &done);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    return r;
}

int lease_compaction_run(int directory_fd, const struct leases *leases)
{
    lease_compaction_discard(directory_fd);
    int fd = openat(directory_fd, NEW_NAME, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    int r = write_leases(fd, leases);
    if (r == 0 && renameat(directory_fd, NEW_NAME, directory_fd, LEASE_JOURNAL_NAME) < 0)
        r = -errno;
    if (r == 0) {
        (void)fsync(directory_fd); /* until then the old name refers to the old, whole file */
        return fd;
    }
    close(fd);
    lease_compaction_discard(directory_fd);
    return r;
}

void lease_compaction_discard(int directory_fd)
{
    (void)unlinkat(directory_fd, NEW_NAME, 0);
}
