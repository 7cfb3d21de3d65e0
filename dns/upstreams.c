/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Upstreams: a resolv.conf that cannot be read changes nothing: it is being replaced, and another
 * event will follow.
 */
#include "upstreams.h"

#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/util/follow.h"
#include "lib/util/log.h"
#include "lib/util/resolv_conf.h"

#define RESOLV_CONF "resolv.conf" /* the word of the options */

/* After this many questions in a row without an answer, a server is asked last for a while. One is
 * not enough: the first of resolv.conf may know names that the second does not. */
#define FAILURES_MAX 3u
#define DOWN_USEC (10 * G_USEC_PER_SEC)

struct dns_upstream {
    union endpoint endpoint;
    unsigned failures;
    gint64 down_until; /* monotonic */
    bool excluded;
};

struct upstreams {
    char **servers; /* of the options */
    char *resolv_conf;
    union endpoint *own;
    size_t n_own;
    struct follow *follow; /* NULL: resolv.conf is not among the options */
    struct dns_upstream list[FORWARD_SERVERS_MAX];
    size_t n;
    void (*changed)(void *userdata);
    void *userdata;
};

const char *forward_parse_server(const char *text)
{
    union endpoint endpoint;

    if (strcmp(text, RESOLV_CONF) == 0)
        return NULL;
    if (!endpoint_parse(&endpoint, text, ENDPOINT_DNS))
        return "must be an address, or an address and a port, or resolv.conf";
    return endpoint_is_wildcard(&endpoint) ? "is not an address that can be queried" : NULL;
}

/* --- Ourselves ------------------------------------------------------------------------------- */

static bool can_bind(const union endpoint *endpoint)
{
    union endpoint any_port = *endpoint;
    int fd = socket(endpoint->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool bound;

    if (fd < 0)
        return false;
    if (endpoint->any.sa_family == AF_INET)
        any_port.inet.sin_port = 0;
    else
        any_port.inet6.sin6_port = 0;
    bound = bind(fd, &any_port.any, endpoint_size(endpoint)) == 0;
    close(fd);
    return bound;
}

/* Is it an address of this host? Any that a socket can be bound to is, unless the system allows
 * binding to any address. */
static bool is_local(const union endpoint *endpoint)
{
    struct address address;
    union endpoint foreign;

    endpoint_address(endpoint, &address);
    if (address_is_loopback(&address))
        return true;
    return can_bind(endpoint) && !(endpoint_parse(&foreign, "192.0.2.1", 1) && can_bind(&foreign));
}

static bool upstreams_is_own(const struct upstreams *upstreams, const union endpoint *endpoint)
{
    for (size_t i = 0; i < upstreams->n_own; i++) {
        const union endpoint *own = upstreams->own + i;

        if (endpoint_equal(own, endpoint) ||
            (endpoint_is_wildcard(own) && endpoint_port(own) == endpoint_port(endpoint) &&
             is_local(endpoint)))
            return true;
    }
    return false;
}

/* --- The list -------------------------------------------------------------------------------- */

static void upstreams_add(struct upstreams *upstreams, const union endpoint *endpoint)
{
    if (upstreams->n == FORWARD_SERVERS_MAX || endpoint_is_wildcard(endpoint) ||
        upstreams_is_own(upstreams, endpoint))
        return;
    for (size_t i = 0; i < upstreams->n; i++) {
        if (endpoint_equal(&upstreams->list[i].endpoint, endpoint))
            return;
    }
    upstreams->list[upstreams->n++] = (struct dns_upstream){.endpoint = *endpoint};
}

static void upstreams_log(const struct upstreams *upstreams)
{
    g_autoptr(GString) list = g_string_new(NULL);

    for (size_t i = 0; i < upstreams->n; i++) {
        char text[ENDPOINT_TEXT_MAX];

        endpoint_format(&upstreams->list[i].endpoint, text);
        g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", text);
    }
    if (upstreams->n > 0)
        log_info("forwarding to %s", list->str);
    else
        log_warning("no nameserver to forward to; names outside the zone fail");
}

struct conf {
    union endpoint servers[2 * FORWARD_SERVERS_MAX]; /* some may be left out */
    int n;                                           /* negative: it cannot be read */
};

static void upstreams_read(const struct upstreams *upstreams, struct conf *conf)
{
    conf->n = resolv_conf_read(upstreams->resolv_conf, conf->servers, G_N_ELEMENTS(conf->servers));
    if (conf->n < 0)
        log_warning("cannot read %s: %s; reading it again when it changes", upstreams->resolv_conf,
                    g_strerror(-conf->n));
}

static void upstreams_fill(struct upstreams *upstreams, const struct conf *conf)
{
    union endpoint endpoint;

    upstreams->n = 0;
    for (char **server = upstreams->servers; *server; server++) {
        if (strcmp(*server, RESOLV_CONF) != 0 && endpoint_parse(&endpoint, *server, ENDPOINT_DNS))
            upstreams_add(upstreams, &endpoint);
        for (int i = 0; strcmp(*server, RESOLV_CONF) == 0 && i < conf->n; i++)
            upstreams_add(upstreams, conf->servers + i);
    }
}

static void upstreams_on_change(void *userdata)
{
    struct upstreams *upstreams = userdata;
    struct conf conf;
    struct dns_upstream old[FORWARD_SERVERS_MAX];
    size_t n = upstreams->n;
    bool same;

    upstreams_read(upstreams, &conf);
    if (conf.n < 0)
        return;
    memcpy(old, upstreams->list, sizeof old);
    upstreams_fill(upstreams, &conf);
    same = upstreams->n == n;
    for (size_t i = 0; same && i < n; i++)
        same = endpoint_equal(&old[i].endpoint, &upstreams->list[i].endpoint);
    if (same) {
        memcpy(upstreams->list, old, sizeof old);
        return;
    }
    upstreams_log(upstreams);
    upstreams->changed(upstreams->userdata);
}

/* --- What is asked for ----------------------------------------------------------------------- */

struct upstreams *upstreams_new(sd_event *event, const struct forward_options *options,
                                void (*changed)(void *userdata), void *userdata)
{
    struct upstreams *upstreams = g_new(struct upstreams, 1);
    struct conf conf = {.n = 0};

    *upstreams = (struct upstreams){
        .servers = g_strdupv((char **)options->servers),
        .resolv_conf = g_strdup(options->resolv_conf ? options->resolv_conf : "/etc/resolv.conf"),
        .own = g_memdup2(options->own, options->n_own * sizeof *options->own),
        .n_own = options->n_own,
        .changed = changed,
        .userdata = userdata,
    };
    /* Watched before it is read, so that no change is missed. */
    if (g_strv_contains(options->servers, RESOLV_CONF))
        upstreams->follow =
            follow_new(event, upstreams->resolv_conf, upstreams_on_change, upstreams);
    if (upstreams->follow)
        upstreams_read(upstreams, &conf);
    upstreams_fill(upstreams, &conf);
    upstreams_log(upstreams);
    return upstreams;
}

struct upstreams *upstreams_free(struct upstreams *upstreams)
{
    if (!upstreams)
        return NULL;
    follow_free(upstreams->follow);
    g_strfreev(upstreams->servers);
    g_free(upstreams->resolv_conf);
    g_free(upstreams->own);
    g_free(upstreams);
    return NULL;
}

size_t upstreams_list(const struct upstreams *upstreams,
                      union endpoint servers[static FORWARD_SERVERS_MAX])
{
    gint64 now = g_get_monotonic_time();
    size_t n = 0;

    for (int down = 0; down < 2; down++) {
        for (size_t i = 0; i < upstreams->n; i++) {
            const struct dns_upstream *upstream = upstreams->list + i;

            if (!upstream->excluded && (upstream->down_until > now) == (down == 1))
                servers[n++] = upstream->endpoint;
        }
    }
    return n;
}

static struct dns_upstream *upstreams_find(struct upstreams *upstreams,
                                           const union endpoint *server)
{
    for (size_t i = 0; i < upstreams->n; i++) {
        if (endpoint_equal(&upstreams->list[i].endpoint, server))
            return upstreams->list + i;
    }
    return NULL;
}

void upstreams_report(struct upstreams *upstreams, const union endpoint *server, bool answered)
{
    struct dns_upstream *upstream = upstreams_find(upstreams, server);

    if (!upstream)
        return;
    upstream->failures = answered ? 0 : MIN(upstream->failures + 1, FAILURES_MAX);
    upstream->down_until =
        upstream->failures == FAILURES_MAX ? g_get_monotonic_time() + DOWN_USEC : 0;
}

void upstreams_exclude(struct upstreams *upstreams, const union endpoint *server)
{
    struct dns_upstream *upstream = upstreams_find(upstreams, server);
    char text[ENDPOINT_TEXT_MAX];

    if (!upstream || upstream->excluded)
        return;
    endpoint_format(server, text);
    log_warning("%s leads back here; not using it until the nameservers change", text);
    upstream->excluded = true;
}
