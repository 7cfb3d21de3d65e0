/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line of kubesvcd: its options and a help text. The configuration interprets the
 * values.
 */
#include "options.h"

#include "lib/util/command_line.h"
#include <kubesvc/limits.h>

#define CONFIG_PATH "/etc/kubesvc/kubesvcd.yaml"

static const char help[] =
    "Usage: kubesvcd [OPTION...]\n"
    "Resolves the names of Kubernetes Services in manifest files for libnss_kubesvc.so.2.\n"
    "\n"
    "  --config FILE        read this configuration (" CONFIG_PATH ")\n"
    "  --manifests PATH...  read manifests from these directories or files only\n"
    "  --namespace NS       namespace of short names, and of objects that name none (default)\n"
    "  --zone ZONE          zone of the names (cluster.local)\n"
    "  --socket PATH        listen on this socket (" KUBESVC_SOCKET_PATH ")\n"
    "  --state DIR          keep address leases in this directory (/var/lib/kubesvc)\n"
    "  --user-ranges        by default, allocate addresses from ranges of this user\n"
    "  --check              check the configuration and exit\n"
    "  --help               show this help and exit\n"
    "  --version            show the version and exit\n"
    "\n"
    "Options override the configuration file. SIGHUP reloads configuration and manifests,\n"
    "SIGTERM stops the daemon. Runs in the foreground as any user and logs to stderr.\n"
    "\n"
    "Example: kubesvcd --manifests k8s --namespace moon \\\n"
    "    --socket $XDG_RUNTIME_DIR/kubesvc/socket --state $XDG_RUNTIME_DIR/kubesvc\n"
    "\n"
    "See kubesvcd(8), kubesvcd.yaml(5), nss-kubesvc(8).\n";

int options_parse(struct options *options, int argc, char **argv)
{
    *options = (struct options){.config = {.path = CONFIG_PATH, .manifests = g_ptr_array_new()}};
    struct config_options *config = &options->config;
    const char *path = NULL;
    const struct command_line_option rows[] = {
        {.name = "config", .text = &path},
        {.name = "manifests", .list = config->manifests},
        {.name = "namespace", .text = &config->ns},
        {.name = "zone", .text = &config->zone},
        {.name = "socket", .text = &config->socket},
        {.name = "state", .text = &config->state},
        {.name = "user-ranges", .flag = &config->user_ranges},
        {.name = "check", .flag = &options->check},
        {0},
    };
    const struct command_line line = {"kubesvcd", help, rows, config->manifests};
    int r = command_line_read(&line, argc, argv);

    if (path) {
        config->path = path;
        config->path_given = true;
    }
    return r;
}

void options_clear(struct options *options)
{
    g_ptr_array_unref(options->config.manifests);
}
