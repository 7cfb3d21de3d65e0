/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel grants a read lease only while no process has the file open for writing, whatever
 * events were seen or missed. The lease itself is not needed and is released at once: a writer that
 * opens the file in between waits for that, a few microseconds.
 */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

enum writer writer_of(int fd)
{
    /* The kernel signals the holder of a lease about a writer. By default that is SIGIO, which
     * would kill the process; SIGURG is ignored unless handled. */
    if (fcntl(fd, F_SETSIG, SIGURG) < 0)
        return WRITER_UNKNOWN;
    if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
        return errno == EAGAIN ? WRITER_PRESENT : WRITER_UNKNOWN;
    (void)fcntl(fd, F_SETLEASE, F_UNLCK);
    return WRITER_NONE;
}
