/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hosts file is kubelet's, line by line: a pod with a subdomain has its full name there, too,
 * whether or not a Service has that name.
 */
#include "pod_files.h"

#include "nsswitch.h"

#define HOSTS_LINE "hosts: files kubesvc [NOTFOUND=return] dns"

static const char preamble[] = "# Kubernetes-managed hosts file.\n"
                               "127.0.0.1\tlocalhost\n"
                               "::1\tlocalhost ip6-localhost ip6-loopback\n"
                               "fe00::0\tip6-localnet\n"
                               "fe00::0\tip6-mcastprefix\n"
                               "fe00::1\tip6-allnodes\n"
                               "fe00::2\tip6-allrouters\n";

char *pod_files_hosts(const struct pod_identity *identity, const char *aliases)
{
    GString *out = g_string_new(preamble);
    g_auto(GStrv) addresses = g_strsplit(identity->addresses, ",", -1);
    for (char **address = addresses; *address; address++) {
        g_string_append_printf(out, "%s\t", *address);
        if (identity->subdomain)
            g_string_append_printf(out, "%s.%s.%s.svc.%s\t", identity->hostname,
                                   identity->subdomain, identity->ns, identity->zone);
        g_string_append_printf(out, "%s\n", identity->hostname);
    }
    if (*aliases)
        g_string_append_printf(out, "\n# Entries added by HostAliases.\n%s", aliases);
    return g_string_free(out, FALSE);
}

char *pod_files_nsswitch(const char *text)
{
    struct nsswitch *nsswitch = nsswitch_parse(text);
    unsigned line = nsswitch->line;
    nsswitch_free(nsswitch);
    if (line == 0)
        return g_strconcat(text, *text && !g_str_has_suffix(text, "\n") ? "\n" : "",
                           HOSTS_LINE "\n", NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_free(lines[line - 1]);
    lines[line - 1] = g_strdup(HOSTS_LINE);
    return g_strjoinv("\n", lines);
}
