/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fdatasync(2) as of a disk that does not answer while the file that $SLOW_DISK names is there.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int fdatasync(int fd)
{
    const char *path = getenv("SLOW_DISK");

    while (path && access(path, F_OK) == 0)
        (void)usleep(10000);
    return (int)syscall(SYS_fdatasync, fd);
}
