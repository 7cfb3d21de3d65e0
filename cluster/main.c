/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc-cluster: a cluster's Services, from its API to a directory of manifests.
 */
#include <curl/curl.h>
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "cluster/api_server.h"
#include "cluster/files.h"
#include "cluster/follower.h"
#include "cluster/kubeconfig.h"
#include "cluster/settings.h"
#include "lib/util/command_line.h"
#include "lib/util/log.h"

struct cluster_program {
    struct cluster_settings settings;
    struct kubeconfig kubeconfig;
    sd_event *event;
    struct files *files;
    struct api_server *server;
    struct follower *follower;
};

static int open_files(struct cluster_program *program)
{
    const char *output = program->settings.output;
    int r = files_new(&program->files, output);

    if (r == FILES_BUSY)
        log_error("%s: another kubesvc-cluster is writing to it; exiting", output);
    else if (r == FILES_FOREIGN)
        log_error("%s: holds files that kubesvc-cluster did not write, and would remove; give it a "
                  "directory of its own",
                  output);
    else if (r < 0)
        log_error("%s: %s", output, g_strerror(-r));
    return r;
}

static int program_follow(struct cluster_program *program)
{
    struct cluster_settings *settings = &program->settings;
    g_autofree char *name = g_path_get_basename(settings->output);
    struct follower_config config = {
        .cluster = name,
        .address = program->kubeconfig.server,
        .namespaces = (const char *const *)settings->namespaces,
        .pods = settings->pods,
        .once = settings->once,
        .max_age = settings->max_age,
        .jitter = settings->jitter,
    };
    int r = sd_event_default(&program->event);

    if (r >= 0)
        r = sd_event_set_signal_exit(program->event, 1);
    if (r >= 0)
        r = sd_event_set_watchdog(program->event, 1);
    if (r >= 0)
        r = api_server_new(&program->server, program->event, &program->kubeconfig);
    if (r >= 0)
        r = follower_new(&program->follower, program->event, program->server, program->files,
                         &config);
    if (r < 0) {
        log_error("cannot start: %s", g_strerror(-r));
        return EXIT_FAILURE;
    }
    /* Ready before the first list: the names of the previous run are in the directory. */
    (void)sd_notify(0, "READY=1");
    r = sd_event_loop(program->event);
    if (r < 0)
        log_error("%s", g_strerror(-r));
    (void)sd_notify(0, "STOPPING=1");
    program->follower = follower_free(program->follower);
    return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int program_run(struct cluster_program *program)
{
    if (kubeconfig_read(&program->kubeconfig, program->settings.kubeconfig,
                        program->settings.context) < 0)
        return EXIT_FAILURE;
    if (open_files(program) != 0)
        return EXIT_FAILURE;
    return program_follow(program);
}

int main(int argc, char **argv)
{
    struct cluster_program program = {0};
    int r = settings_read(&program.settings, argc, argv);

    if (r != 0) {
        settings_clear(&program.settings);
        return r == COMMAND_LINE_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    (void)umask(0022); /* kubesvcd reads it as another user; the directory above decides who may */
    (void)signal(SIGPIPE, SIG_IGN);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return EXIT_FAILURE;
    r = program_run(&program);
    api_server_free(program.server);
    files_free(program.files);
    sd_event_unref(program.event);
    kubeconfig_clear(&program.kubeconfig);
    settings_clear(&program.settings);
    curl_global_cleanup();
    return r;
}
