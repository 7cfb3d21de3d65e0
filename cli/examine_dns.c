/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DNS, for programs that do not ask libc: does kubesvc-dns answer for the zone, does it answer what
 * the daemon does, and do the nameservers of this host lead to it. Where it is neither installed
 * nor answering nothing is missing.
 */
#include "checks.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "dns_answer.h"
#include "dns_query.h"
#include "lib/util/resolv_conf.h"
#include "value.h"

#define PROGRAM "/usr/sbin/kubesvc-dns"
#define RESOLV_CONF "/etc/resolv.conf"
#define SERVERS_MAX 3 /* as many as libc takes */
#define INTEGRATION "see INTEGRATION in kubesvc-dns(8)"

static void has_text(void *userdata, const uint8_t *message, size_t size,
                     const struct dns_record *record)
{
    bool *has = userdata;

    (void)message;
    (void)size;
    *has = *has || record->type == ns_t_txt;
}

/* Is it a DNS server of the zone of kubesvc? Else *problemp says what it answers, and negative
 * errno is returned where it does not; to be freed with g_free. */
static int ask_version(const union endpoint *server, const char *zone, char **problemp)
{
    g_autofree char *name = g_strdup_printf("dns-version.%s", zone);
    g_autofree uint8_t *answer = NULL;
    bool has = false;
    size_t size;
    int r = dns_query_ask(server, name, ns_t_txt, &answer, &size);

    if (r < 0) {
        *problemp = g_strdup(g_strerror(-r));
        return r;
    }
    unsigned rcode = answer[3] & 15u;
    if (rcode == ns_r_noerror && dns_query_records(answer, size, has_text, &has) && has)
        return 0;
    *problemp = g_strdup(rcode == ns_r_noerror ? "no such record" : dns_query_rcode(rcode));
    return 0;
}

static void examine_server(struct checks *checks, const union endpoint *server, const char *zone,
                           bool *answers)
{
    g_autofree char *problem = NULL, *path = checks_path(checks, PROGRAM);
    char text[ENDPOINT_TEXT_MAX];
    int r = ask_version(server, zone, &problem);

    endpoint_format(server, text);
    *answers = !problem;
    if (!problem)
        checks_add(checks, VERDICT_OK, "dns", NULL, "%s answers for %s", text, zone);
    else if (r == 0)
        checks_add(checks, VERDICT_BAD, "dns",
                   "see 'journalctl -u kubesvc-dns', or, if that is another "
                   "nameserver, let kubesvc-dns listen elsewhere",
                   "%s does not answer for %s: %s", text, zone, problem);
    else if (access(path, F_OK) == 0)
        checks_add(checks, VERDICT_WARN, "dns",
                   "systemctl enable --now kubesvc-dns.socket; 'journalctl -u "
                   "kubesvc-dns' shows why it does not start",
                   "kubesvc-dns does not answer at %s: %s", text, problem);
}

/* Programs ask the first server, musl all of them at once and takes what comes first. */
static void examine_resolv_conf(struct checks *checks, const char *zone)
{
    g_autofree char *path = checks_path(checks, RESOLV_CONF);
    union endpoint servers[SERVERS_MAX];
    int n = resolv_conf_read(path, servers, SERVERS_MAX);

    for (int i = 0; i < n; i++) {
        g_autofree char *problem = NULL;
        char text[ENDPOINT_TEXT_MAX];

        int r = ask_version(servers + i, zone, &problem);
        if (!problem)
            continue;
        endpoint_format(servers + i, text);
        checks_add(checks, VERDICT_WARN, "resolv.conf", INTEGRATION,
                   "%s: %s does not %s %s (%s): programs that ask it find no names", path, text,
                   r < 0 ? "answer for" : "know", zone, problem);
        return;
    }
    if (n > 0)
        checks_add(checks, VERDICT_OK, "resolv.conf", NULL, "%s leads to the names of %s", path,
                   zone);
    else
        checks_add(checks, VERDICT_WARN, "resolv.conf", INTEGRATION, "%s%s%s", path,
                   n < 0 ? ": " : " names no nameserver", n < 0 ? g_strerror(-n) : "");
}

void examine_dns(struct checks *checks, yajl_val status, const char *name, yajl_val daemons)
{
    const char *zone = value_text(status, "zone");
    union endpoint server;
    bool answers;

    dns_answer_server(checks->arguments, &server);
    examine_server(checks, &server, zone, &answers);
    if (!answers)
        return;
    if (name && daemons)
        checks_compare(checks, "dns", name, dns_answer_new(&server, name, NULL, "any"), daemons,
                       "restart it with 'systemctl restart kubesvc-dns'; it must be of "
                       "the daemon's version");
    examine_resolv_conf(checks, zone);
    for (size_t i = 0; i < value_length(status, "zones"); i++)
        examine_resolv_conf(checks, value_element_text(status, "zones", i));
}
