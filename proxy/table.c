/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table. The lock against a second process is a table too, an empty one owned by a socket of
 * this process: only a network administrator can create it, the kernel removes it however the
 * process dies, and each network namespace has its own.
 */
#include "table.h"

#include <endian.h>
#include <errno.h>
#include <glib.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/forward/ruleset.h"
#include "lib/util/log.h"
#include "netlink.h"

#define CREATE_LOCK "create table inet kubesvc-lock { flags owner; }"

struct nft_table {
    struct nft_ctx *lock, *context;
    struct netlink netlink;
    char *complaint; /* why the last transaction failed, NULL: it did not */
};

static struct nft_ctx *context_new(void)
{
    struct nft_ctx *context = nft_ctx_new(NFT_CTX_DEFAULT);

    if (context) {
        (void)nft_ctx_buffer_output(context);
        (void)nft_ctx_buffer_error(context);
    }
    return context;
}

/* Earlier output would otherwise precede that of this command. */
static int run(struct nft_ctx *context, const char *commands)
{
    (void)nft_ctx_get_output_buffer(context);
    (void)nft_ctx_get_error_buffer(context);
    return nft_run_cmd_from_buffer(context, commands);
}

/* libnftables repeats the command, which may be long, below its first line. */
static char *complaint_new(const char *error)
{
    return g_strndup(error, MIN(strcspn(error, "\n"), 200));
}

/* NULL: it is ours now; else the error, until the next command. A table that exists and belongs to
 * no process is no lock. */
static const char *create_lock(const struct nft_table *table)
{
    if (run(table->lock, CREATE_LOCK) == 0)
        return NULL;
    const char *error = nft_ctx_get_error_buffer(table->lock);
    if (!strstr(error, strerror(EEXIST)))
        return error;
    return run(table->lock, "delete table inet kubesvc-lock\n" CREATE_LOCK) == 0
               ? NULL
               : nft_ctx_get_error_buffer(table->lock);
}

static int lock(const struct nft_table *table)
{
    const char *error = create_lock(table);

    if (!error)
        return 0;
    /* Ownership by another process gives the same error as lack of permission. */
    if (strstr(error, strerror(EPERM)) || strstr(error, strerror(EEXIST)))
        return TABLE_BUSY;
    g_autofree char *complaint = complaint_new(error);
    log_error("nftables: %s", complaint);
    return -EOPNOTSUPP;
}

static int on_table(const struct nlmsghdr *message, void *userdata)
{
    const struct nlattr *table[NFTA_TABLE_MAX + 1], *handle;

    netlink_attributes(message, sizeof(struct nfgenmsg), table, G_N_ELEMENTS(table));
    handle = table[NFTA_TABLE_HANDLE];
    if (handle && mnl_attr_get_payload_len(handle) == sizeof(uint64_t))
        *(uint64_t *)userdata = be64toh(mnl_attr_get_u64(handle));
    return MNL_CB_OK;
}

static struct nlmsghdr *put_request(char buffer[static NETLINK_REQUEST_MAX], unsigned type)
{
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    struct nfgenmsg *head = mnl_nlmsg_put_extra_header(request, sizeof *head);

    request->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
    head->nfgen_family = NFPROTO_INET;
    head->version = NFNETLINK_V0;
    return request;
}

/* *handlep stays as it is where there is no table. 0 or negative errno of the kernel. */
static int ask_handle(struct nft_table *table, uint64_t *handlep)
{
    char buffer[NETLINK_REQUEST_MAX] = {0};
    struct nlmsghdr *request = put_request(buffer, NFT_MSG_GETTABLE);

    mnl_attr_put_strz(request, NFTA_TABLE_NAME, RULESET_TABLE_NAME);
    return netlink_ask(&table->netlink, request, on_table, handlep);
}

/* The kernel is asked first, because libnftables exits without a socket. It permits nothing to one
 * who administers another network namespace only, whatever capabilities he has. */
static int open_table(struct nft_table *table)
{
    uint64_t handle = 0;
    int r = netlink_open(&table->netlink, NETLINK_NETFILTER, 0);

    if (r < 0)
        return r;
    if (ask_handle(table, &handle) == -EPERM)
        return -EPERM;
    table->lock = context_new();
    table->context = context_new();
    return table->lock && table->context ? lock(table) : -ENOMEM;
}

int nft_table_new(struct nft_table **tablep)
{
    struct nft_table *table = g_new0(struct nft_table, 1);
    int r = open_table(table);

    if (r != 0) {
        nft_table_free(table);
        return r;
    }
    *tablep = table;
    return 0;
}

struct nft_table *nft_table_free(struct nft_table *table)
{
    if (!table)
        return NULL;
    g_clear_pointer(&table->context, nft_ctx_free);
    g_clear_pointer(&table->lock, nft_ctx_free);
    netlink_close(&table->netlink);
    g_free(table->complaint);
    g_free(table);
    return NULL;
}

void nft_table_delete(struct nft_table *table)
{
    (void)nft_table_run(table, "add table " RULESET_TABLE "\ndelete table " RULESET_TABLE);
}

bool nft_table_run(struct nft_table *table, const char *commands)
{
    bool good = run(table->context, commands) == 0;
    char *complaint = good ? NULL : complaint_new(nft_ctx_get_error_buffer(table->context));

    if (complaint && g_strcmp0(complaint, table->complaint) != 0)
        log_error("nftables: %s", complaint);
    g_free(table->complaint);
    table->complaint = complaint;
    return good;
}

char *nft_table_list(struct nft_table *table)
{
    unsigned flags = nft_ctx_output_get_flags(table->context);
    char *listing = NULL;

    nft_ctx_output_set_flags(table->context, flags | NFT_CTX_OUTPUT_JSON);
    if (run(table->context, "list table " RULESET_TABLE) == 0)
        listing = g_strdup(nft_ctx_get_output_buffer(table->context));
    nft_ctx_output_set_flags(table->context, flags);
    return listing ? listing : g_strdup("");
}

bool nft_table_exists(struct nft_table *table)
{
    return run(table->context, "list chain " RULESET_TABLE " services") == 0;
}

uint64_t nft_table_handle(struct nft_table *table)
{
    uint64_t handle = 0;

    return ask_handle(table, &handle) == 0 ? handle : 0;
}

static int on_rule(const struct nlmsghdr *message, void *userdata)
{
    (void)message;
    *(bool *)userdata = true;
    return MNL_CB_OK;
}

bool nft_table_is_flushed(struct nft_table *table)
{
    char buffer[NETLINK_REQUEST_MAX] = {0};
    struct nlmsghdr *request = put_request(buffer, NFT_MSG_GETRULE);
    bool any = false;

    request->nlmsg_flags |= NLM_F_DUMP;
    mnl_attr_put_strz(request, NFTA_RULE_TABLE, RULESET_TABLE_NAME);
    mnl_attr_put_strz(request, NFTA_RULE_CHAIN, "output");
    return netlink_ask(&table->netlink, request, on_rule, &any) == 0 && !any;
}
