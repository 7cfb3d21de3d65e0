/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DNS client: a c-ares channel whose sockets and timeouts live on the event loop.
 *
 * A channel cannot be given other servers while it is asking, so a change of servers is a change of
 * channel. Pending queries are sent again to the new ones: the old ones have usually stopped
 * answering. Only plain queries are made; names are absolute (rule 56), so neither a search list
 * nor nsswitch.conf applies.
 */
#include "dns_client.h"

/* c-ares of Debian 12 (1.18) lacks their replacements. */
#define CARES_NO_DEPRECATED

#include <ares.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "lib/util/ares_loop.h"
#include "lib/util/follow.h"
#include "lib/util/log.h"

/* Each server is tried twice, the second time for twice as long: three times this, by each server.
 */
#define DNS_CLIENT_TRIES 2
#define DNS_CLIENT_TIMEOUT_MS 1600
#define DNS_CLIENT_TIMEOUT_MIN_MS 400

/* From 1.32 on c-ares derives a server's timeout from its past speed, and may give up after half a
 * second a name that takes a whole one. Names get at least this time, in microseconds. */
#define DNS_CLIENT_TIME_MIN (2 * DNS_CLIENT_TIMEOUT_MS * INT64_C(1000))

/* Answers are cached in upstream.c for their TTL: c-ares must not cache them as well. */
#ifdef ARES_OPT_QUERY_CACHE
#define DNS_CLIENT_NO_CACHE ARES_OPT_QUERY_CACHE /* of the lifetime in the options, 0 */
#else
#define DNS_CLIENT_NO_CACHE 0 /* there is none */
#endif

#define DNS_CLIENT_EDNS_SIZE 1232 /* fits any path without fragmentation */

struct dns_client {
    sd_event *event;
    struct ares_loop *loop;
    char *resolv_conf;
    struct follow *follow; /* NULL: the servers were given */
    GQueue queries;        /* struct dns_client_query: pending */
    void (*changed)(void *userdata);
    void *userdata;
};

struct dns_client_query {
    struct dns_client *client;
    GList turn;
    char *name;
    int type;
    int64_t since; /* monotonic, in microseconds */
    dns_client_answered answered;
    void *userdata;
};

static int dns_client_init(struct dns_client *client, const char *servers, int timeout,
                           ares_channel *channelp)
{
    static char lookups[] = "b";
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS,
        .timeout = timeout,
        .tries = DNS_CLIENT_TRIES,
        .ndomains = 0,
        .lookups = lookups,
        .ednspsz = DNS_CLIENT_EDNS_SIZE,
        .resolvconf_path = client->resolv_conf,
        .sock_state_cb = ares_loop_on_state,
        .sock_state_cb_data = client->loop,
    };
    int status = ares_init_options(
        channelp, &options,
        ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS |
            ARES_OPT_EDNSPSZ | ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_STATE_CB | DNS_CLIENT_NO_CACHE);

    if (status != ARES_SUCCESS)
        return ares_loop_errno(status);
    if (!*servers)
        return 0;
    status = ares_set_servers_ports_csv(*channelp, servers);
    if (status != ARES_SUCCESS)
        ares_destroy(*channelp);
    return ares_loop_errno(status);
}

static int dns_client_count(ares_channel channel)
{
    struct ares_addr_port_node *servers = NULL;
    int n = 0;

    if (ares_get_servers_ports(channel, &servers) != ARES_SUCCESS)
        return 0;
    for (struct ares_addr_port_node *server = servers; server; server = server->next)
        n++;
    ares_free_data(servers);
    return n;
}

/* A channel for the given servers, or those of resolv.conf; all of them together get no more time
 * than a single one would, and only a channel can tell how many there are. */
static int dns_client_open(struct dns_client *client, const char *servers, ares_channel *channelp)
{
    int r, n, timeout = DNS_CLIENT_TIMEOUT_MS;

    r = dns_client_init(client, servers, timeout, channelp);
    if (r)
        return r;
    n = dns_client_count(*channelp);
    if (n < 2)
        return 0;
    ares_destroy(*channelp);
    timeout = MAX(timeout / n, DNS_CLIENT_TIMEOUT_MIN_MS);
    return dns_client_init(client, servers, timeout, channelp);
}

static struct dns_client_query *dns_client_query_free(struct dns_client_query *query)
{
    g_free(query->name);
    g_free(query);
    return NULL;
}

static void dns_client_send(struct dns_client *client, struct dns_client_query *query);

static void dns_client_on_answer(void *userdata, int status, int timeouts, unsigned char *message,
                                 int size)
{
    struct dns_client_query *query = userdata;

    (void)timeouts;
    if (status == ARES_EDESTRUCTION) /* will be asked again, or is dropped */
        return;
    if (status == ARES_ETIMEOUT && g_get_monotonic_time() - query->since < DNS_CLIENT_TIME_MIN) {
        g_queue_unlink(&query->client->queries, &query->turn);
        dns_client_send(query->client, query);
        return;
    }
    if (status != ARES_SUCCESS && status != ARES_ENODATA && status != ARES_ENOTFOUND)
        message = NULL;
    g_queue_unlink(&query->client->queries, &query->turn);
    query->answered(query->userdata, message, message && size > 0 ? (size_t)size : 0);
    dns_client_query_free(query);
}

static void dns_client_send(struct dns_client *client, struct dns_client_query *query)
{
    g_queue_push_tail_link(&client->queries, &query->turn);
    ares_query(ares_loop_channel(client->loop), query->name, ns_c_in, query->type,
               dns_client_on_answer, query);
}

/* Switches to the given servers, or to resolv.conf if there are none. */
static int dns_client_use(struct dns_client *client, const char *servers)
{
    GQueue queries = client->queries;
    ares_channel channel;
    int r = dns_client_open(client, servers, &channel);

    if (r)
        return r;
    ares_loop_set(client->loop, channel);
    client->queries = (GQueue)G_QUEUE_INIT;
    while (queries.head) {
        GList *link = g_queue_pop_head_link(&queries);

        dns_client_send(client, link->data);
    }
    ares_loop_arm(client->loop);
    return 0;
}

static void dns_client_on_change(void *userdata)
{
    struct dns_client *client = userdata;
    int r = dns_client_use(client, "");

    if (r) {
        log_warning("cannot read %s: %s; keeping the previous nameservers", client->resolv_conf,
                    g_strerror(-r));
        return;
    }
    client->changed(client->userdata);
}

int dns_client_configure(struct dns_client *client, const GPtrArray *addresses)
{
    g_autoptr(GString) servers = g_string_new(NULL);

    for (unsigned i = 0; i < addresses->len; i++)
        g_string_append_printf(servers, "%s%s", i > 0 ? "," : "",
                               (const char *)addresses->pdata[i]);
    /* Watched before it is read, so that no change is missed. */
    if (addresses->len > 0)
        client->follow = follow_free(client->follow);
    else if (!client->follow)
        client->follow =
            follow_new(client->event, client->resolv_conf, dns_client_on_change, client);
    return dns_client_use(client, servers->str);
}

int dns_client_new(struct dns_client **clientp, sd_event *event, const GPtrArray *addresses,
                   const char *resolv_conf, void (*changed)(void *userdata), void *userdata)
{
    struct dns_client *client = g_new(struct dns_client, 1);

    *client = (struct dns_client){
        .event = sd_event_ref(event),
        .resolv_conf = g_strdup(resolv_conf),
        .queries = G_QUEUE_INIT,
        .changed = changed,
        .userdata = userdata,
    };
    int r = ares_loop_new(&client->loop, event);
    if (r >= 0)
        r = dns_client_configure(client, addresses);
    if (r < 0) {
        dns_client_free(client);
        return r;
    }
    *clientp = client;
    return 0;
}

struct dns_client *dns_client_free(struct dns_client *client)
{
    if (!client)
        return NULL;
    follow_free(client->follow);
    ares_loop_free(client->loop);
    while (client->queries.head)
        dns_client_query_free(g_queue_pop_head_link(&client->queries)->data);
    sd_event_unref(client->event);
    g_free(client->resolv_conf);
    g_free(client);
    return NULL;
}

void dns_client_ask(struct dns_client *client, const char *name, enum kubesvc_family family,
                    dns_client_answered answered, void *userdata)
{
    struct dns_client_query *query = g_new(struct dns_client_query, 1);

    *query = (struct dns_client_query){
        .client = client,
        .turn.data = query,
        .name = g_strdup(name),
        .type = family == KUBESVC_FAMILY_INET ? ns_t_a : ns_t_aaaa,
        .since = g_get_monotonic_time(),
        .answered = answered,
        .userdata = userdata,
    };
    dns_client_send(client, query);
    ares_loop_arm(client->loop);
}

struct hostent *dns_client_host(const struct dns_client *client, const char *name,
                                enum kubesvc_family family)
{
    struct hostent *host = NULL;
    int wanted = family == KUBESVC_FAMILY_INET ? AF_INET : AF_INET6;

    if (ares_gethostbyname_file(ares_loop_channel(client->loop), name, wanted, &host) !=
        ARES_SUCCESS)
        return NULL;
    return host;
}
