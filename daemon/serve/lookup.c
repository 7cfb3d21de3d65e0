/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lookup: hands a request to the search, with what is known of names outside the zones.
 */
#include "lookup.h"

#include "lib/resolve/name.h"

struct find_how {
    char *const *zones;
    search_external lookup;
    struct upstream *upstream;
    search_tried tried;
    void *userdata;
};

static void find_name(const struct snapshot_view *view, const struct find_how *how,
                      const struct request *request, struct search_result *result)
{
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

/* Rule 13: nothing is missing before the first load. Whose a name is is known before. */
static void find_early(const struct find_how *how, const struct request *request,
                       struct search_result *result)
{
    size_t length = request->name_length;

    result->status = KUBESVC_STATUS_TRY_AGAIN;
    if (!how->zones || request->kind != REQUEST_NAME)
        return;
    if (length > 0 && request->name[length - 1] == '.')
        length--;
    result->reserved = name_is_in(request->name, length, how->zones);
}

static void find(const struct snapshot_root *root, const struct find_how *how,
                 const struct request *request, struct search_result *result)
{
    struct snapshot_view view;

    result->pending = false;
    if (!snapshot_root_view(root, &view))
        find_early(how, request, result);
    else if (request->kind == REQUEST_NAME)
        find_name(&view, how, request, result);
    else
        search_address(&view, request->family, request->address, result);
}

void lookup_answer(const struct snapshot_root *root, struct upstream *upstream, char *const *zones,
                   const struct request *request, struct search_result *result)
{
    find(root, &(struct find_how){.zones = zones, .lookup = upstream_lookup, .upstream = upstream},
         request, result);
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
