/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing to a file. For blocking descriptors only: EAGAIN is an error here.
 */
#include "write_all.h"

#include <errno.h>
#include <unistd.h>

int write_all(int fd, const char *text, size_t size, size_t *done)
{
    for (*done = 0; *done < size;) {
        ssize_t n = write(fd, text + *done, size - *done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        *done += (size_t)n;
    }
    return 0;
}
