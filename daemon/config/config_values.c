/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks single values. Apart from the file, because the command line follows the same rules.
 */
#include "config_values.h"

#include <string.h>

#include "lib/model/object.h"
#include "lib/resolve/name.h"
#include "lib/util/address.h"
#include "lib/util/suggest.h"
#include <kubesvc/limits.h>

#define SIZE_GREATEST (UINT64_C(1) << 40)
#define SUGGESTION_DISTANCE 2u
#define SHORTEST_NAME "a.a.svc." /* of a Service, before the zone */

const char *config_parse_name(const char *text, char **namep)
{
    g_autofree char *name = g_ascii_strdown(text, -1);
    g_auto(GStrv) labels = NULL;
    size_t length = strlen(name);

    if (length > 1 && name[length - 1] == '.')
        name[--length] = '\0';
    labels = g_strsplit(name, ".", -1);
    for (char **label = labels; *label; label++) {
        if (!dns_label_is_valid(*label))
            length = 0;
    }
    if (length == 0 || length > KUBESVC_NAME_MAX)
        return "must be a DNS name";
    *namep = g_steal_pointer(&name);
    return NULL;
}

bool config_lies_in(const char *name, const char *zone)
{
    return name_has_suffix(name, strlen(name), zone, strlen(zone));
}

const char *config_parse_zone(const char *text, char **zonep)
{
    static const char *const addresses[] = {"in-addr.arpa", "ip6.arpa"};
    g_autofree char *zone = NULL;
    const char *wrong = config_parse_name(text, &zone);

    if (wrong)
        return wrong;
    for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++) {
        if (config_lies_in(zone, addresses[i]) || config_lies_in(addresses[i], zone))
            return "must not overlap in-addr.arpa or ip6.arpa, which hold the names of addresses";
    }
    if (config_lies_in(zone, "localhost"))
        return "must not end in localhost: such names always mean this host";
    if (config_lies_in(zone, "svc"))
        return "must not end in svc: such names are short ones, whose zone is left out";
    if (strlen(zone) > KUBESVC_NAME_MAX - strlen(SHORTEST_NAME))
        return "is too long: no name of a Service fits in front of it";
    *zonep = g_steal_pointer(&zone);
    return NULL;
}

const char *config_parse_namespace(const char *text, char **namespacep)
{
    if (!dns_label_is_valid(text))
        return "must be a namespace: [a-z0-9-], at most 63 characters";
    *namespacep = g_strdup(text);
    return NULL;
}

const char *config_parse_zoned(const char *text, char **nsp)
{
    g_auto(GStrv) parts = g_strsplit(text, "@", 2);
    g_autofree char *zone = NULL;

    if (!dns_label_is_valid(parts[0] ? parts[0] : "") ||
        (parts[1] && config_parse_name(parts[1], &zone)))
        return "must be a namespace, [a-z0-9-], at most 63 characters; or NAMESPACE@ZONE";
    *nsp = g_strconcat(parts[0], zone ? "@" : NULL, zone, NULL);
    return NULL;
}

const char *config_parse_path(const char *text, char **pathp)
{
    if (*text != '/')
        return "must be an absolute path";
    *pathp = g_canonicalize_filename(text, "/");
    return NULL;
}

const char *config_parse_range(const char *text, struct address_range *range)
{
    static const struct {
        const char *range, *wrong;
    } special[] = {
        {"127.0.0.1/32", "must not contain 127.0.0.1, localhost"},
        {"0.0.0.0/8", "must not contain addresses of 0.0.0.0/8, which name no host"},
        {"169.254.0.0/16", "must not contain addresses of 169.254.0.0/16, link-local ones"},
        {"224.0.0.0/4", "must not contain addresses of 224.0.0.0/4, multicast ones"},
        {"255.255.255.255/32", "must not contain 255.255.255.255, the broadcast address"},
        {"::1/128", "must not contain ::1, localhost"},
        {"::/128", "must not contain ::, the unspecified address"},
        {"fe80::/10", "must not contain addresses of fe80::/10, link-local ones"},
        {"ff00::/8", "must not contain addresses of ff00::/8, multicast ones"},
        /* the half that is not IPv4 of the smallest range that contains them */
        {"::fffe:0:0/96", "must not contain IPv4-mapped addresses"},
    };
    struct address_range parsed;

    if (!address_range_parse(&parsed, text))
        return "must be ranges such as 127.244.0.0/16, without host bits";
    for (size_t i = 0; i < G_N_ELEMENTS(special); i++) {
        struct address_range other;

        if (address_range_parse(&other, special[i].range) &&
            address_ranges_overlap(&other, &parsed))
            return special[i].wrong;
    }
    *range = parsed;
    return NULL;
}

const char *config_parse_size(const char *text, uint64_t *size)
{
    static const char *const units[] = {"", "Ki", "Mi", "Gi"};
    size_t digits = strspn(text, "0123456789");
    guint64 value = digits <= 13 ? g_ascii_strtoull(text, NULL, 10) : 0;

    for (size_t i = 0; value > 0 && i < G_N_ELEMENTS(units); i++) {
        if (strcmp(text + digits, units[i]) != 0)
            continue;
        if (value > SIZE_GREATEST >> (10 * i))
            break;
        *size = value << (10 * i);
        return NULL;
    }
    return "must be a number of bytes, or one with Ki, Mi or Gi, at most 1024Gi";
}

char *config_suggest(const char *text, const char *const words[])
{
    const char *word = suggest_word(text, words, SUGGESTION_DISTANCE);

    return word ? g_strdup_printf("; did you mean %s?", word) : g_strdup("");
}
