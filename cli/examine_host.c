/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host: is there a module for every architecture that programs run in; is it used, and early
 * enough; and what else caches names.
 */
#include "checks.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "nsswitch.h"
#include <kubesvc/limits.h>

#define NSSWITCH "/etc/nsswitch.conf"
#define NSCD "/run/nscd/socket"
#define I386 "/i386-linux-gnu"

/* Is the file in one of the directories for libraries with this ending? */
static bool is_there(const struct checks *checks, const char *ending, const char *file)
{
    static const char *const directories[] = {"/lib", "/usr/lib"};
    for (size_t i = 0; i < G_N_ELEMENTS(directories); i++) {
        g_autofree char *below = g_strdup_printf("%s%s/%s", directories[i], ending, file);
        g_autofree char *path = checks_path(checks, below);
        if (access(path, F_OK) == 0)
            return true;
    }
    return false;
}

static void examine_architecture(struct checks *checks, const char *architecture)
{
    static const struct {
        const char *architecture, *ending;
    } known[] = {
        {"amd64", "/x86_64-linux-gnu"},
        {"i386", I386},
        {"arm64", "/aarch64-linux-gnu"},
        {"armhf", "/arm-linux-gnueabihf"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if (strcmp(known[i].architecture, architecture) != 0 ||
            !is_there(checks, known[i].ending, "libc.so.6"))
            continue;
        g_autofree char *remedy = g_strdup_printf("apt install libnss-kubesvc:%s", architecture);
        if (is_there(checks, known[i].ending, KUBESVC_MODULE))
            checks_add(checks, VERDICT_OK, "foreign", NULL, "the module for %s is also installed",
                       architecture);
        else
            checks_add(checks, VERDICT_WARN, "foreign", remedy,
                       "programs of %s can run here but have no module", architecture);
    }
}

/* A 32-bit libc without its architecture, as of gcc-multilib; its programs look here, too. */
static void examine_multilib(struct checks *checks)
{
    bool has_module =
        is_there(checks, "32", KUBESVC_MODULE) || is_there(checks, I386, KUBESVC_MODULE);
    if (is_there(checks, "32", "libc.so.6") && !has_module && !is_there(checks, I386, "libc.so.6"))
        checks_add(checks, VERDICT_WARN, "foreign",
                   "dpkg --add-architecture i386 && apt update && apt install "
                   "libnss-kubesvc:i386",
                   "32-bit programs can run here but have no module");
}

/* dpkg lists the native architecture first; without the file there is no other. */
static void examine_architectures(struct checks *checks)
{
    g_autofree char *path = checks_path(checks, "/var/lib/dpkg/arch"), *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return;
    g_auto(GStrv) names = g_strsplit(text, "\n", -1);
    for (unsigned i = 1; names[0] && names[i]; i++)
        examine_architecture(checks, names[i]);
}

static void judge_place(struct checks *checks, const struct nsswitch *nsswitch, const char *path)
{
    const char *before;
    enum nsswitch_place place = nsswitch_place(nsswitch, &before);
    g_autofree char *where = nsswitch->line > 0
                                 ? g_strdup_printf("%s:%u", path, nsswitch->line)
                                 : g_strdup_printf("%s (no hosts line, so: files dns)", path);
    g_autofree char *move =
        g_strdup_printf("move 'kubesvc [NOTFOUND=return]' before '%s'", before ? before : "");
    switch (place) {
    case NSSWITCH_GOOD:
        checks_add(checks, VERDICT_OK, "hosts line", NULL, "%s asks kubesvc in the right place",
                   where);
        break;
    case NSSWITCH_ABSENT:
        checks_add(checks, VERDICT_BAD, "hosts line",
                   "write 'kubesvc [NOTFOUND=return]' after 'files' on the hosts line",
                   "%s does not ask kubesvc", where);
        break;
    case NSSWITCH_CUT_OFF:
        checks_add(checks, VERDICT_BAD, "hosts line", move,
                   "%s: '%s' ends the search before kubesvc is asked", where, before);
        break;
    case NSSWITCH_LATE:
        checks_add(checks, VERDICT_BAD, "hosts line", move,
                   "%s: '%s' is asked before kubesvc, and may answer our names or leak "
                   "them to the network",
                   where, before);
        break;
    case NSSWITCH_NO_RETURN:
        checks_add(checks, VERDICT_WARN, "hosts line", "write [NOTFOUND=return] after kubesvc",
                   "%s: our names that do not exist are passed on to '%s'", where, before);
        break;
    }
}

static void examine_nsswitch(struct checks *checks)
{
    g_autofree char *path = checks_path(checks, NSSWITCH), *text = NULL;
    g_autofree char *chmod_it = g_strdup_printf("chmod a+r %s", path);
    g_autoptr(GError) error = NULL;
    struct stat status;
    if (!g_file_get_contents(path, &text, NULL, &error)) {
        bool is_missing = g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
        checks_add(checks, VERDICT_BAD, "hosts line",
                   is_missing ? "write 'hosts: files kubesvc [NOTFOUND=return] dns' there"
                              : chmod_it,
                   is_missing ? "%s does not exist, so programs use 'files dns'"
                              : "%s cannot be read, so programs use 'files dns'",
                   path);
        return;
    }
    if (stat(path, &status) == 0 && !(status.st_mode & S_IROTH)) /* root can read it */
        checks_add(checks, VERDICT_BAD, "hosts line", chmod_it,
                   "%s has mode %04o: not every program can read it", path,
                   (unsigned)status.st_mode & 07777);
    struct nsswitch *nsswitch = nsswitch_parse(text);
    judge_place(checks, nsswitch, path);
    nsswitch_free(nsswitch);
}

/* The file stays when the daemon has ended, so the daemon is asked. */
static void examine_nscd(struct checks *checks)
{
    g_autofree char *path = checks_path(checks, NSCD);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool runs = fd >= 0 && (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 ||
                            errno == EAGAIN);
    if (fd >= 0)
        close(fd);
    if (runs)
        checks_add(checks, VERDICT_WARN, "nscd",
                   "after changes run 'nscd -i hosts', or set 'enable-cache hosts "
                   "no' in /etc/nscd.conf",
                   "nscd is running and caches which names do not exist");
}

void examine_host(struct checks *checks)
{
    examine_module(checks);
    examine_architectures(checks);
    examine_multilib(checks);
    examine_nsswitch(checks);
    examine_nscd(checks);
}
