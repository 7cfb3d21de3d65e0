/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control message that carries one descriptor, which is all that is needed here; and whether
 * more can be opened, which is tried, as the limit alone does not say what is open already. The
 * lowest free number is what open(2) gives, so the standard descriptors are occupied in their
 * order.
 */
#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

ssize_t descriptor_send(int socket, const struct msghdr *message, int fd)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS}};
    struct msghdr whole = *message;

    if (fd >= 0) {
        memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
        whole.msg_control = control.bytes;
        whole.msg_controllen = sizeof control.bytes;
    }
    return sendmsg(socket, &whole, MSG_DONTWAIT | MSG_NOSIGNAL);
}

size_t descriptor_raise_limit(size_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return wanted;
    if (limit.rlim_cur < wanted) {
        struct rlimit raised = limit;

        raised.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            limit = raised;
    }
    return limit.rlim_cur < wanted ? (size_t)limit.rlim_cur : wanted;
}

bool descriptor_has_room(unsigned n)
{
    int fds[DESCRIPTOR_PROBE_MAX], error = 0;
    unsigned opened = 0;

    while (opened < n && opened < DESCRIPTOR_PROBE_MAX && error == 0) {
        fds[opened] = epoll_create1(EPOLL_CLOEXEC);
        if (fds[opened] < 0)
            error = errno;
        else
            opened++;
    }
    while (opened > 0)
        close(fds[--opened]);
    errno = error;
    return error == 0;
}

bool descriptor_occupy_standard(bool usable)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int wrong_way = (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC;

        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", usable ? O_RDWR : wrong_way) != fd)
            return false;
    }
    return true;
}
