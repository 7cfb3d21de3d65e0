/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon: can every user reach it, does it have names, and do its answers reach a program. One
 * of its own names is looked up through libc, once with our module alone and once as every program
 * on this host does.
 */
#include "checks.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ask.h"
#include "configuration.h"
#include "copy_text.h"
#include "inspect_client.h"
#include "libc_answer.h"
#include "text.h"
#include "value.h"

#define FOR_EVERYBODY 0666
#define SEARCH_FOR_EVERYBODY 0111
#define DAEMON_USER "kubesvc" /* of the unit */

static bool is_in_container(const struct checks *checks)
{
    static const char *const marks[] = {"/.dockerenv", "/run/.containerenv",
                                        "/run/host/container-manager"};
    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
        g_autofree char *path = checks_path(checks, marks[i]);
        if (access(path, F_OK) == 0)
            return true;
    }
    return false;
}

static char *remedy_for(const struct checks *checks, int error)
{
    g_autofree char *directory = g_path_get_dirname(checks->arguments->socket);
    if (error == EACCES)
        return g_strdup_printf(
            "let all users search %s (chmod a+x) and use the socket (chmod a+rw)", directory);
    if (error == ETIMEDOUT)
        return g_strdup("see 'systemctl status kubesvcd'");
    if (is_in_container(checks))
        return g_strdup_printf("this is a container: mount the host's %s into it, or run "
                               "kubesvcd here",
                               directory);
    return g_strdup("start it with 'systemctl start kubesvcd', or give its socket with --socket");
}

/* Are these bits set? Root can use it in any case. */
static bool is_open(struct checks *checks, const char *path, mode_t bits, const char *change)
{
    g_autofree char *remedy = g_strdup_printf("chmod %s %s", change, path);
    struct stat st;
    if (stat(path, &st) < 0 || (st.st_mode & bits) == bits)
        return true;
    checks_add(checks, VERDICT_WARN, "socket", remedy,
               "%s has mode %04o: not every program can use it", path,
               (unsigned)st.st_mode & 07777);
    return false;
}

static void examine_permissions(struct checks *checks)
{
    const char *path = checks->arguments->socket;
    g_autofree char *directory = g_path_get_dirname(path);
    bool is_found = is_open(checks, directory, SEARCH_FOR_EVERYBODY, "a+x");
    if (is_open(checks, path, FOR_EVERYBODY, "a+rw") && is_found)
        checks_add(checks, VERDICT_OK, "socket", NULL, "%s", path);
}

/* What to do where nothing was found: what is there may only be skipped. */
static const char *remedy_without_objects(yajl_val status)
{
    static const char *const remedies[][2] = {
        {"not recursive",
         "put manifests there, not in directories below, or set `recursive: true`"},
        {"other ending", "put manifests there, with names that end in .yaml, .yml or .json"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(remedies); i++)
        for (size_t j = 0; j < value_length(status, "passedOver"); j++)
            if (value_is(value_element(status, "passedOver", j), "why", remedies[i][0]))
                return remedies[i][1];
    return "put manifests there, or configure other directories in /etc/kubesvc/kubesvcd.yaml";
}

static void examine_sources(struct checks *checks, yajl_val status)
{
    g_autoptr(GString) paths = g_string_new(NULL);
    for (size_t i = 0; i < value_length(status, "sources"); i++) {
        yajl_val source = value_element(status, "sources", i);
        const char *path = value_text(source, "path"), *watch = value_text(source, "watch");
        g_string_append_printf(paths, "%s%s%s", paths->len > 0 ? ", " : "", path ? path : "",
                               g_strcmp0(watch, "missing") == 0 ? " (missing)" : "");
        if (g_strcmp0(watch, "polling") == 0)
            checks_add(checks, VERDICT_WARN, "manifests",
                       "raise fs.inotify.max_user_watches with sysctl",
                       "%s is polled: there are no inotify watches left", path ? path : "");
    }
    g_autofree char *objects = text_plural(value_number(status, "objects"), "object");
    if (value_number(status, "objects") == 0 && !value_bool(status, "loaded"))
        return;
    if (value_number(status, "objects") > 0)
        checks_add(checks, VERDICT_OK, "manifests", NULL, "%s from %s", objects, paths->str);
    else
        checks_add(checks, VERDICT_BAD, "manifests", remedy_without_objects(status),
                   "no objects in %s", paths->str);
}

static void examine_clusters(struct checks *checks, yajl_val status)
{
    for (size_t i = 0; i < value_length(status, "clusters"); i++) {
        yajl_val cluster = value_element(status, "clusters", i);
        const char *name = value_text(cluster, "cluster"), *state = value_text(cluster, "state");
        bool running = value_bool(cluster, "running"), fresh = value_bool(cluster, "fresh");
        g_autofree char *text = copy_text(cluster), *remedy = NULL;

        if (!running)
            remedy = g_strdup_printf("see 'systemctl status kubesvc-cluster@%s'", name);
        else if (g_strcmp0(state, "denied") == 0)
            remedy = g_strdup("grant it with the RBAC manifest in examples/cluster, or renew the "
                              "token; see kubesvc-cluster(8)");
        else if (!fresh)
            remedy = g_strdup_printf("see 'journalctl -u kubesvc-cluster@%s'", name);
        checks_add(checks, fresh ? VERDICT_OK : VERDICT_WARN, "cluster", remedy, "%s", text);
    }
}

static int64_t leased_services(yajl_val status)
{
    for (size_t i = 0; i < value_length(status, "leases"); i++) {
        yajl_val leases = value_element(status, "leases", i);
        if (value_is(leases, "use", "services"))
            return value_number(leases, "held");
    }
    return 0;
}

/* Does a connection to a cluster IP that was allocated reach anything? */
static void examine_forwarding(struct checks *checks, yajl_val status)
{
    int64_t n = leased_services(status);
    yajl_val forwarder =
        value_length(status, "forwarders") > 0 ? value_element(status, "forwarders", 0) : NULL;
    const char *program = forwarder ? value_text(forwarder, "program") : NULL;
    if (program)
        checks_add(checks, VERDICT_OK, "cluster IPs", NULL, "%s forwards connections to them",
                   program);
    else if (n > 0)
        checks_add(checks, VERDICT_WARN, "cluster IPs",
                   "install kubesvc-proxy, or start it with 'systemctl start "
                   "kubesvc-proxy'",
                   "%" G_GINT64_FORMAT " allocated, and nothing forwards connections to them", n);
}

/* Whose daemon is it: the system's, this user's, or another user's? */
static void examine_owner(struct checks *checks)
{
    struct ucred peer;
    if (inspect_client_credentials(checks->arguments->socket, &peer) < 0 || peer.uid == 0 ||
        peer.uid == geteuid())
        return;
    const struct passwd *entry = getpwuid(peer.uid);
    if (entry && strcmp(entry->pw_name, DAEMON_USER) == 0)
        return;
    checks_add(checks, VERDICT_WARN, "daemon",
               "if you do not trust that user, start your own with 'systemctl --user start "
               "kubesvcd', and set KUBESVC_SOCKET",
               "it is run by another user, %s (uid %u), who decides what names resolve to",
               entry ? entry->pw_name : "who has no name here", peer.uid);
}

/* A file unreadable for the daemon's user may be readable for the user running this. */
static void examine_unreadable(struct checks *checks, yajl_val status)
{
    for (size_t i = 0; i < value_length(status, "errors"); i++) {
        yajl_val error = value_element(status, "errors", i);
        const char *file = value_text(error, "file"), *message = value_text(error, "message");
        if (!value_is(error, "rule", "unreadable"))
            continue;
        checks_add(checks, VERDICT_BAD, "manifests",
                   "let the daemon's user read it (setfacl -m u:" DAEMON_USER
                   ":rX); manifests in a home directory are for "
                   "'systemctl --user enable --now kubesvcd'",
                   "%s: %s", file ? file : "?", message ? message : "");
        return; /* one tells how */
    }
}

static void examine_configuration(struct checks *checks, yajl_val status)
{
    yajl_val config = value_get(status, "configuration");
    bool rejected;
    g_autofree char *files = configuration_files(config);
    g_autofree char *wrong = configuration_wrong(config, &rejected);
    if (!config)
        return;
    if (!wrong)
        checks_add(checks, VERDICT_OK, "config", NULL, "%s", files);
    else if (rejected)
        checks_add(checks, VERDICT_BAD, "config",
                   "fix it, then 'systemctl reload kubesvcd'; 'kubesvc config show' "
                   "shows what is in effect",
                   "%s", wrong);
    else
        checks_add(checks, VERDICT_WARN, "config", "'systemctl reload kubesvcd' reads them", "%s",
                   wrong);
}

/* Files that killed the daemon are skipped; their names are missing, and the bug should be
 * known. */
static void examine_fatal(struct checks *checks, yajl_val error)
{
    const char *message = value_text(error, "message");
    g_autofree char *place = value_place(error);
    if (value_is(error, "rule", "fatal"))
        checks_add(checks, VERDICT_BAD, "fatal",
                   "change or remove the file; 'coredumpctl list kubesvcd' and "
                   "'journalctl -u kubesvcd' show why",
                   "%s: %s", place ? place : "", message ? message : "");
}

static void examine_errors(struct checks *checks, yajl_val status)
{
    size_t n = value_length(status, "errors");
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        examine_fatal(checks, value_element(status, "errors", i));
    yajl_val first = value_element(status, "errors", 0);
    const char *message = value_text(first, "message");
    g_autofree char *place = value_place(first);
    checks_add(checks, VERDICT_WARN, "errors",
               "see 'kubesvc status', and run 'kubesvc check' on the files",
               "%zu standing problem%s, for example %s: %s", n, n == 1 ? "" : "s",
               place ? place : "", message ? message : "");
}

static void examine_status(struct checks *checks, yajl_val status)
{
    const char *version = value_text(status, "version");
    const char *zone = value_text(status, "zone");
    g_autofree char *zones = value_joined(status, "zones", ", ");
    if (g_strcmp0(version, KUBESVC_VERSION) != 0)
        checks_add(checks, VERDICT_WARN, "daemon", "restart it with 'systemctl restart kubesvcd'",
                   "it has version %s, this is " KUBESVC_VERSION, version ? version : "?");
    else if (!value_bool(status, "loaded"))
        checks_add(checks, VERDICT_WARN, "daemon",
                   "wait until 'kubesvc status' shows that loading is complete",
                   "it is still loading");
    else
        checks_add(checks, VERDICT_OK, "daemon", NULL, "version %s answers for %s%s%s", version,
                   zone ? zone : "?", *zones ? ", " : "", zones);
    examine_configuration(checks, status);
    examine_owner(checks);
    examine_sources(checks, status);
    examine_runtimes(checks, status);
    examine_clusters(checks, status);
    examine_forwarding(checks, status);
    examine_unreadable(checks, status);
    examine_errors(checks, status);
}

/* As programs get it, and from our module alone. */
static void compare_ways(struct checks *checks, const char *name, yajl_val daemons)
{
    g_setenv("KUBESVC_SOCKET", checks->arguments->socket, TRUE);
    checks_compare(checks, "programs", name, libc_answer_new(name, "any", NULL), daemons,
                   "see 'hosts line' and 'module'; restart programs that are already running");
    if (examine_has_module())
        checks_compare(checks, "answers", name, libc_answer_new(name, "any", "kubesvc"), daemons,
                       "see 'module'; install libnss-kubesvc and kubesvcd of the same version");
}

static void examine_answers(struct checks *checks, yajl_val status)
{
    value_auto yajl_val first = NULL, daemons = NULL;
    (void)ask_quietly(checks->arguments, (const char *[]){"names", "", NULL}, &first);
    const char *name = value_text(first, "name");
    if (name)
        (void)ask_quietly(checks->arguments, (const char *[]){"query", "", name, "any", NULL},
                          &daemons);
    if (daemons)
        compare_ways(checks, name, daemons);
    if (value_text(status, "zone"))
        examine_dns(checks, status, daemons ? name : NULL, daemons);
}

void examine_daemon(struct checks *checks)
{
    value_auto yajl_val status = NULL;
    int r = ask_quietly(checks->arguments, (const char *[]){"status", NULL}, &status);
    if (status) {
        examine_permissions(checks);
        examine_status(checks, status);
        examine_answers(checks, status);
        return;
    }
    int error = r < 0 ? -r : EPROTO;
    g_autofree char *remedy = remedy_for(checks, error);
    checks_add(checks, VERDICT_BAD, "daemon", remedy, "no answer at %s: %s",
               checks->arguments->socket, g_strerror(error));
    examine_start(checks);
}
