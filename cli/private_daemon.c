/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guard process supervises the daemon on behalf of this process, which will become the command:
 * in its own session, not a child of the command, it waits for the command's end through a pidfd,
 * stops the daemon and removes the directory. Should the guard be killed, the kernel kills the
 * daemon, and the next private daemon of this user removes the directory.
 */
#include "private_daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "private_directory.h"
#include "text.h"

#define END_TIMEOUT_MS 5000 /* for the daemon to exit when asked to */
#define MESSAGE_MAX 512u    /* bytes of a notification */

struct private_daemon {
    char *program;
    char *directory;
    char *socket, *notify_path, *log_path, *state;
    int lock;    /* the directory, locked while it is in use */
    int notify;  /* the daemon's messages to its service manager */
    int self;    /* pidfd of this process */
    int life[2]; /* a pipe that says why there is no daemon (report_end) */
};

/* --- The daemon and its guard ----------------------------------------------------------------- */

/* Beside this program, as in a build directory; or where it is installed. */
static char *find_program(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *directory = g_path_get_dirname(self ? self : "/usr/bin/kubesvc");
    const char *const places[] = {"kubesvcd", "../sbin/kubesvcd"};
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *path = g_build_filename(directory, places[i], NULL);
        if (access(path, X_OK) == 0)
            return g_steal_pointer(&path);
    }
    return g_find_program_in_path("kubesvcd");
}

static char **build_command(const struct private_daemon *daemon, const char *const *manifests,
                            const char *ns)
{
    g_autoptr(GStrvBuilder) command = g_strv_builder_new();
    g_strv_builder_add_many(command, daemon->program, "--config", "/dev/null", "--user-ranges",
                            "--socket", daemon->socket, "--state", daemon->state, NULL);
    if (ns)
        g_strv_builder_add_many(command, "--namespace", ns, NULL);
    for (; *manifests; manifests++)
        g_strv_builder_add_many(command, "--manifests", *manifests, NULL);
    return g_strv_builder_end(command);
}

/* False with errno. */
static bool redirect(int fd, const char *path, int flags)
{
    int opened = open(path, flags | O_CLOEXEC, 0600);
    if (opened < 0)
        return false;
    (void)dup2(opened, fd);
    close(opened);
    return true;
}

static void reset_signals(void (*action)(int))
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP};
    sigset_t none;
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        (void)signal(numbers[i], action);
    (void)signal(SIGCHLD, SIG_DFL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What the command's caller has set is meant for the command. */
static void clean_environment(const struct private_daemon *daemon)
{
    static const char *const names[] = {"KUBESVC_SOCKET", "KUBESVC_NAMESPACE", "LISTEN_PID",
                                        "LISTEN_FDS",     "LISTEN_FDNAMES",    "WATCHDOG_PID",
                                        "WATCHDOG_USEC",  "JOURNAL_STREAM"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_unsetenv(names[i]);
    g_setenv("NOTIFY_SOCKET", daemon->notify_path, TRUE);
}

/* Why there is no daemon: negative errno, the signal that killed it, or 0 if its output says why.
 */
static void report_end(struct private_daemon *daemon, int reason)
{
    (void)!write(daemon->life[1], &reason, sizeof reason);
    close(daemon->life[1]);
    daemon->life[1] = -1;
}

static bool has_ended(int process_fd)
{
    return poll(&(struct pollfd){.fd = process_fd, .events = POLLIN}, 1, 0) > 0;
}

/* What the guard has sent before is lost, as it ignores the signal itself. */
static void become_daemon(struct private_daemon *daemon, char **command, pid_t guard)
{
    reset_signals(SIG_DFL);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != guard || has_ended(daemon->self))
        _exit(EXIT_FAILURE);
    (void)close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
    clean_environment(daemon);
    if (redirect(STDERR_FILENO, daemon->log_path, O_WRONLY | O_CREAT | O_APPEND))
        execv(command[0], command);
    report_end(daemon, -errno);
    _exit(EXIT_FAILURE);
}

/* Descriptors of the command's caller: a pipe among them would not end as long as this has it. */
static void close_others(int a, int b, int c)
{
    for (int fd = STDERR_FILENO + 1; fd <= MAX(MAX(a, b), c); fd++)
        if (fd != a && fd != b && fd != c)
            close(fd);
    (void)close_range((unsigned)MAX(MAX(a, b), c) + 1, ~0u, 0);
}

static void end_daemon(pid_t process, int fd)
{
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    (void)kill(process, SIGTERM);
    if (TEMP_FAILURE_RETRY(poll(&ended, 1, END_TIMEOUT_MS)) == 0)
        (void)kill(process, SIGKILL);
    (void)TEMP_FAILURE_RETRY(waitpid(process, NULL, 0));
}

/* The signal that has killed it, or 0; it stays a zombie, so that its number is not used again. */
static int ending_signal(int process_fd)
{
    siginfo_t info = {0};
    (void)waitid(P_PIDFD, (id_t)process_fd, &info, WEXITED | WNOWAIT);
    return info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED ? info.si_status : 0;
}

/* Until this program, or what it has executed, has ended. */
static void wait_for_command(struct private_daemon *daemon, int process_fd)
{
    struct pollfd ends[] = {{.fd = daemon->self, .events = POLLIN},
                            {.fd = process_fd, .events = POLLIN}};
    while (ends[0].revents == 0) {
        (void)poll(ends, G_N_ELEMENTS(ends), -1);
        if (ends[1].revents == 0)
            continue;
        report_end(daemon, ending_signal(process_fd));
        ends[1].fd = -1;
    }
}

static void guard(struct private_daemon *daemon, char **command)
{
    reset_signals(SIG_IGN);
    close_others(daemon->self, daemon->lock, daemon->life[1]);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        (void)redirect(fd, "/dev/null", O_RDWR);
    pid_t self = getpid(), process = fork();
    if (process == 0)
        become_daemon(daemon, command, self);
    int process_fd = process > 0 ? pidfd_open(process, 0) : -1;
    if (process_fd < 0)
        report_end(daemon, -errno);
    (void)!chdir("/");
    wait_for_command(daemon, process_fd);
    if (process > 0)
        end_daemon(process, process_fd);
    private_directory_remove(daemon->directory);
    _exit(EXIT_SUCCESS);
}

/* Forks twice, so that the guard is no child of the command. */
static int start_guard(struct private_daemon *daemon, char **command)
{
    pid_t child = fork();
    if (child < 0)
        return -errno;
    if (child == 0) {
        (void)setsid();
        pid_t grandchild = fork();
        if (grandchild == 0)
            guard(daemon, command);
        _exit(grandchild < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
    }
    close(daemon->life[1]);
    daemon->life[1] = -1;
    int status = 0;
    (void)TEMP_FAILURE_RETRY(waitpid(child, &status, 0));
    return status == 0 ? 0 : -EAGAIN;
}

/* --- Its start -------------------------------------------------------------------------------- */

static int make_directory(struct private_daemon *daemon)
{
    int r = private_directory_make(&daemon->directory, &daemon->lock);
    daemon->socket = g_build_filename(daemon->directory, "socket", NULL);
    daemon->notify_path = g_build_filename(daemon->directory, "notify", NULL);
    daemon->log_path = g_build_filename(daemon->directory, "log", NULL);
    daemon->state = g_build_filename(daemon->directory, "state", NULL);
    return r;
}

static int prepare(struct private_daemon *daemon)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int r = make_directory(daemon);
    if (r < 0)
        return r;
    g_strlcpy(address.sun_path, daemon->notify_path, sizeof address.sun_path);
    daemon->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (daemon->notify < 0 ||
        bind(daemon->notify, (const struct sockaddr *)&address, sizeof address) < 0)
        return -errno;
    daemon->self = pidfd_open(getpid(), 0);
    return daemon->self < 0 || pipe2(daemon->life, O_CLOEXEC) < 0 ? -errno : 0;
}

static bool says_ready(int fd)
{
    char text[MESSAGE_MAX + 1];
    ssize_t n = recv(fd, text, MESSAGE_MAX, MSG_DONTWAIT);
    text[MAX(n, 0)] = '\0';
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    return g_strv_contains((const char *const *)lines, "READY=1");
}

/* False: there is no daemon; the reason is what report_end has it, 0 if the guard was killed. */
static bool wait_until_ready(const struct private_daemon *daemon, int *reasonp)
{
    struct pollfd fds[] = {{.fd = daemon->notify, .events = POLLIN},
                           {.fd = daemon->life[0], .events = POLLIN}};
    for (;;) {
        (void)poll(fds, G_N_ELEMENTS(fds), -1);
        if (fds[0].revents && says_ready(daemon->notify))
            return true;
        if (!fds[1].revents)
            continue;
        if (read(daemon->life[0], reasonp, sizeof *reasonp) != sizeof *reasonp)
            *reasonp = 0;
        return false;
    }
}

static const char *remedy_for(int error)
{
    switch (error) {
    case EMFILE: return "raise the limit of open files, as with 'ulimit -n 1024'";
    case EAGAIN: return "raise the limit of processes, as with 'ulimit -u'";
    default: return NULL;
    }
}

static int complain_directory(const struct private_daemon *daemon, int error)
{
    const char *remedy = remedy_for(error);
    text_error(false, remedy ? remedy : "XDG_RUNTIME_DIR can name another place",
               "cannot use %s for a private kubesvcd: %s", daemon->directory, g_strerror(error));
    return STATUS_FAILED;
}

static int complain(const struct private_daemon *daemon, int reason)
{
    g_autofree char *log = NULL;
    (void)g_file_get_contents(daemon->log_path, &log, NULL, NULL);
    const char *output = log && *log ? "; its output:" : " without a message";
    if (reason < 0)
        text_error(false, remedy_for(-reason), "cannot start a private %s: %s", daemon->program,
                   g_strerror(-reason));
    else if (reason > 0)
        text_error(false, NULL, "the private kubesvcd was killed by signal %d (%s)%s", reason,
                   strsignal(reason), output);
    else
        text_error(false, NULL, "the private kubesvcd has exited%s", output);
    if (reason >= 0 && log)
        fputs(log, stderr);
    return STATUS_FAILED;
}

static void release(struct private_daemon *daemon)
{
    const int fds[] = {daemon->lock, daemon->notify, daemon->self, daemon->life[0],
                       daemon->life[1]};
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    g_free(daemon->program);
    g_free(daemon->directory);
    g_free(daemon->socket);
    g_free(daemon->notify_path);
    g_free(daemon->log_path);
    g_free(daemon->state);
}

/* One by one: there may be no descriptor to list the directory with. */
static void undo(const struct private_daemon *daemon)
{
    (void)unlink(daemon->notify_path);
    (void)rmdir(daemon->directory);
}

/* Signals wait until there is a guard that removes the directory. */
static int start(struct private_daemon *daemon, const char *const *manifests, const char *ns)
{
    sigset_t all, before;
    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    int r = prepare(daemon);
    bool prepared = r == 0;
    if (prepared) {
        g_auto(GStrv) command = build_command(daemon, manifests, ns);
        r = start_guard(daemon, command);
    }
    if (r < 0)
        undo(daemon);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (r < 0)
        return prepared ? complain(daemon, r) : complain_directory(daemon, -r);
    return wait_until_ready(daemon, &r) ? STATUS_DONE : complain(daemon, r);
}

int private_daemon_start(const char *const *manifests, const char *ns, char **socketp)
{
    struct private_daemon daemon = {.lock = -1, .notify = -1, .self = -1, .life = {-1, -1}};
    daemon.program = find_program();
    if (!daemon.program) {
        text_error(false, "install the package kubesvcd",
                   "no kubesvcd next to this program, nor in "
                   "../sbin or the PATH");
        return STATUS_FAILED;
    }
    int status = start(&daemon, manifests, ns);
    if (status == STATUS_DONE)
        *socketp = g_steal_pointer(&daemon.socket);
    release(&daemon);
    return status;
}
