/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A forked copy of this process, which writes to a pipe; a timer ends it if it hangs. It leaves no
 * core file, as its end is examined here.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT_S 60u /* longer than nameservers that do not answer take */

/* What is not a multiple of a page makes no file, and 1 also starts no program: core(5). */
static void forbid_core(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) < 0)
        return;
    limit.rlim_cur = MIN(limit.rlim_max, 1);
    (void)setrlimit(RLIMIT_CORE, &limit);
}

G_NORETURN static void become_child(int fd, void (*work)(FILE *out, const void *userdata),
                                    const void *userdata)
{
    FILE *out = fdopen(fd, "w");
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGALRM, SIG_DFL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    forbid_core();
    (void)alarm(TIMEOUT_S);
    if (!out)
        _exit(EXIT_FAILURE);
    work(out, userdata);
    _exit(fclose(out) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static char *read_all(int fd)
{
    GString *text = g_string_new(NULL);
    char buffer[4096];
    ssize_t n;
    while ((n = TEMP_FAILURE_RETRY(read(fd, buffer, sizeof buffer))) > 0)
        g_string_append_len(text, buffer, n);
    return g_string_free(text, FALSE);
}

/* NULL: it came to its end. */
static char *failure_of(int status)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        return g_strdup_printf("has not ended within %u s", TIMEOUT_S);
    if (WIFSIGNALED(status))
        return g_strdup_printf("was killed by signal %d (%s)", WTERMSIG(status),
                               strsignal(WTERMSIG(status)));
    return WEXITSTATUS(status) == EXIT_SUCCESS
               ? NULL
               : g_strdup_printf("has ended with status %d", WEXITSTATUS(status));
}

char *child_output(void (*work)(FILE *out, const void *userdata), const void *userdata,
                   char **failurep)
{
    int fds[2], status = 0;
    if (pipe2(fds, O_CLOEXEC) < 0) {
        *failurep = g_strdup_printf("could not be started: %s", g_strerror(errno));
        return NULL;
    }
    (void)signal(SIGCHLD, SIG_DFL); /* else nothing is known of its end */
    (void)fflush(stdout);
    pid_t child = fork();
    int error = errno;
    if (child == 0)
        become_child(fds[1], work, userdata);
    close(fds[1]);
    g_autofree char *output = child > 0 ? read_all(fds[0]) : NULL;
    close(fds[0]);
    if (child < 0) {
        *failurep = g_strdup_printf("could not be started: %s", g_strerror(error));
        return NULL;
    }
    (void)TEMP_FAILURE_RETRY(waitpid(child, &status, 0));
    *failurep = failure_of(status);
    return *failurep ? NULL : g_steal_pointer(&output);
}
