/*
 * Two processes below the test's: one is killed at once, the other one watches that and lingers.
 */
#include "killed_daemon.h"

#include <glib.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static _Noreturn void run(int (*open)(const char *path), const char *path, int ready_fd)
{
    pid_t daemon = getpid();

    if (open(path) != 0)
        _exit(1);
    if (fork() == 0) {
        (void)!write(ready_fd, "", 1);
        while (getppid() == daemon)
            g_usleep(1000);
        g_usleep(G_USEC_PER_SEC / 5);
        _exit(0);
    }
    for (;;)
        pause();
}

pid_t killed_daemon_start(int (*open)(const char *path), const char *path)
{
    int fds[2];
    char byte;

    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0)
        run(open, path, fds[1]);
    close(fds[1]);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    close(fds[0]);
    return pid;
}

void killed_daemon_kill(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

void killed_daemon_await_child(void)
{
    assert_true(waitpid(-1, NULL, 0) > 0);
}
