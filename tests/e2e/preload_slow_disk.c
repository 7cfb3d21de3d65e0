/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fsync(2) and fdatasync(2) as of a disk that does not answer while the file that $SLOW_DISK names
 * is there.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void wait_for_disk(void)
{
    const char *path = getenv("SLOW_DISK");

    while (path && access(path, F_OK) == 0)
        (void)usleep(10000);
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
int fsync(int fd)
{
    wait_for_disk();
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    wait_for_disk();
    return (int)syscall(SYS_fdatasync, fd);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
