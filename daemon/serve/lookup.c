/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lookup: hands a request to the search, with what is known of names outside the zones.
 */
#include "lookup.h"

#include "lib/resolve/name.h"

static void find(const struct snapshot_view *view, const struct request *request,
                 search_external external, struct upstream *upstream, search_tried tried,
                 void *tried_userdata, struct search_result *result)
{
    if (request->kind != REQUEST_NAME) {
        search_address(view, request->family, request->address, result);
        return;
    }
    search_name(view,
                &(struct search_question){
                    .name = request->name,
                    .name_length = request->name_length,
                    .ns = request->ns,
                    .namespace_length = request->namespace_length,
                    .family = request->family,
                    .tried = tried,
                    .tried_userdata = tried_userdata,
                },
                external, upstream, result);
}

/* Rule 13: nothing is missing before the first load. Whose a name is is known before. */
static bool is_reserved(const struct request *request, char *const *zones)
{
    size_t length = request->name_length;

    if (!zones || request->kind != REQUEST_NAME)
        return false;
    if (length > 0 && request->name[length - 1] == '.')
        length--;
    return name_is_in(request->name, length, zones);
}

void lookup_answer(const struct snapshot_root *root, struct upstream *upstream, char *const *zones,
                   const struct request *request, struct search_result *result)
{
    struct snapshot_view view;

    result->pending = false;
    result->status = KUBESVC_STATUS_TRY_AGAIN;
    if (snapshot_root_view(root, &view))
        find(&view, request, upstream_lookup, upstream, NULL, NULL, result);
    else
        result->reserved = is_reserved(request, zones);
}

void lookup_known(const struct snapshot_root *root, struct upstream *upstream,
                  const struct request *request, search_tried tried, void *userdata,
                  struct search_result *result)
{
    struct snapshot_view view;

    result->pending = false;
    result->status = KUBESVC_STATUS_TRY_AGAIN;
    if (snapshot_root_view(root, &view))
        find(&view, request, upstream_known, upstream, tried, userdata, result);
}
