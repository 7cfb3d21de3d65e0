/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A real lookup, with the module's own code: what it takes is what programs pay, and for a name
 * that leads out of the zone it makes the daemon find out where to.
 */
#include "lookup_time.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

#include "lib/resolve/name.h"
#include "nss/query.h"

static bool make_question(struct query_question *question, const char *name, const char *family)
{
    size_t length = strlen(name);
    *question = (struct query_question){.type = KUBESVC_REQUEST_ADDRESS};
    if (inet_pton(AF_INET, name, question->address) == 1) {
        question->family = KUBESVC_FAMILY_INET;
        return true;
    }
    if (inet_pton(AF_INET6, name, question->address) == 1) {
        question->family = KUBESVC_FAMILY_INET6;
        return true;
    }
    bool dot = length > 0 && name[length - 1] == '.';
    *question = (struct query_question){
        .type = KUBESVC_REQUEST_NAME,
        .family = strcmp(family, "inet") == 0    ? KUBESVC_FAMILY_INET
                  : strcmp(family, "inet6") == 0 ? KUBESVC_FAMILY_INET6
                                                 : KUBESVC_FAMILY_ANY,
        .name = name,
        .name_length = length,
    };
    return name_is_valid(name, length - dot);
}

double lookup_time(const char *name, const char *family)
{
    struct query_question question;
    struct query_answer answer;
    if (!make_question(&question, name, family))
        return -1;
    gint64 start = g_get_monotonic_time();
    __attribute__((cleanup(connection_close))) struct connection connection = connection_new(NULL);
    /* Room for all: an answer that withholds its addresses would be quicker than the real one. */
    if (query_ask(&connection, &question, KUBESVC_ADDRESSES_MAX, &answer) != CONNECTION_OK)
        return -1;
    size_t size = answer.names_size + 4 * (size_t)answer.inet + 16 * (size_t)answer.inet6;
    g_autofree char *rest = g_malloc(size);
    if (connection_receive(&connection, rest, size) != CONNECTION_OK)
        return -1;
    return (double)(g_get_monotonic_time() - start) / 1000;
}
