/*
 * Children of the daemon: they have one descriptor, and do not outlive it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util/child.h"

/* Tells how many descriptors there are, but for that of the directory; then lives on. */
static _Noreturn void run_child(int fd)
{
    char n = -1;
    alarm(60); /* whatever fails, it is not left behind */
    DIR *directory = opendir("/proc/self/fd");
    while (directory && readdir(directory))
        n++;
    n -= 2; /* . and .. */
    if (write(fd, &n, 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static _Noreturn void run_daemon(int fd)
{
    alarm(60);
    pid_t pid = child_fork(fd);
    if (pid == 0)
        run_child(fd);
    if (pid < 0)
        _exit(1);
    close(fd);
    for (;;)
        pause();
}

static void a_child_has_one_descriptor_and_ends_with_the_daemon(void **state)
{
    int fds[2];
    char n = 0;
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    pid_t pid = fork();
    if (pid == 0)
        run_daemon(fds[1]);
    close(fds[1]);
    assert_int_equal(read(fds[0], &n, 1), 1);
    assert_int_equal(n, 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(read(fds[0], &n, 1), 0); /* nobody has the other end any more */
    close(fds[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_has_one_descriptor_and_ends_with_the_daemon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
