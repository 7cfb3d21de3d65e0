/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc export nft: the ruleset that kubesvc-proxy would load now, for `nft -f`. It is read from
 * the stream that the proxy follows, up to its first end.
 */
#include "export_nft.h"

#include <stdio.h>

#include "backends.h"
#include "commands.h"
#include "inspect_client.h"

struct nft_reading {
    struct ruleset *ruleset;
    GArray *ranges;
};

static bool take(void *userdata, const char *line)
{
    const struct nft_reading *reading = userdata;
    return backends_take(line, reading->ruleset, reading->ranges) != BACKENDS_END;
}

int export_nft(const struct arguments *arguments)
{
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct address_range));
    struct nft_reading reading = {ruleset_new(), ranges};
    int r = inspect_client_ask(arguments->socket, (const char *[]){"backends", NULL}, false, take,
                               &reading);
    if (r == INSPECT_CLIENT_STOPPED) {
        g_autofree char *commands = ruleset_whole(reading.ruleset);
        printf("#!/usr/sbin/nft -f\n%s", commands);
    } else
        inspect_client_complain(arguments->socket, r, false);
    ruleset_free(reading.ruleset);
    return r == INSPECT_CLIENT_STOPPED ? STATUS_DONE : STATUS_FAILED;
}
