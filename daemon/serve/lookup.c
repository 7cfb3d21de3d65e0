/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lookup: answers at once what needs no search, and searches for the rest.
 */
#include "lookup.h"

#include "lib/resolve/name.h"

struct find_how {
    search_external lookup;
    struct upstream *upstream;
    search_tried tried;
    void *userdata;
};

static void find_name(const struct snapshot_view *view, const struct find_how *how,
                      const struct request *request, struct search_result *result)
{
    size_t length = request->name_length;

    if (request->name[length - 1] == '.')
        length--;
    if (!name_is_valid(request->name, length)) {
        /* rule 53: no nameserver would be asked for it either */
        result->status = name_is_reserved(request->name, length) ? KUBESVC_STATUS_NOT_FOUND
                                                                 : KUBESVC_STATUS_NOT_OURS;
        return;
    }
    search_name(view,
                &(struct search_question){
                    .name = request->name,
                    .name_length = request->name_length,
                    .ns = request->ns,
                    .namespace_length = request->namespace_length,
                    .family = request->family,
                    .tried = how->tried,
                    .tried_userdata = how->userdata,
                },
                how->lookup, how->upstream, result);
}

static void find(const struct snapshot_root *root, const struct find_how *how,
                 const struct request *request, struct search_result *result)
{
    struct snapshot_view view;

    result->pending = false;
    if (!snapshot_root_view(root, &view))
        result->status = KUBESVC_STATUS_TRY_AGAIN; /* rule 13: nothing is missing before */
    else if (request->kind == REQUEST_NAME)
        find_name(&view, how, request, result);
    else
        search_address(&view, request->family, request->address, result);
}

void lookup_answer(const struct snapshot_root *root, struct upstream *upstream,
                   const struct request *request, struct search_result *result)
{
    find(root, &(struct find_how){.lookup = upstream_lookup, .upstream = upstream}, request,
         result);
}

void lookup_known(const struct snapshot_root *root, struct upstream *upstream,
                  const struct request *request, search_tried tried, void *userdata,
                  struct search_result *result)
{
    find(root,
         &(struct find_how){
             .lookup = upstream_known, .upstream = upstream, .tried = tried, .userdata = userdata},
         request, result);
}
