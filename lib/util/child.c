/*
 * A child of the daemon. Knows nothing of what it is for, nor when it has ended: whoever forks it
 * watches it.
 */
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define CHILD_NICE 10

/* Nobody would wait for a child whose daemon has gone, and the daemon's descriptors must not live
 * on in it: clients and files would look as if they were still open, and locks would be held. Until
 * they are closed they do live on, see patience.h. */
static void become_child(pid_t daemon, int fd)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != daemon)
        _exit(0);
    if (fd > 0)
        (void)close_range(0, (unsigned)fd - 1, 0);
    (void)close_range((unsigned)fd + 1, ~0u, 0);
    (void)setpriority(PRIO_PROCESS, 0, CHILD_NICE); /* a courtesy; the sandbox may not let it */
}

pid_t child_fork(int fd)
{
    pid_t daemon = getpid();
    pid_t pid = fork();

    if (pid == 0)
        become_child(daemon, fd);
    return pid < 0 ? -errno : pid;
}
