/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A question as the command line puts it, answered as a lookup would be: by the server's thread,
 * which has what is known of names outside the zone; what it found is copied for the report.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "args.h"
#include "daemon/publish/snapshot_root.h"
#include "daemon/serve/request.h"
#include "daemon/serve/upstream.h"
#include "lib/resolve/search.h"
#include "lib/util/address.h"

struct inspect_query {
    bool is_valid; /* false: not a valid name; the rest is empty then */
    struct request request;
    struct search_result result;
    GPtrArray *tried; /* char *: names without a final dot */
    char names[KUBESVC_NAMES_SIZE_MAX];
    uint8_t *inet, *inet6; /* of the result */
};

/* Runs the question of `query` or `explain`; NULL: other arguments. Answered from what is published
 * and, for names outside the zone, already known. */
struct inspect_query *inspect_query_new(const struct args *args, const struct snapshot_root *root,
                                        struct upstream *upstream);
struct inspect_query *inspect_query_free(struct inspect_query *query); /* returns NULL */

/* The strings of a result, "" where there are fewer: first the question's owner, the canonical
 * name last. */
const char *inspect_query_name(const struct search_result *result, unsigned index);

/* The requested address. */
struct address inspect_query_address(const struct request *request);
