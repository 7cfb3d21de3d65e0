/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists replace the defaults, like all lists of the configuration; absent keys keep them.
 */
#include "config_dns.h"

#include <string.h>

#include "config_fields.h"
#include "config_values.h"
#include "lib/util/endpoint.h"
#include <kubesvc/limits.h>

#define DEFAULT_TTL 5

static const char *const keys[] = {"listen", "forward", "namespace", "ttl", NULL};

void config_dns_init(struct config_dns *dns)
{
    *dns = (struct config_dns){.listen = g_new0(char *, 2), .ttl = DEFAULT_TTL};
    dns->listen[0] = g_strdup(KUBESVC_DNS_LISTEN);
}

void config_dns_clear(struct config_dns *dns)
{
    g_strfreev(dns->listen);
    g_strfreev(dns->forward);
    g_free(dns->ns);
}

const char *config_parse_nameserver(const char *text, char **nameserverp)
{
    union endpoint endpoint;

    /* Not every c-ares knows what may follow a %. */
    if (strchr(text, '%') || !endpoint_parse(&endpoint, text, ENDPOINT_DNS))
        return "must be ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT";
    *nameserverp = g_strdup(text);
    return NULL;
}

static const char *parse_forward(const char *text, char **valuep)
{
    if (strcmp(text, "resolv.conf") != 0 && config_parse_nameserver(text, valuep))
        return "must be resolv.conf, ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT";
    if (!*valuep)
        *valuep = g_strdup(text);
    return NULL;
}

void config_dns_read(struct config_dns *dns, struct fields *fields, const struct yaml_node *root)
{
    const struct yaml_node *map = fields_map(fields, root, "dns");
    int64_t ttl = dns->ttl;

    if (!map || !config_check_keys(fields, map, keys))
        return;
    config_replace_strv(fields, map, "listen", config_parse_nameserver, &dns->listen);
    config_replace_strv(fields, map, "forward", parse_forward, &dns->forward);
    config_replace_text(fields, map, "namespace", config_parse_zoned, &dns->ns);
    fields_integer(fields, map, "ttl", 0, CONFIG_DNS_TTL_MAX, &ttl);
    dns->ttl = (unsigned)ttl;
    if (!dns->listen[0])
        fields_error(fields, map->position, "bad-value", "listen must name an address");
}
