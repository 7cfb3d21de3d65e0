/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why no daemon answers: systemd's state of its unit, the last error in the journal, its
 * configuration, the directory of the socket; and whether another daemon is running instead, the
 * user's own or the system's.
 */
#include "checks.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config/config.h"
#include "inspect_client.h"
#include "lib/util/exposure.h"
#include <kubesvc/limits.h>

#define UNIT "kubesvcd.service"
#define CONFIG "/etc/kubesvc/kubesvcd.yaml"
#define BOOTED "/run/systemd/system"

/* Where the unit of the user has its socket; NULL if nothing says where. */
static char *user_socket(void)
{
    const char *directory = g_getenv("XDG_RUNTIME_DIR");
    return directory && *directory ? g_build_filename(directory, "kubesvc", "socket", NULL) : NULL;
}

static bool is_users(const struct checks *checks)
{
    g_autofree char *path = user_socket();
    return g_strcmp0(path, checks->arguments->socket) == 0;
}

static bool answers(const char *path)
{
    struct ucred peer;
    return inspect_client_credentials(path, &peer) == 0;
}

/* What a program writes, without its last newline; NULL: it cannot be run, or fails. */
static char *output_of(const char *const *command)
{
    char *output = NULL;
    int status;
    if (!g_spawn_sync(NULL, (char **)command, NULL,
                      G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output, NULL,
                      &status, NULL))
        return NULL;
    if (status != 0)
        g_clear_pointer(&output, g_free);
    return output ? g_strchomp(output) : NULL;
}

/* From `systemctl show`, lines of NAME=VALUE; "" if missing. */
static char *property_of(const char *properties, const char *name)
{
    g_auto(GStrv) lines = g_strsplit(properties, "\n", -1);
    size_t length = strlen(name);
    for (char **line = lines; *line; line++)
        if (strncmp(*line, name, length) == 0 && (*line)[length] == '=')
            return g_strdup(*line + length + 1);
    return g_strdup("");
}

/* The last error of the unit that says why: systemd adds one to each that only says that it failed.
 */
static char *last_error(bool user)
{
    const char *unit = user ? "--user-unit=" UNIT : "--unit=" UNIT;
    g_autofree char *output =
        output_of((const char *[]){"journalctl", unit, "--priority=err", "--lines=10",
                                   "--output=cat", "--quiet", "--no-pager", NULL});
    g_auto(GStrv) lines = g_strsplit(output ? output : "", "\n", -1);
    for (guint i = g_strv_length(lines); i > 0; i--)
        if (*lines[i - 1] && !g_str_has_prefix(lines[i - 1], "Failed to start "))
            return g_strdup(lines[i - 1]);
    return NULL;
}

static void add_failure(struct checks *checks, const char *properties, bool user)
{
    g_autofree char *result = property_of(properties, "Result");
    g_autofree char *restarts = property_of(properties, "NRestarts");
    g_autofree char *error = last_error(user);
    g_autofree char *remedy =
        g_strdup_printf("fix that, then 'systemctl %srestart kubesvcd'; 'journalctl %s " UNIT
                        "' shows the whole log",
                        user ? "--user " : "", user ? "--user-unit" : "--unit");
    checks_add(checks, VERDICT_BAD, "unit", remedy,
               UNIT " does not start (result %s, %s restarts)%s%s", result, restarts,
               error ? ": " : "", error ? error : "");
}

static void judge_unit(struct checks *checks, const char *properties, bool user)
{
    g_autofree char *load = property_of(properties, "LoadState");
    g_autofree char *state = property_of(properties, "ActiveState");
    g_autofree char *sub = property_of(properties, "SubState");
    g_autofree char *file = property_of(properties, "UnitFileState");
    g_autofree char *result = property_of(properties, "Result");
    g_autofree char *restarts = property_of(properties, "NRestarts");
    const char *manager = user ? "--user " : "";
    g_autofree char *unmask = g_strdup_printf("systemctl %sunmask kubesvcd", manager);
    g_autofree char *enable = g_strdup_printf("systemctl %senable --now kubesvcd", manager);
    g_autofree char *look =
        g_strdup_printf("see 'systemctl %scat kubesvcd' for the socket it is given", manager);
    if (strcmp(load, "not-found") == 0)
        checks_add(checks, VERDICT_BAD, "unit", "install kubesvcd", "systemd knows no " UNIT);
    else if (strcmp(load, "masked") == 0)
        checks_add(checks, VERDICT_BAD, "unit", unmask, UNIT " is masked");
    else if (strcmp(state, "failed") == 0 || strcmp(sub, "auto-restart") == 0 ||
             (strcmp(state, "activating") == 0 && strcmp(restarts, "0") != 0) ||
             (strcmp(state, "inactive") == 0 && *result && strcmp(result, "success") != 0))
        add_failure(checks, properties, user);
    else if (strcmp(state, "activating") == 0)
        checks_add(checks, VERDICT_WARN, "unit",
                   "wait a moment; the first load reads all manifests", UNIT " is starting");
    else if (strcmp(state, "active") == 0)
        checks_add(checks, VERDICT_WARN, "unit", look, UNIT " is running but not answering at %s",
                   checks->arguments->socket);
    else
        checks_add(checks, VERDICT_BAD, "unit", enable, UNIT " is %s, and %s", state,
                   *file ? file : "not enabled");
}

static void examine_unit(struct checks *checks)
{
    g_autofree char *booted = checks_path(checks, BOOTED);
    bool user = is_users(checks);
    if (access(booted, F_OK) < 0)
        return;
    g_autofree char *properties =
        output_of((const char *[]){"systemctl", user ? "--user" : "--system", "show",
                                   "--property=LoadState,UnitFileState,ActiveState,SubState,"
                                   "Result,NRestarts",
                                   UNIT, NULL});
    if (properties)
        judge_unit(checks, properties, user);
}

static void examine_files(struct checks *checks)
{
    g_autofree char *path = is_users(checks) ? g_build_filename(g_get_user_config_dir(), "kubesvc",
                                                                "kubesvcd.yaml", NULL)
                                             : checks_path(checks, CONFIG);
    g_autoptr(GPtrArray) errors = g_ptr_array_new_with_free_func(g_free);
    struct config *config = NULL;
    if (config_load_texts(&config, &(struct config_options){.path = path}, errors) != 0 &&
        errors->len > 0)
        checks_add(checks, VERDICT_BAD, "config", "fix it: the daemon does not start with it", "%s",
                   (char *)errors->pdata[0]);
    config_free(config);
}

/* Only a user whose own daemon it would be can tell that the directory is of the wrong user:
 * systemd gives that of the unit to the unit's user, and root examines the daemons of others. */
static uid_t user_of_daemon(const char *socket, const char *directory)
{
    bool is_own = geteuid() != 0 && strcmp(socket, KUBESVC_SOCKET_PATH) != 0;
    struct stat status;
    return is_own || stat(directory, &status) < 0 ? geteuid() : status.st_uid;
}

static void examine_directory(struct checks *checks)
{
    const char *socket = checks->arguments->socket;
    g_autofree char *directory = g_path_get_dirname(socket);
    g_autofree char *exposure = exposure_of_directory(directory, user_of_daemon(socket, directory));
    if (exposure)
        checks_add(checks, VERDICT_BAD, "socket",
                   "give the socket a directory of its own (mode 0755)",
                   "%s: %s, so the daemon does not use it", directory, exposure);
}

/* The daemon may be there, and be another than this process asks. */
static void examine_others(struct checks *checks)
{
    g_autofree char *own = user_socket();
    const char *candidates[] = {KUBESVC_SOCKET_PATH, own};
    for (size_t i = 0; i < G_N_ELEMENTS(candidates); i++) {
        const char *path = candidates[i];
        if (!path || strcmp(path, checks->arguments->socket) == 0 || !answers(path))
            continue;
        g_autofree char *remedy = i > 0
                                      ? g_strdup_printf("to ask it, export KUBESVC_SOCKET=%s", path)
                                      : g_strdup("to ask it, unset KUBESVC_SOCKET");
        checks_add(checks, VERDICT_WARN, "daemon", remedy, "%s daemon answers at %s",
                   i > 0 ? "your own" : "the system's", path);
    }
}

void examine_start(struct checks *checks)
{
    examine_unit(checks);
    examine_files(checks);
    examine_directory(checks);
    examine_others(checks);
}
