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
#include <ftw.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "text.h"

#define PREFIX "kubesvc-run-"
#define PARENT_MAX 60u      /* bytes: a socket's path has at most 107 */
#define STALE_SECONDS 60    /* a younger directory may not be locked yet */
#define END_TIMEOUT_MS 5000 /* for the daemon to exit when asked to */
#define MESSAGE_MAX 512u    /* bytes of a notification */

struct private_daemon {
    char *program;
    char *directory;
    char *socket, *notify_path, *log_path, *state;
    int lock;    /* the directory, locked while it is in use */
    int notify;  /* the daemon's messages to its service manager */
    int self;    /* pidfd of this process */
    int life[2]; /* a pipe whose writing end is open while the daemon lives */
};

/* --- The directory ---------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st, (void)type, (void)walk;
    return remove(path);
}

static void remove_directory(const char *path)
{
    (void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *find_parent(void)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (runtime && *runtime == '/' && strlen(runtime) <= PARENT_MAX && access(runtime, W_OK) == 0)
        return runtime;
    return "/tmp";
}

/* Left by a killed guard: no process holds its lock. */
static void sweep_one(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && time(NULL) - st.st_mtime > STALE_SECONDS &&
        flock(fd, LOCK_EX | LOCK_NB) == 0)
        remove_directory(path);
    close(fd);
}

static void sweep(const char *parent)
{
    g_autoptr(GDir) directory = g_dir_open(parent, 0, NULL);
    const char *name;
    while (directory && (name = g_dir_read_name(directory)))
        if (g_str_has_prefix(name, PREFIX)) {
            g_autofree char *path = g_build_filename(parent, name, NULL);
            sweep_one(path);
        }
}

/* The guard replaces the standard descriptors, which its caller may have closed. */
static int above_standard(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), error = errno;
    close(fd);
    errno = error;
    return higher;
}

static int make_directory(struct private_daemon *daemon)
{
    const char *parent = find_parent();
    sweep(parent);
    daemon->directory = g_build_filename(parent, PREFIX "XXXXXX", NULL);
    if (!mkdtemp(daemon->directory))
        return -errno;
    daemon->socket = g_build_filename(daemon->directory, "socket", NULL);
    daemon->notify_path = g_build_filename(daemon->directory, "notify", NULL);
    daemon->log_path = g_build_filename(daemon->directory, "log", NULL);
    daemon->state = g_build_filename(daemon->directory, "state", NULL);
    daemon->lock = above_standard(open(daemon->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (daemon->lock < 0 || flock(daemon->lock, LOCK_SH) < 0)
        return -errno;
    return 0;
}

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

static void redirect(int fd, const char *path, int flags)
{
    int opened = open(path, flags | O_CLOEXEC, 0600);
    if (opened == fd) { /* it was closed, and stays open for what is executed */
        (void)fcntl(fd, F_SETFD, 0);
    } else if (opened >= 0) {
        (void)dup2(opened, fd);
        close(opened);
    }
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

static bool has_ended(int process_fd)
{
    return poll(&(struct pollfd){.fd = process_fd, .events = POLLIN}, 1, 0) > 0;
}

/* What the guard has sent before is lost, as it ignores the signal itself. */
static void become_daemon(const struct private_daemon *daemon, char **command, pid_t guard)
{
    reset_signals(SIG_DFL);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != guard || has_ended(daemon->self))
        _exit(EXIT_FAILURE);
    redirect(STDERR_FILENO, daemon->log_path, O_WRONLY | O_CREAT | O_APPEND);
    (void)close_range(STDERR_FILENO + 1, ~0u, 0);
    clean_environment(daemon);
    execv(command[0], command);
    fprintf(stderr, "%s: %s\n", command[0], g_strerror(errno));
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

/* Until this program, or what it has executed, has ended. */
static void wait_for_command(struct private_daemon *daemon, int process_fd)
{
    struct pollfd ends[] = {{.fd = daemon->self, .events = POLLIN},
                            {.fd = process_fd, .events = POLLIN}};
    while (ends[0].revents == 0) {
        if (ends[1].fd < 0 && daemon->life[1] >= 0) {
            close(daemon->life[1]);
            daemon->life[1] = -1;
        }
        (void)poll(ends, G_N_ELEMENTS(ends), -1);
        if (ends[1].revents != 0)
            ends[1].fd = -1;
    }
}

static void guard(struct private_daemon *daemon, char **command)
{
    reset_signals(SIG_IGN);
    close_others(daemon->self, daemon->lock, daemon->life[1]);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        redirect(fd, "/dev/null", O_RDWR);
    pid_t self = getpid(), process = fork();
    if (process == 0)
        become_daemon(daemon, command, self);
    (void)!chdir("/");
    int process_fd = process > 0 ? pidfd_open(process, 0) : -1;
    wait_for_command(daemon, process_fd);
    if (process > 0)
        end_daemon(process, process_fd);
    remove_directory(daemon->directory);
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
    daemon->self = above_standard(pidfd_open(getpid(), 0));
    if (daemon->self < 0 || pipe2(daemon->life, O_CLOEXEC) < 0)
        return -errno;
    daemon->life[1] = above_standard(daemon->life[1]);
    return daemon->life[1] < 0 ? -errno : 0;
}

static bool says_ready(int fd)
{
    char text[MESSAGE_MAX + 1];
    ssize_t n = recv(fd, text, MESSAGE_MAX, MSG_DONTWAIT);
    text[MAX(n, 0)] = '\0';
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    return g_strv_contains((const char *const *)lines, "READY=1");
}

/* False: it has ended. */
static bool wait_until_ready(const struct private_daemon *daemon)
{
    struct pollfd fds[] = {{.fd = daemon->notify, .events = POLLIN}, {.fd = daemon->life[0]}};
    for (;;) {
        (void)poll(fds, G_N_ELEMENTS(fds), -1);
        if (fds[0].revents && says_ready(daemon->notify))
            return true;
        if (fds[1].revents)
            return false;
    }
}

static int complain(const struct private_daemon *daemon, int r)
{
    g_autofree char *log = NULL;
    if (r < 0)
        text_error(false, NULL, "cannot start a private kubesvcd: %s", g_strerror(-r));
    else
        text_error(false, NULL, "the private kubesvcd has exited; its output:");
    if (r >= 0 && g_file_get_contents(daemon->log_path, &log, NULL, NULL))
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

/* Signals wait until there is a guard that removes the directory. */
static int start(struct private_daemon *daemon, const char *const *manifests, const char *ns)
{
    sigset_t all, before;
    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    int r = prepare(daemon);
    if (r == 0) {
        g_auto(GStrv) command = build_command(daemon, manifests, ns);
        r = start_guard(daemon, command);
    }
    if (r < 0 && daemon->directory)
        remove_directory(daemon->directory);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (r < 0)
        return complain(daemon, r);
    return wait_until_ready(daemon) ? STATUS_DONE : complain(daemon, 0);
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
