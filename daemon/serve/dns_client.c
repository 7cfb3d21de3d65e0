/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Nameservers: a c-ares channel whose sockets and timeouts live on the event loop.
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
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "lib/util/follow.h"
#include "lib/util/log.h"

/* Each server is tried twice, the second time for twice as long: three times this, by each server.
 */
#define NAMESERVERS_TRIES 2
#define NAMESERVERS_TIMEOUT_MS 1600
#define NAMESERVERS_TIMEOUT_MIN_MS 400

/* From 1.32 on c-ares derives a server's timeout from its past speed, and may give up after half a
 * second a name that takes a whole one. Names get at least this time, in microseconds. */
#define NAMESERVERS_TIME_MIN (2 * NAMESERVERS_TIMEOUT_MS * INT64_C(1000))

/* Answers are cached in upstream.c for their TTL: c-ares must not cache them as well. */
#ifdef ARES_OPT_QUERY_CACHE
#define NAMESERVERS_NO_CACHE ARES_OPT_QUERY_CACHE /* of the lifetime in the options, 0 */
#else
#define NAMESERVERS_NO_CACHE 0 /* there is none */
#endif

#define NAMESERVERS_EDNS_SIZE 1232 /* fits any path without fragmentation */

struct dns_client {
    sd_event *event;
    char *resolv_conf;
    struct follow *follow; /* NULL: the servers were given */
    ares_channel channel;
    GHashTable *sockets; /* descriptor -> sd_event_source */
    sd_event_source *timer;
    GQueue queries; /* struct dns_client_query: pending */
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

static int dns_client_errno(int status)
{
    switch (status) {
    case ARES_SUCCESS: return 0;
    case ARES_ENOMEM: return -ENOMEM;
    case ARES_EBADSTR: return -EINVAL;
    default: return -EIO;
    }
}

static void dns_client_arm(struct dns_client *client)
{
    struct timeval left, *next = ares_timeout(client->channel, NULL, &left);

    if (!next) {
        (void)sd_event_source_set_enabled(client->timer, SD_EVENT_OFF);
        return;
    }
    (void)sd_event_source_set_time_relative(client->timer, (uint64_t)next->tv_sec * 1000000 +
                                                               (uint64_t)next->tv_usec);
    (void)sd_event_source_set_enabled(client->timer, SD_EVENT_ONESHOT);
}

static int dns_client_on_socket(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct dns_client *client = userdata;

    (void)source;
    /* An error is found by reading. */
    ares_process_fd(client->channel, revents & ~(uint32_t)EPOLLOUT ? fd : ARES_SOCKET_BAD,
                    revents & EPOLLOUT ? fd : ARES_SOCKET_BAD);
    dns_client_arm(client);
    return 0;
}

static int dns_client_on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct dns_client *client = userdata;

    (void)source;
    (void)usec;
    ares_process_fd(client->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    dns_client_arm(client);
    return 0;
}

static void dns_client_unwatch(void *source)
{
    sd_event_source_disable_unref(source);
}

/* c-ares states its interest in a socket; none any more: it is about to close it. */
static void dns_client_on_state(void *userdata, ares_socket_t fd, int readable, int writable)
{
    struct dns_client *client = userdata;
    sd_event_source *source = g_hash_table_lookup(client->sockets, GINT_TO_POINTER(fd));
    uint32_t events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);
    int r;

    if (events == 0) {
        g_hash_table_remove(client->sockets, GINT_TO_POINTER(fd));
        return;
    }
    if (source) {
        r = sd_event_source_set_io_events(source, events);
    } else {
        r = sd_event_add_io(client->event, &source, fd, events, dns_client_on_socket, client);
        if (r >= 0)
            g_hash_table_insert(client->sockets, GINT_TO_POINTER(fd), source);
    }
    if (r < 0) /* the query will time out */
        log_warning("cannot wait for a nameserver: %s", g_strerror(-r));
}

static int dns_client_init(struct dns_client *client, const char *servers, int timeout,
                           ares_channel *channelp)
{
    static char lookups[] = "b";
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS,
        .timeout = timeout,
        .tries = NAMESERVERS_TRIES,
        .ndomains = 0,
        .lookups = lookups,
        .ednspsz = NAMESERVERS_EDNS_SIZE,
        .resolvconf_path = client->resolv_conf,
        .sock_state_cb = dns_client_on_state,
        .sock_state_cb_data = client,
    };
    int status = ares_init_options(
        channelp, &options,
        ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS |
            ARES_OPT_EDNSPSZ | ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_STATE_CB | NAMESERVERS_NO_CACHE);

    if (status != ARES_SUCCESS)
        return dns_client_errno(status);
    if (!*servers)
        return 0;
    status = ares_set_servers_ports_csv(*channelp, servers);
    if (status != ARES_SUCCESS)
        ares_destroy(*channelp);
    return dns_client_errno(status);
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
    int r, n, timeout = NAMESERVERS_TIMEOUT_MS;

    r = dns_client_init(client, servers, timeout, channelp);
    if (r)
        return r;
    n = dns_client_count(*channelp);
    if (n < 2)
        return 0;
    ares_destroy(*channelp);
    timeout = MAX(timeout / n, NAMESERVERS_TIMEOUT_MIN_MS);
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
    if (status == ARES_ETIMEOUT && g_get_monotonic_time() - query->since < NAMESERVERS_TIME_MIN) {
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
    ares_query(client->channel, query->name, ns_c_in, query->type, dns_client_on_answer, query);
}

/* Switches to the given servers, or to resolv.conf if there are none. */
static int dns_client_use(struct dns_client *client, const char *servers)
{
    GQueue queries = client->queries;
    ares_channel channel;
    int r = dns_client_open(client, servers, &channel);

    if (r)
        return r;
    ares_destroy(client->channel);
    client->channel = channel;
    client->queries = (GQueue)G_QUEUE_INIT;
    while (queries.head) {
        GList *link = g_queue_pop_head_link(&queries);

        dns_client_send(client, link->data);
    }
    dns_client_arm(client);
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
    struct dns_client *client;
    int r = dns_client_errno(ares_library_init(ARES_LIB_INIT_ALL));

    if (r)
        return r;
    client = g_new(struct dns_client, 1);
    *client = (struct dns_client){
        .event = sd_event_ref(event),
        .resolv_conf = g_strdup(resolv_conf),
        .sockets = g_hash_table_new_full(NULL, NULL, NULL, dns_client_unwatch),
        .queries = G_QUEUE_INIT,
        .changed = changed,
        .userdata = userdata,
    };
    r = sd_event_add_time(event, &client->timer, CLOCK_MONOTONIC, 0, 1000, dns_client_on_timer,
                          client);
    if (r >= 0)
        r = sd_event_source_set_enabled(client->timer, SD_EVENT_OFF);
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
    if (client->channel)
        ares_destroy(client->channel);
    while (client->queries.head)
        dns_client_query_free(g_queue_pop_head_link(&client->queries)->data);
    sd_event_source_disable_unref(client->timer);
    g_hash_table_unref(client->sockets);
    sd_event_unref(client->event);
    g_free(client->resolv_conf);
    g_free(client);
    ares_library_cleanup();
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
    dns_client_arm(client);
}

struct hostent *dns_client_host(const struct dns_client *client, const char *name,
                                enum kubesvc_family family)
{
    struct hostent *host = NULL;
    int wanted = family == KUBESVC_FAMILY_INET ? AF_INET : AF_INET6;

    if (ares_gethostbyname_file(client->channel, name, wanted, &host) != ARES_SUCCESS)
        return NULL;
    return host;
}
