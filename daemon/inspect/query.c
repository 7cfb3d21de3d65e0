/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A question: turns the arguments into the request that a program's lookup would have sent.
 */
#include "query.h"

#include <string.h>

#include "daemon/serve/lookup.h"
#include "lib/resolve/name.h"

static bool parse_family(enum kubesvc_family *family, const char *text)
{
    if (strcmp(text, "any") == 0)
        *family = KUBESVC_FAMILY_ANY;
    else if (strcmp(text, "inet") == 0)
        *family = KUBESVC_FAMILY_INET;
    else if (strcmp(text, "inet6") == 0)
        *family = KUBESVC_FAMILY_INET6;
    else
        return false;
    return true;
}

static bool make_address(struct request *request, const char *name)
{
    struct address address;

    if (!address_parse(&address, name, strlen(name)))
        return false;
    request->kind = REQUEST_ADDRESS;
    request->family = address_is_inet(&address) && !strchr(name, ':') ? KUBESVC_FAMILY_INET
                                                                      : KUBESVC_FAMILY_INET6;
    if (request->family == KUBESVC_FAMILY_INET)
        memcpy(request->address, address.bytes + 12, 4);
    else
        memcpy(request->address, address.bytes, 16);
    return true;
}

static bool make_request(struct request *request, const char *ns, const char *name,
                         const char *family)
{
    size_t namespace_length = strlen(ns), length = strlen(name);

    *request = (struct request){.kind = REQUEST_NAME};
    if (!parse_family(&request->family, family))
        return false;
    if (make_address(request, name))
        return true;
    if (namespace_length > sizeof request->ns || length < 1 || length > sizeof request->name)
        return false;
    if (namespace_length > 0 && !name_is_namespace(ns, namespace_length))
        return false;
    request->namespace_length = (uint8_t)namespace_length;
    request->name_length = (uint8_t)length;
    for (size_t i = 0; i < namespace_length; i++)
        request->ns[i] = name_fold(ns[i]);
    memcpy(request->name, name, length);
    return true;
}

static void add_tried(void *tried, const char *name, size_t length)
{
    g_ptr_array_add(tried, g_strndup(name, length));
}

/* The addresses lie in the snapshot, which may be freed. */
static void keep_addresses(struct resolver_answer *answer, uint8_t **copyp, size_t size)
{
    *copyp = g_memdup2(answer->addresses, answer->n_addresses * size);
    answer->addresses = *copyp;
}

struct inspect_query *inspect_query_new(const struct args *args, const struct snapshot_root *root,
                                        struct upstream *upstream)
{
    bool is_query = strcmp(args_get(args, 0), "query") == 0;
    struct inspect_query *query;

    if (!is_query && strcmp(args_get(args, 0), "explain") != 0)
        return NULL;
    query = g_new0(struct inspect_query, 1);
    query->tried = g_ptr_array_new_with_free_func(g_free);
    query->result.names = RESOLVER_NAMES(query->names);
    query->is_valid = make_request(&query->request, args_get(args, 1), args_get(args, 2),
                                   is_query ? args_get(args, 3) : "any");
    if (!query->is_valid)
        return query;
    lookup_known(root, upstream, &query->request, add_tried, query->tried, &query->result);
    if (query->result.status == KUBESVC_STATUS_FOUND && query->request.kind == REQUEST_NAME) {
        keep_addresses(&query->result.inet, &query->inet, 4);
        keep_addresses(&query->result.inet6, &query->inet6, 16);
    }
    return query;
}

struct inspect_query *inspect_query_free(struct inspect_query *query)
{
    if (!query)
        return NULL;
    g_ptr_array_unref(query->tried);
    g_free(query->inet);
    g_free(query->inet6);
    g_free(query);
    return NULL;
}

const char *inspect_query_name(const struct search_result *result, unsigned index)
{
    const char *name = result->names.text, *end = name + result->names.size;

    if (index >= result->names.count)
        return "";
    while (index-- > 0 && name < end)
        name += strlen(name) + 1;
    return name < end ? name : "";
}

struct address inspect_query_address(const struct request *request)
{
    return address_from(request->address, request->family == KUBESVC_FAMILY_INET ? 4 : 16);
}
