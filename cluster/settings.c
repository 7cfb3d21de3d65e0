/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The settings: options win over the file, and the file over what the service manager provides.
 */
#include "settings.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config_fields.h"
#include "daemon/config/config_values.h"
#include "lib/util/command_line.h"
#include "lib/util/log.h"
#include "lib/yaml/document.h"

#define FILE_SIZE_MAX (1u << 20) /* bytes */
#define JITTER_MAX 3600          /* seconds */
#define AGE_MAX (400ull * 86400)
#define NAMESPACES_MAX 1000u /* each has watches of its own */

static const char help[] =
    "Usage: kubesvc-cluster [OPTION...]\n"
    "Mirrors the Services of a cluster as manifests, in a directory that kubesvcd reads.\n"
    "\n"
    "  --config FILE        read settings from this file\n"
    "  --kubeconfig FILE    how to reach the cluster ($KUBECONFIG, ~/.kube/config)\n"
    "  --context NAME       context of the kubeconfig (its current one)\n"
    "  --namespaces A,B     follow only these namespaces (all)\n"
    "  --output DIR         write manifests to this directory ($STATE_DIRECTORY)\n"
    "  --once               write the current state of the cluster and exit\n"
    "  --help               show this help and exit\n"
    "  --version            show the version and exit\n"
    "\n"
    "Options override the settings file. Runs in the foreground and logs to stderr.\n"
    "\n"
    "Example: kubesvc-cluster --kubeconfig ~/.kube/config --output ~/prod\n"
    "\n"
    "See kubesvc-cluster(8).\n";

static const char *const keys[] = {"kubeconfig", "context", "namespaces", "output",
                                   "pods",       "maxAge",  "jitter",     NULL};

static bool set_namespaces(struct cluster_settings *settings, const char *list)
{
    settings->namespaces = g_strsplit(list, ",", 0);
    for (char **ns = settings->namespaces; *ns; ns++) {
        g_strstrip(*ns);
        if (**ns && dns_subdomain_is_valid(*ns))
            continue;
        fprintf(stderr, "kubesvc-cluster: --namespaces: '%s' is not the name of a namespace\n",
                *ns);
        return false;
    }
    return settings->namespaces[0] != NULL;
}

static int take_options(struct cluster_settings *settings, int argc, char **argv)
{
    const char *config = NULL, *kubeconfig = NULL, *context = NULL, *output = NULL, *list = NULL;
    const struct command_line_option rows[] = {
        {.name = "config", .text = &config},
        {.name = "kubeconfig", .text = &kubeconfig},
        {.name = "context", .text = &context},
        {.name = "namespaces", .text = &list},
        {.name = "output", .text = &output},
        {.name = "once", .flag = &settings->once},
        {0},
    };
    const struct command_line line = {"kubesvc-cluster", help, rows, NULL};
    int r = command_line_read(&line, argc, argv);

    settings->config = g_strdup(config);
    settings->kubeconfig = g_strdup(kubeconfig);
    settings->context = g_strdup(context);
    settings->output = g_strdup(output);
    if (r == 0 && list && !set_namespaces(settings, list))
        r = COMMAND_LINE_WRONG;
    return r;
}

/* "90s", "15m", "1h", "2d", or "never". */
static bool parse_age(const char *text, uint64_t *usecp)
{
    static const struct {
        char unit;
        unsigned seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    char *end;
    uint64_t n;

    *usecp = 0;
    if (strcmp(text, "never") == 0)
        return true;
    n = g_ascii_strtoull(text, &end, 10);
    if (!g_ascii_isdigit(*text) || n == 0 || n > AGE_MAX)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        if (end[0] == units[i].unit && end[1] == '\0' && n * units[i].seconds <= AGE_MAX) {
            *usecp = n * units[i].seconds * 1000000;
            return true;
        }
    }
    return false;
}

static void default_path(char **pathp, struct fields *fields, const struct yaml_node *map,
                         const char *key, const char *directory)
{
    const char *text = fields_string(fields, map, key);

    if (text && !*pathp)
        *pathp =
            g_path_is_absolute(text) ? g_strdup(text) : g_build_filename(directory, text, NULL);
}

static void on_settings(void *userdata, struct fields *fields, const struct yaml_node *map)
{
    struct cluster_settings *settings = userdata;
    g_autofree char *directory = g_path_get_dirname(settings->config);
    const char *text;
    int64_t jitter = SETTINGS_JITTER / 1000000;

    (void)config_check_keys(fields, map, keys);
    default_path(&settings->kubeconfig, fields, map, "kubeconfig", directory);
    default_path(&settings->output, fields, map, "output", directory);
    if (!settings->context)
        settings->context = g_strdup(fields_string(fields, map, "context"));
    if (!settings->namespaces)
        config_replace_strv(fields, map, "namespaces", config_parse_namespace,
                            &settings->namespaces);
    if (settings->namespaces && !settings->namespaces[0]) /* an empty list: all */
        g_clear_pointer(&settings->namespaces, g_strfreev);
    settings->pods = fields_bool(fields, map, "pods", false);
    text = fields_string(fields, map, "maxAge");
    if (text && !parse_age(text, &settings->max_age))
        fields_error(fields, yaml_node_get(map, "maxAge")->position, "bad-value",
                     "maxAge must be never or a time such as 90s, 15m, 1h or 2d");
    fields_integer(fields, map, "jitter", 0, JITTER_MAX, &jitter);
    settings->jitter = (uint64_t)jitter * 1000000;
}

/* What systemd hands to the unit, then what kubectl would take. */
static void set_defaults(struct cluster_settings *settings)
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY"), *state = getenv("STATE_DIRECTORY");
    const char *kubeconfig = getenv("KUBECONFIG");

    if (!settings->kubeconfig && credentials)
        settings->kubeconfig = g_build_filename(credentials, "kubeconfig", NULL);
    if (!settings->kubeconfig && kubeconfig && *kubeconfig)
        settings->kubeconfig = g_strdup(kubeconfig);
    if (!settings->kubeconfig)
        settings->kubeconfig = g_build_filename(g_get_home_dir(), ".kube", "config", NULL);
    if (!settings->output && state && *state)
        settings->output = g_strdup(state);
}

static int read_file(struct cluster_settings *settings)
{
    int r = settings->config
                ? document_read(settings->config, FILE_SIZE_MAX, NULL, on_settings, settings)
                : 0;

    if (r < 0 && r != -EINVAL)
        log_error("%s: %s", settings->config, g_strerror(-r));
    return r < 0 ? COMMAND_LINE_WRONG : 0;
}

int settings_read(struct cluster_settings *settings, int argc, char **argv)
{
    int r;

    *settings = (struct cluster_settings){.jitter = SETTINGS_JITTER};
    r = take_options(settings, argc, argv);
    if (r != 0)
        return r;
    r = read_file(settings);
    if (r != 0)
        return r;
    if (settings->namespaces && g_strv_length(settings->namespaces) > NAMESPACES_MAX) {
        fprintf(stderr, "kubesvc-cluster: more than %u namespaces; follow all of them instead\n",
                NAMESPACES_MAX);
        return COMMAND_LINE_WRONG;
    }
    set_defaults(settings);
    if (settings->output)
        return 0;
    fputs("kubesvc-cluster: no directory to write to; use --output DIR\n", stderr);
    return COMMAND_LINE_WRONG;
}

void settings_clear(struct cluster_settings *settings)
{
    g_free(settings->config);
    g_free(settings->kubeconfig);
    g_free(settings->context);
    g_strfreev(settings->namespaces);
    g_free(settings->output);
}
