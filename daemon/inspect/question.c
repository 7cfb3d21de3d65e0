/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A question: turns the arguments into the request that a program's lookup would have sent.
 */
#include "question.h"

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

static bool make_request(struct request *request, const char *namespace, const char *name,
                         const char *family)
{
    size_t namespace_length = strlen(namespace), length = strlen(name);

    *request = (struct request){.kind = REQUEST_NAME};
    if (!parse_family(&request->family, family))
        return false;
    if (make_address(request, name))
        return true;
    if (namespace_length > sizeof request->namespace || length < 1 || length > sizeof request->name)
        return false;
    if (namespace_length > 0 &&
        (strchr(namespace, '.') || !name_is_valid(namespace, namespace_length)))
        return false;
    request->namespace_length = (uint8_t)namespace_length;
    request->name_length = (uint8_t)length;
    for (size_t i = 0; i < namespace_length; i++)
        request->namespace[i] = name_fold(namespace[i]);
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

struct question *question_new(const struct words *words, const struct snapshot_root *root,
                              struct upstream *upstream)
{
    bool is_query = strcmp(words_get(words, 0), "query") == 0;
    struct question *question;

    if (!is_query && strcmp(words_get(words, 0), "explain") != 0)
        return NULL;
    question = g_new0(struct question, 1);
    question->tried = g_ptr_array_new_with_free_func(g_free);
    question->result.names = RESOLVER_NAMES(question->names);
    question->is_valid = make_request(&question->request, words_get(words, 1), words_get(words, 2),
                                      is_query ? words_get(words, 3) : "any");
    if (!question->is_valid)
        return question;
    lookup_known(root, upstream, &question->request, add_tried, question->tried, &question->result);
    if (question->result.status == KUBESVC_STATUS_FOUND && question->request.kind == REQUEST_NAME) {
        keep_addresses(&question->result.inet, &question->inet, 4);
        keep_addresses(&question->result.inet6, &question->inet6, 16);
    }
    return question;
}

struct question *question_free(struct question *question)
{
    if (!question)
        return NULL;
    g_ptr_array_unref(question->tried);
    g_free(question->inet);
    g_free(question->inet6);
    g_free(question);
    return NULL;
}

const char *question_name(const struct search_result *result, unsigned index)
{
    const char *name = result->names.text, *end = name + result->names.size;

    if (index >= result->names.count)
        return "";
    while (index-- > 0 && name < end)
        name += strlen(name) + 1;
    return name < end ? name : "";
}

struct address question_address(const struct request *request)
{
    struct address address = {{[10] = 0xff, [11] = 0xff}};

    if (request->family == KUBESVC_FAMILY_INET)
        memcpy(address.bytes + 12, request->address, 4);
    else
        memcpy(address.bytes, request->address, 16);
    return address;
}
