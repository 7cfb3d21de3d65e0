/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control message that carries one descriptor, which is all that is needed here.
 */
#include "descriptor.h"

#include <string.h>
#include <sys/resource.h>

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
