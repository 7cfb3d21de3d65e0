/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What may not be allowed shows only when it is tried, and a process that has left its user
 * namespace cannot come back. So a child goes all the way first, and this process follows only
 * when that has worked.
 *
 * The files lie in a tmpfs that only these namespaces have, so that nothing is left behind however
 * the command ends. It needs a place for the moment in which they are bound to their own.
 */
#include "pod_namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util/write_all.h"

#define STAGE "/tmp"
#define NSCD_SOCKET "/var/run/nscd/socket"

struct failure {
    char step[160];
    int error;
};

static bool fail(struct failure *failure, const char *what, const char *path)
{
    failure->error = errno;
    g_snprintf(failure->step, sizeof failure->step, "%s%s", what, path);
    return false;
}

static bool write_map(struct failure *failure, const char *path, const char *text)
{
    size_t done;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int r = fd < 0 ? -errno : write_all(fd, text, strlen(text), &done);
    if (fd >= 0)
        close(fd);
    errno = -r;
    return r == 0 || fail(failure, "writing ", path);
}

/* The user ids stay, so that the command sees the same ids and gets no capability. */
static bool unshare_user(struct failure *failure)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    g_autofree char *uids = g_strdup_printf("%u %u 1\n", uid, uid);
    g_autofree char *gids = g_strdup_printf("%u %u 1\n", gid, gid);
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS) < 0)
        return fail(failure, "a user namespace", "");
    return write_map(failure, "/proc/self/setgroups", "deny") &&
           write_map(failure, "/proc/self/uid_map", uids) &&
           write_map(failure, "/proc/self/gid_map", gids);
}

static bool bind_file(struct failure *failure, const char *from, const char *path)
{
    return mount(from, path, NULL, MS_BIND, NULL) == 0 || fail(failure, "mounting on ", path);
}

static bool place_file(struct failure *failure, const struct pod_file *file)
{
    size_t size, done;
    const char *content = g_bytes_get_data(file->content, &size);
    int fd = open(STAGE "/file", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail(failure, "creating a file for ", file->path);
    int r = fchmod(fd, 0644) < 0 ? -errno : write_all(fd, content, size, &done);
    close(fd);
    errno = -r;
    if (r < 0)
        return fail(failure, "writing a file for ", file->path);
    if (!bind_file(failure, STAGE "/file", file->path))
        return false;
    return unlink(STAGE "/file") == 0 || fail(failure, "unlinking a file for ", file->path);
}

static bool place_files(struct failure *failure, const struct pod_file *files)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
        return fail(failure, "a mount namespace", "");
    if (mount("tmpfs", STAGE, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") < 0)
        return fail(failure, "mounting a tmpfs", "");
    for (; files->path; files++)
        if (!place_file(failure, files))
            return false;
    if (umount2(STAGE, MNT_DETACH) < 0)
        return fail(failure, "unmounting a tmpfs", "");
    /* it would answer by the files of the host */
    return access(NSCD_SOCKET, F_OK) < 0 || bind_file(failure, "/dev/null", NSCD_SOCKET);
}

static bool enter(struct failure *failure, const char *hostname, const struct pod_file *files)
{
    if (unshare(CLONE_NEWNS | CLONE_NEWUTS) < 0 && !unshare_user(failure))
        return false;
    if (hostname && sethostname(hostname, strlen(hostname)) < 0)
        return fail(failure, "setting the host name", "");
    return place_files(failure, files);
}

/* In a child, which reports how far it came; nothing: all the way. */
static void try_it(int fd, const char *hostname, const struct pod_file *files)
{
    struct failure failure = {0};
    size_t done;
    if (!enter(&failure, hostname, files))
        (void)!write_all(fd, (const char *)&failure, sizeof failure, &done);
    _exit(0);
}

static bool is_allowed(struct failure *failure, const char *hostname, const struct pod_file *files)
{
    int pipe_fds[2], status;
    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return fail(failure, "a pipe", "");
    pid_t child = fork();
    if (child == 0)
        try_it(pipe_fds[1], hostname, files);
    close(pipe_fds[1]);
    ssize_t n = child < 0 ? 0 : TEMP_FAILURE_RETRY(read(pipe_fds[0], failure, sizeof *failure));
    close(pipe_fds[0]);
    if (child < 0)
        return fail(failure, "a process", "");
    /* there is no status where SIGCHLD is ignored */
    if (TEMP_FAILURE_RETRY(waitpid(child, &status, 0)) < 0)
        status = 0;
    errno = EIO;
    if (n == 0 && status == 0)
        return true;
    return n == sizeof *failure ? false : fail(failure, "a process", "");
}

static bool says(const char *path, char value)
{
    g_autofree char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) && *text == value;
}

static const char *find_remedy(void)
{
    if (says("/proc/sys/kernel/unprivileged_userns_clone", '0'))
        return "allow user namespaces with 'sysctl kernel.unprivileged_userns_clone=1'";
    if (says("/proc/sys/user/max_user_namespaces", '0'))
        return "allow user namespaces with 'sysctl user.max_user_namespaces=1000'";
    if (says("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1'))
        return "allow user namespaces with "
               "'sysctl kernel.apparmor_restrict_unprivileged_userns=0'";
    return NULL;
}

char *pod_namespaces_enter(const char *hostname, const struct pod_file *files, const char **remedyp)
{
    struct failure failure = {0};
    *remedyp = NULL;
    if (is_allowed(&failure, hostname, files) && enter(&failure, hostname, files))
        return NULL;
    bool denied = failure.error == EPERM || failure.error == EACCES || failure.error == ENOSPC;
    if (denied)
        *remedyp = find_remedy();
    return g_strdup_printf("%s%s: %s", denied ? "namespaces are not allowed: " : "", failure.step,
                           g_strerror(failure.error));
}
