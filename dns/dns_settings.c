/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Options override the configuration, list by list. The configuration is kubesvcd's, checked as
 * kubesvcd checks it: one file decides how a host's names are answered, by any protocol.
 */
#include "dns_settings.h"

#include <stdio.h>

#include "daemon/config/config.h"
#include "daemon/config/config_values.h"
#include "forward.h"
#include "lib/util/command_line.h"
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

/* The options of the command line; NULL or empty if absent. */
struct given {
    GPtrArray *listen, *forward; /* char *, ended by NULL */
    const char *config, *ns, *socket, *ttl;
};

static int parse(struct given *given, int argc, char **argv)
{
    const struct command_line_option rows[] = {
        {.name = "config", .text = &given->config},
        {.name = "listen", .list = given->listen},
        {.name = "forward", .list = given->forward},
        {.name = "namespace", .text = &given->ns},
        {.name = "socket", .text = &given->socket},
        {.name = "ttl", .text = &given->ttl},
        {0},
    };
    int r = command_line_read(&(struct command_line){"kubesvc-dns", help, rows, NULL}, argc, argv);

    g_ptr_array_add(given->listen, NULL);
    g_ptr_array_add(given->forward, NULL);
    return r;
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
    char **listen = (char **)given->listen->pdata, **forward = (char **)given->forward->pdata;
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
    const struct config_options options = {
        .path = given->config ? given->config : CONFIG_PATH,
        .path_given = given->config,
        .socket = given->socket,
    };
    struct config *config = NULL;
    bool good;

    if (config_load_logged(&config, &options, errors) != 0)
        return COMMAND_LINE_WRONG;
    settings->socket = g_strdup(config->socket);
    settings->zones = g_strdupv(config->zones);
    good = take_lists(settings, given, &config->dns);
    good = take_values(settings, given, &config->dns) && good;
    config_free(config);
    return good ? 0 : COMMAND_LINE_WRONG;
}

int dns_settings_read(struct dns_settings *settings, int argc, char **argv)
{
    g_autoptr(GPtrArray) listen = g_ptr_array_new(), forward = g_ptr_array_new();
    struct given given = {.listen = listen, .forward = forward};
    int r;

    *settings = (struct dns_settings){
        .listen = g_array_new(FALSE, FALSE, sizeof(union endpoint)),
    };
    r = parse(&given, argc, argv);
    return r == 0 ? read_config(settings, &given) : r;
}

void dns_settings_clear(struct dns_settings *settings)
{
    g_free(settings->socket);
    g_strfreev(settings->zones);
    g_free(settings->ns);
    g_array_unref(settings->listen);
    g_strfreev(settings->forward);
}
