/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A request -> what the published snapshot has to say to it.
 */
#pragma once

#include "daemon/publish/snapshot_root.h"
#include "lib/resolve/search.h"
#include "request.h"
#include "upstream.h"

/* `request` is a NAME or an ADDRESS. The result points into the snapshot, see search.h. */
void lookup_answer(const struct snapshot_root *root, struct upstream *upstream,
                   const struct request *request, struct search_result *result);

/* The same, but of names outside the zone only what is known already is told, and nobody is asked:
 * what is not known is TRY_AGAIN. `tried` (NULL: nothing) is told each candidate of the search. */
void lookup_known(const struct snapshot_root *root, struct upstream *upstream,
                  const struct request *request, search_tried tried, void *userdata,
                  struct search_result *result);
