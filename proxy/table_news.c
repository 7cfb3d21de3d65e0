/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * News of the table. The kernel does not say reliably who made a change, but what ours look like is
 * known: a transaction that deletes rules of a chain adds others to it, or deletes the chain if it
 * is one of a Service, or the whole table.
 */
#include "table_news.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/forward/ruleset.h"

int table_news_open(struct table_news *news)
{
    int r = netlink_open(&news->netlink, NETLINK_NETFILTER, 1u << (NFNLGRP_NFTABLES - 1));

    if (r >= 0)
        news->losers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return r;
}

void table_news_close(struct table_news *news)
{
    netlink_close(&news->netlink);
    g_clear_pointer(&news->losers, g_hash_table_unref);
}

static const char *text_of(const struct nlattr *attribute)
{
    bool good = attribute && mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0;

    return good ? mnl_attr_get_str(attribute) : "";
}

/* A chain of a Service, not of the frame. */
static bool is_of_service(const char *chain)
{
    return strchr(chain, '/') != NULL;
}

struct table_reading {
    struct table_news *news;
    struct table_seen seen;
};

/* `name` and `chain` are attributes of the message; is it about our table? */
static bool read_names(const struct nlmsghdr *message, unsigned name, unsigned chain,
                       const char **chainp)
{
    const struct nfgenmsg *head = mnl_nlmsg_get_payload(message);
    const struct nlattr *table[8];

    if (mnl_nlmsg_get_payload_len(message) < sizeof *head || head->nfgen_family != NFPROTO_INET)
        return false;
    netlink_attributes(message, sizeof *head, table, G_N_ELEMENTS(table));
    *chainp = text_of(table[chain]);
    return strcmp(text_of(table[name]), RULESET_TABLE_NAME) == 0;
}

static void see_table_deleted(struct table_reading *reading)
{
    reading->seen.deleted = true;
    reading->seen.flushed = false;
    g_hash_table_remove_all(reading->news->losers);
}

static int on_message(const struct nlmsghdr *message, void *userdata)
{
    struct table_reading *reading = userdata;
    GHashTable *losers = reading->news->losers;
    const char *chain;

    switch (message->nlmsg_type & 0xff) {
    case NFT_MSG_DELTABLE:
        if (read_names(message, NFTA_TABLE_NAME, NFTA_TABLE_NAME, &chain))
            see_table_deleted(reading);
        break;
    case NFT_MSG_DELRULE:
        if (read_names(message, NFTA_RULE_TABLE, NFTA_RULE_CHAIN, &chain))
            g_hash_table_add(losers, g_strdup(chain));
        break;
    case NFT_MSG_NEWRULE:
        if (read_names(message, NFTA_RULE_TABLE, NFTA_RULE_CHAIN, &chain))
            g_hash_table_remove(losers, chain);
        break;
    case NFT_MSG_DELCHAIN:
        if (read_names(message, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, &chain) && is_of_service(chain))
            g_hash_table_remove(losers, chain);
        break;
    case NFT_MSG_NEWGEN: /* ends a transaction */
        reading->seen.flushed |= g_hash_table_size(losers) > 0;
        g_hash_table_remove_all(losers);
        break;
    default: break;
    }
    return MNL_CB_OK;
}

/* What remains was told before something was lost, and might be half of a transaction. */
static void skip_all(int fd)
{
    char byte;

    while (recv(fd, &byte, sizeof byte, MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
        ;
}

struct table_seen table_news_read(struct table_news *news)
{
    struct table_reading reading = {.news = news};
    int fd = mnl_socket_get_fd(news->netlink.socket);
    char buffer[8192];
    ssize_t n;

    while ((n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
        (void)mnl_cb_run(buffer, (size_t)n, 0, 0, on_message, &reading);
    if (n < 0 && errno == ENOBUFS) {
        skip_all(fd);
        g_hash_table_remove_all(news->losers);
        reading.seen.lost = true;
    }
    return reading.seen;
}
