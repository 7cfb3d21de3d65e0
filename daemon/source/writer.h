/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Does a process have this file open for writing? inotify cannot answer that: opening is reported
 * without a mode, and equal events in a row are merged, so neither opens nor closes can be counted.
 */
#pragma once

enum writer {
    WRITER_NONE,
    WRITER_PRESENT,
    WRITER_UNKNOWN, /* the file belongs to another user (CAP_LEASE allows those too), or the file
                     * system or kernel has no leases */
};

/* `fd`: a regular file, opened with O_RDONLY. Its lease settings are changed. */
enum writer writer_of(int fd);
