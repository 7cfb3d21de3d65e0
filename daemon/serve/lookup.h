/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Answers a request from the published snapshot.
 */
#pragma once

#include "daemon/publish/snapshot_root.h"
#include "lib/resolve/search.h"
#include "request.h"
#include "upstream.h"

/* `request` is a NAME or an ADDRESS. The result points into the snapshot, see search.h. Before
 * there is one, names in `zones` (NULL-terminated; or NULL) are reserved. */
void lookup_answer(const struct snapshot_root *root, struct upstream *upstream, char *const *zones,
                   const struct request *request, struct search_result *result);

/* The same, but names outside the zone are answered from what is already known, without a query:
 * TRY_AGAIN if unknown. `tried` (NULL: nothing) is called for each candidate of the search. */
void lookup_known(const struct snapshot_root *root, struct upstream *upstream,
                  const struct request *request, search_tried tried, void *userdata,
                  struct search_result *result);
