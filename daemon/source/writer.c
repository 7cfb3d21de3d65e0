/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel grants a read lease only while nobody has the file open for writing, whatever was
 * heard or missed before. The lease itself is not wanted and is given back at once: a writer that
 * opens the file in between waits for that, a few microseconds.
 */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

enum writer writer_of(int fd)
{
    /* The holder of a lease is told that a writer comes. By default that is SIGIO, which would end
     * the process; SIGURG is ignored unless somebody handles it. */
    if (fcntl(fd, F_SETSIG, SIGURG) < 0)
        return WRITER_UNKNOWN;
    if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
        return errno == EAGAIN ? WRITER_PRESENT : WRITER_UNKNOWN;
    (void)fcntl(fd, F_SETLEASE, F_UNLCK);
    return WRITER_NONE;
}
