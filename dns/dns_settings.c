/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Options override the configuration, list by list. The configuration is kubesvcd's, checked as
 * kubesvcd checks it: one file decides how a host's names are answered, by any protocol.
 */
#include "dns_settings.h"

#include <getopt.h>
#include <stdio.h>

#include "daemon/config/config.h"
#include "daemon/config/config_values.h"
#include "forward.h"
#include <kubesvc/limits.h>

#define CONFIG_PATH "/etc/kubesvc/kubesvcd.yaml"

static const char help[] =
    "Usage: kubesvc-dns [OPTION...]\n"
    "Answers DNS queries for the names of Kubernetes Services that kubesvcd knows.\n"
    "\n"
    "  --config FILE        read this configuration (" CONFIG_PATH ")\n"
    "  --listen ADDRESS[:PORT]\n"
    "                       listen on this address, over UDP and TCP (" KUBESVC_DNS_LISTEN ");\n"
    "                       may be repeated\n"
    "  --forward ADDRESS[:PORT]|resolv.conf\n"
    "                       forward queries for other names to this nameserver, or to those in\n"
    "                       /etc/resolv.conf, instead of refusing them; may be repeated\n"
    "  --namespace NS       also answer short names, using the search list of this namespace\n"
    "  --socket PATH        kubesvcd's socket (" KUBESVC_SOCKET_PATH ")\n"
    "  --ttl SECONDS        how long clients may cache answers (5)\n"
    "  --help               show this help and exit\n"
    "  --version            show the version and exit\n"
    "\n"
    "Options override the configuration file. Runs in the foreground as any user and logs to\n"
    "stderr. Sockets passed by the service manager replace --listen.\n"
    "\n"
    "Example: kubesvc-dns --listen 127.0.0.1:5353, then nslookup -port=5353 \\\n"
    "    regular-svc.default.svc.cluster.local 127.0.0.1\n"
    "\n"
    "See kubesvc-dns(8), kubesvcd.yaml(5).\n";

enum {
    OPTION_CONFIG = 256,
    OPTION_LISTEN,
    OPTION_FORWARD,
    OPTION_NAMESPACE,
    OPTION_SOCKET,
    OPTION_TTL,
    OPTION_HELP,
    OPTION_VERSION
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"forward", required_argument, NULL, OPTION_FORWARD},
    {"namespace", required_argument, NULL, OPTION_NAMESPACE},
    {"socket", required_argument, NULL, OPTION_SOCKET},
    {"ttl", required_argument, NULL, OPTION_TTL},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {0},
};

/* The options of the command line; NULL or empty if absent. */
struct given {
    struct config_options config;
    GStrvBuilder *listen, *forward;
    const char *ns, *ttl;
};

static int take(struct given *given, int option)
{
    switch (option) {
    case OPTION_CONFIG:
        given->config.path = optarg;
        given->config.path_given = true;
        return 0;
    case OPTION_LISTEN: g_strv_builder_add(given->listen, optarg); return 0;
    case OPTION_FORWARD: g_strv_builder_add(given->forward, optarg); return 0;
    case OPTION_NAMESPACE: given->ns = optarg; return 0;
    case OPTION_SOCKET: given->config.socket = optarg; return 0;
    case OPTION_TTL: given->ttl = optarg; return 0;
    case OPTION_HELP: fputs(help, stdout); return DNS_SETTINGS_DONE;
    case OPTION_VERSION: puts("kubesvc-dns " KUBESVC_VERSION); return DNS_SETTINGS_DONE;
    default: fputs("Try 'kubesvc-dns --help'.\n", stderr); return DNS_SETTINGS_WRONG;
    }
}

static int parse(struct given *given, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        int r = take(given, option);

        if (r != 0)
            return r;
    }
    if (optind == argc)
        return 0;
    fprintf(stderr, "kubesvc-dns: unexpected argument '%s'\n", argv[optind]);
    return DNS_SETTINGS_WRONG;
}

static bool complain(const char *option, const char *text, const char *wrong)
{
    fprintf(stderr, "kubesvc-dns: %s %s: %s\n", option, text, wrong);
    return false;
}

static bool add_listen(struct dns_settings *settings, const char *text)
{
    union endpoint endpoint;

    if (!endpoint_parse(&endpoint, text, DNS_PORT))
        return complain("--listen", text, "must be ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT");
    g_array_append_val(settings->listen, endpoint);
    return true;
}

/* `dns` of the configuration, unless the command line overrides it. */
static bool take_lists(struct dns_settings *settings, const struct given *given,
                       const struct config_dns *dns)
{
    g_auto(GStrv) listen = g_strv_builder_end(given->listen);
    g_auto(GStrv) forward = g_strv_builder_end(given->forward);
    bool good = true;

    for (char **text = *listen ? listen : dns->listen; *text; text++)
        good = add_listen(settings, *text) && good;
    for (char **text = forward; *text; text++) {
        const char *wrong = forward_parse_server(*text);

        good = (!wrong || complain("--forward", *text, wrong)) && good;
    }
    settings->forward = g_strdupv(*forward ? forward : dns->forward);
    return good;
}

static bool take_values(struct dns_settings *settings, const struct given *given,
                        const struct config_dns *dns)
{
    const char *wrong = given->ns ? config_parse_zoned(given->ns, &settings->ns) : NULL;
    guint64 ttl = dns->ttl;

    if (wrong)
        return complain("--namespace", given->ns, wrong);
    if (!given->ns)
        settings->ns = g_strdup(dns->ns);
    if (given->ttl &&
        !g_ascii_string_to_unsigned(given->ttl, 10, 0, CONFIG_DNS_TTL_MAX, &ttl, NULL))
        return complain("--ttl", given->ttl, "must be a number of seconds, at most 3600");
    settings->ttl = (uint32_t)ttl;
    return true;
}

static int read_config(struct dns_settings *settings, const struct given *given)
{
    g_autoptr(GPtrArray) errors = g_ptr_array_new_with_free_func(g_free);
    struct config *config = NULL;
    bool good;

    if (config_load_logged(&config, &given->config, errors) != 0)
        return DNS_SETTINGS_WRONG;
    settings->socket = g_strdup(config->socket);
    settings->zones = config_zones(config);
    good = take_lists(settings, given, &config->dns);
    good = take_values(settings, given, &config->dns) && good;
    config_free(config);
    return good ? 0 : DNS_SETTINGS_WRONG;
}

int dns_settings_read(struct dns_settings *settings, int argc, char **argv)
{
    struct given given = {
        .config = {.path = CONFIG_PATH},
        .listen = g_strv_builder_new(),
        .forward = g_strv_builder_new(),
    };
    int r;

    *settings = (struct dns_settings){
        .listen = g_array_new(FALSE, FALSE, sizeof(union endpoint)),
    };
    r = parse(&given, argc, argv);
    if (r == 0)
        r = read_config(settings, &given);
    g_strv_builder_unref(given.listen);
    g_strv_builder_unref(given.forward);
    return r;
}

void dns_settings_clear(struct dns_settings *settings)
{
    g_free(settings->socket);
    g_strfreev(settings->zones);
    g_free(settings->ns);
    g_array_unref(settings->listen);
    g_strfreev(settings->forward);
}
