/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table. The lock against a second process is a table too, an empty one owned by a socket of
 * this process: only a network administrator can create it, the kernel removes it however the
 * process dies, and each network namespace has its own.
 */
#include "table.h"

#include <errno.h>
#include <glib.h>
#include <linux/capability.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/forward/ruleset.h"
#include "lib/util/log.h"

struct nft_table {
    struct nft_ctx *lock, *context;
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

static int lock(const struct nft_table *table)
{
    if (run(table->lock, "create table inet kubesvc-lock { flags owner; }") == 0)
        return 0;
    /* Ownership by another process gives the same error as lack of permission. */
    const char *error = nft_ctx_get_error_buffer(table->lock);
    if (strstr(error, strerror(EPERM)) || strstr(error, strerror(EEXIST)))
        return TABLE_BUSY;
    g_autofree char *complaint = complaint_new(error);
    log_error("nftables: %s", complaint);
    return -EOPNOTSUPP;
}

static bool may_administer(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    return syscall(SYS_capget, &head, data) == 0 &&
           (data[0].effective & CAP_TO_MASK(CAP_NET_ADMIN)) != 0;
}

int nft_table_new(struct nft_table **tablep)
{
    struct nft_table *table;
    int r = -ENOMEM;

    if (!may_administer())
        return -EPERM;
    table = g_new0(struct nft_table, 1);
    table->lock = context_new();
    table->context = context_new();
    if (table->lock && table->context)
        r = lock(table);
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
