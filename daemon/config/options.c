/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line of kubesvcd: getopt_long and a help text. The configuration interprets the
 * values.
 */
#include "options.h"

#include <getopt.h>
#include <stdio.h>

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

enum {
    OPTION_CONFIG = 256,
    OPTION_MANIFESTS,
    OPTION_NAMESPACE,
    OPTION_ZONE,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_USER_RANGES,
    OPTION_CHECK,
    OPTION_HELP,
    OPTION_VERSION
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"manifests", required_argument, NULL, OPTION_MANIFESTS},
    {"namespace", required_argument, NULL, OPTION_NAMESPACE},
    {"zone", required_argument, NULL, OPTION_ZONE},
    {"socket", required_argument, NULL, OPTION_SOCKET},
    {"state", required_argument, NULL, OPTION_STATE},
    {"user-ranges", no_argument, NULL, OPTION_USER_RANGES},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {0},
};

/* 0 to continue, else the overall result. */
static int take(struct options *options, int option)
{
    struct config_options *config = &options->config;
    switch (option) {
    case OPTION_CONFIG:
        config->path = optarg;
        config->path_given = true;
        return 0;
    case OPTION_MANIFESTS: g_ptr_array_add(config->manifests, optarg); return 0;
    case OPTION_NAMESPACE: config->ns = optarg; return 0;
    case OPTION_ZONE: config->zone = optarg; return 0;
    case OPTION_SOCKET: config->socket = optarg; return 0;
    case OPTION_STATE: config->state = optarg; return 0;
    case OPTION_USER_RANGES: config->user_ranges = true; return 0;
    case OPTION_CHECK: options->check = true; return 0;
    case OPTION_HELP: fputs(help, stdout); return OPTIONS_DONE;
    case OPTION_VERSION: puts("kubesvcd " KUBESVC_VERSION); return OPTIONS_DONE;
    default: fputs("Try 'kubesvcd --help'.\n", stderr); return OPTIONS_WRONG;
    }
}

int options_parse(struct options *options, int argc, char **argv)
{
    *options = (struct options){.config = {.path = CONFIG_PATH, .manifests = g_ptr_array_new()}};
    int option;
    /* "-": arguments are taken in order, so that --manifests can be followed by several */
    while ((option = getopt_long(argc, argv, "-", long_options, NULL)) != -1) {
        if (option == 1 && options->config.manifests->len > 0)
            option = OPTION_MANIFESTS;
        else if (option == 1)
            fprintf(stderr, "kubesvcd: unexpected argument '%s'\n", optarg);
        int r = take(options, option);
        if (r != 0)
            return r;
    }
    for (; optind < argc; optind++)
        g_ptr_array_add(options->config.manifests, argv[optind]);
    return 0;
}

void options_clear(struct options *options)
{
    g_ptr_array_unref(options->config.manifests);
}
