/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The proxy's connection to the daemon, and the handling of its messages. Each batch becomes one
 * transaction. The first one replaces the whole table, whatever an earlier process has left; so
 * does one after another program has deleted it. One that fails is tried again, without a message
 * of the daemon, since what was in its way may pass.
 */
#include "proxy.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>

#include "cli/backends.h"
#include "cli/inspect_client.h"
#include "conntrack.h"
#include "lib/forward/ruleset.h"
#include "lib/util/log.h"
#include "lib/util/timer.h"
#include "routes.h"
#include "sessions.h"
#include "table.h"
#include "table_news.h"

#define RETRY_USEC (G_USEC_PER_SEC / 4)

/* Between attempts to change the table: twice as long after each one that fails. */
#define PAUSE_FIRST_USEC ((uint64_t)G_USEC_PER_SEC / 20)
#define PAUSE_LAST_USEC ((uint64_t)G_USEC_PER_SEC * 30)

struct proxy {
    sd_event *event;
    const char *socket;
    struct ruleset *ruleset;
    GArray *ranges; /* struct address_range */
    struct nft_table *table;
    struct routes *routes;
    struct table_news news;
    struct inspect_client *link; /* NULL: not connected */
    sd_event_source *io, *retry, *again, *news_source;
    uint64_t handle; /* of the table, when it was last loaded or adopted */
    uint64_t pause;  /* microseconds until the table is tried again; 0: it is up to date */
    bool begun;      /* the daemon has sent everything since the connection was made */
    bool partial;    /* the ruleset lacks the rest of a batch, or everything */
    bool adopted;    /* the table is one that an earlier process has left */
    bool loaded;     /* the table is ours */
    bool compared;   /* the kernel's flows have been, with the ruleset */
    bool ready;      /* last sent to the service manager */
    int complaint;   /* last logged about the daemon; 0: none */
};

static char *status_text(const struct proxy *proxy)
{
    const char *waiting = proxy->link ? "" : "; waiting for kubesvcd";
    unsigned n = ruleset_size(proxy->ruleset);

    if (proxy->pause > 0)
        return g_strdup("The table cannot be changed and stays as it is; trying again");
    if (proxy->adopted)
        return g_strdup_printf("Forwarding as the previous process did%s", waiting);
    return g_strdup_printf("Forwarding to %u Service%s%s", n, n == 1 ? "" : "s", waiting);
}

static void tell(struct proxy *proxy)
{
    g_autofree char *status = status_text(proxy);

    bool now_ready = !proxy->ready && proxy->pause == 0;

    (void)sd_notifyf(0, "%sSTATUS=%s.", now_ready ? "READY=1\n" : "", status);
    proxy->ready |= now_ready;
}

/* --- The kernel --- */

/* Sessions are taken over from a table of ours; another one may have flags, and libnftables 1.0.6
 * uses freed memory where it prints them. */
static bool load_whole(struct proxy *proxy)
{
    bool takes_over = ruleset_has_sets(proxy->ruleset) && nft_table_exists(proxy->table);
    g_autofree char *whole = ruleset_whole(proxy->ruleset);
    g_autofree char *listing = takes_over ? nft_table_list(proxy->table) : g_strdup("");
    g_autofree char *sessions = sessions_keep(listing, proxy->ruleset);
    g_autofree char *commands = g_strconcat(whole, sessions, NULL);

    proxy->loaded =
        nft_table_run(proxy->table, commands) || (*sessions && nft_table_run(proxy->table, whole));
    if (proxy->loaded)
        proxy->handle = nft_table_handle(proxy->table);
    return proxy->loaded;
}

/* A change that fails because the table is not in the expected state can succeed in a new one. */
static bool load_changes(struct proxy *proxy)
{
    g_autofree char *commands = ruleset_changes(proxy->ruleset);

    return !commands || nft_table_run(proxy->table, commands) || load_whole(proxy);
}

/* A change that fails while an attempt is due does not put it off. */
static void try_again_later(struct proxy *proxy)
{
    if (proxy->pause == 0)
        log_error("the table cannot be changed and stays as it is; trying again");
    if (sd_event_source_get_enabled(proxy->again, NULL) > 0)
        return;
    proxy->pause = proxy->pause == 0 ? PAUSE_FIRST_USEC : MIN(proxy->pause * 2, PAUSE_LAST_USEC);
    (void)timer_start(proxy->again, proxy->pause);
}

static void apply(struct proxy *proxy)
{
    bool good = proxy->loaded ? load_changes(proxy) : load_whole(proxy);

    if (good) {
        conntrack_forget(proxy->ruleset, proxy->compared ? NULL : proxy->ranges);
        proxy->compared = true;
        ruleset_settle(proxy->ruleset);
        if (proxy->pause > 0)
            log_notice("the table is up to date again");
        proxy->adopted = false;
        proxy->pause = 0;
        (void)sd_event_source_set_enabled(proxy->again, SD_EVENT_OFF);
    } else {
        try_again_later(proxy);
    }
    tell(proxy);
}

/* The end of a batch does the same. */
static int on_again(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct proxy *proxy = userdata;

    (void)source, (void)usec;
    if (!proxy->partial)
        apply(proxy);
    return 0;
}

/* --- The daemon --- */

static bool on_line(void *userdata, const char *line)
{
    struct proxy *proxy = userdata;

    proxy->partial = true;
    switch (backends_take(line, proxy->ruleset, proxy->ranges)) {
    case BACKENDS_MORE: break;
    case BACKENDS_BAD: log_warning("ignoring an invalid line from the daemon: %.200s", line); break;
    case BACKENDS_END:
        if (!proxy->begun)
            ruleset_sweep(proxy->ruleset);
        proxy->begun = true;
        proxy->partial = false;
        routes_want(proxy->routes, proxy->ranges);
        apply(proxy);
        break;
    }
    return true;
}

static const char *complaint_text(int result)
{
    switch (result) {
    case KUBESVC_INSPECT_UNKNOWN: return "the daemon's version does not support this";
    case KUBESVC_INSPECT_BUSY: return "too many programs follow it";
    case -ENOENT:
    case -ECONNREFUSED: return "no daemon is listening";
    default: return result < 0 ? g_strerror(-result) : "the daemon has ended the connection";
    }
}

static void disconnect(struct proxy *proxy, int result)
{
    proxy->io = sd_event_source_disable_unref(proxy->io);
    proxy->link = inspect_client_free(proxy->link);
    if (result != proxy->complaint)
        log_notice("%s: %s; waiting for it, forwarding stays as it is", proxy->socket,
                   complaint_text(result));
    proxy->complaint = result;
    (void)timer_start(proxy->retry, RETRY_USEC);
    tell(proxy);
}

static bool is_same_table(struct proxy *proxy)
{
    uint64_t handle = nft_table_handle(proxy->table);

    return handle != 0 && handle == proxy->handle;
}

/* The table is no longer what it was: it was deleted, or replaced by one that was saved earlier, or
 * rules of it were deleted. */
static void load_again(struct proxy *proxy, const char *what)
{
    proxy->adopted = false;
    if (!proxy->loaded) {
        tell(proxy);
        return;
    }
    log_warning("%s by another program; loading it again", what);
    proxy->loaded = false;
    if (!proxy->partial)
        apply(proxy);
}

static int on_news(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct proxy *proxy = userdata;
    struct table_seen seen = table_news_read(&proxy->news);

    (void)source, (void)fd, (void)revents;
    if ((seen.deleted || seen.lost) && !is_same_table(proxy))
        load_again(proxy, "the table " RULESET_TABLE " was deleted");
    else if (seen.flushed || (seen.lost && nft_table_is_flushed(proxy->table)))
        load_again(proxy, "rules of the table " RULESET_TABLE " were deleted");
    return 0;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct proxy *proxy = userdata;
    int r = inspect_client_read(proxy->link, 0, on_line, proxy);

    (void)source, (void)fd, (void)revents;
    if (r != -ETIMEDOUT)
        disconnect(proxy, r);
    else if (proxy->begun && proxy->complaint != 0) {
        log_notice("%s: the daemon answers again", proxy->socket);
        proxy->complaint = 0;
    }
    return 0;
}

static void connect_to_daemon(struct proxy *proxy)
{
    const char *words[] = {"backends", "kubesvc-proxy", NULL};
    int r = inspect_client_open(&proxy->link, proxy->socket, words);

    if (r == 0)
        r = sd_event_add_io(proxy->event, &proxy->io, inspect_client_fd(proxy->link), EPOLLIN,
                            on_io, proxy);
    if (r < 0) {
        disconnect(proxy, r);
        return;
    }
    proxy->begun = false;
    ruleset_mark(proxy->ruleset);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source, (void)usec;
    connect_to_daemon(userdata);
    return 0;
}

/* --- Life --- */

static int open_table(struct proxy *proxy)
{
    int r = nft_table_new(&proxy->table);

    if (r == TABLE_BUSY) {
        log_error("another kubesvc-proxy runs in this network namespace; exiting");
        return -EBUSY;
    }
    if (r == -EPERM)
        log_error("cannot change nftables rules: this requires CAP_NET_ADMIN");
    else if (r < 0)
        log_error("cannot use nftables: %s", g_strerror(-r));
    else {
        proxy->adopted = nft_table_exists(proxy->table);
        proxy->handle = nft_table_handle(proxy->table);
    }
    return r;
}

static int listen_to_news(struct proxy *proxy)
{
    int r = table_news_open(&proxy->news);

    return r < 0 ? r
                 : sd_event_add_io(proxy->event, &proxy->news_source,
                                   mnl_socket_get_fd(proxy->news.netlink.socket), EPOLLIN, on_news,
                                   proxy);
}

static int open_kernel(struct proxy *proxy)
{
    int r = open_table(proxy);

    if (r < 0)
        return r;
    r = routes_new(&proxy->routes, proxy->event);
    if (r >= 0)
        r = listen_to_news(proxy);
    if (r >= 0)
        r = sd_event_add_time(proxy->event, &proxy->retry, CLOCK_MONOTONIC, 0, 0, on_retry, proxy);
    if (r >= 0)
        r = timer_new(&proxy->again, proxy->event, 1000, on_again, proxy);
    if (r < 0)
        log_error("cannot start: %s", g_strerror(-r));
    return r;
}

int proxy_new(struct proxy **proxyp, sd_event *event, const char *socket)
{
    struct proxy *proxy = g_new0(struct proxy, 1);
    int r;

    proxy->event = sd_event_ref(event);
    proxy->socket = socket;
    proxy->partial = true;
    proxy->ruleset = ruleset_new();
    proxy->ranges = g_array_new(FALSE, FALSE, sizeof(struct address_range));
    r = open_kernel(proxy);
    if (r < 0) {
        proxy_free(proxy);
        return r;
    }
    *proxyp = proxy;
    return 0;
}

void proxy_remove(struct proxy *proxy)
{
    nft_table_delete(proxy->table);
    routes_remove(proxy->routes);
}

struct proxy *proxy_free(struct proxy *proxy)
{
    if (!proxy)
        return NULL;
    sd_event_source_disable_unref(proxy->io);
    sd_event_source_disable_unref(proxy->retry);
    sd_event_source_disable_unref(proxy->again);
    sd_event_source_disable_unref(proxy->news_source);
    inspect_client_free(proxy->link);
    table_news_close(&proxy->news);
    routes_free(proxy->routes);
    nft_table_free(proxy->table);
    ruleset_free(proxy->ruleset);
    g_array_unref(proxy->ranges);
    sd_event_unref(proxy->event);
    g_free(proxy);
    return NULL;
}
