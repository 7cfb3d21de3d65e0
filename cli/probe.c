/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Real lookups, with the module's own code: their time is what programs pay, and for a name that
 * leads out of the zone they make the daemon query the target.
 */
#include "probe.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

#include "lib/resolve/name.h"
#include "nss/host_lookup.h"

#define LOOKUPS_TO_MAP 2 /* a process maps the snapshot at its second lookup */
#define BUFFER_FIRST ((size_t)4 << 10)
#define BUFFER_MAX ((size_t)16 << 20)

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
    question->namespace_length = query_namespace(question->ns);
    return name_is_valid(name, length - dot);
}

/* Room for the answer, which may be as large as the protocol lets it be. */
static bool run(const struct query_question *question, struct host_lookup *lookup)
{
    enum outcome outcome = OUTCOME_TOO_SMALL;
    for (size_t size = BUFFER_FIRST; outcome == OUTCOME_TOO_SMALL && size <= BUFFER_MAX;
         size *= 4) {
        g_autofree char *buffer = g_malloc(size);
        *lookup = (struct host_lookup){
            .question = *question,
            .buffer = pack_buffer_new(buffer, size),
            .counts.form = PACK_TUPLES,
            .reserved = true,
        };
        outcome = host_lookup_run(lookup);
    }
    return outcome <= OUTCOME_NOT_OURS;
}

/* Negative if there is no answer. */
static double milliseconds(const struct query_question *question, bool *by_map)
{
    struct host_lookup lookup;
    gint64 start = g_get_monotonic_time();
    bool answered = run(question, &lookup);
    *by_map = lookup.by_map;
    return answered ? (double)(g_get_monotonic_time() - start) / 1000 : -1;
}

/* As a process's first lookup does, whatever this process has mapped. */
static double by_socket(const struct query_question *question)
{
    struct query_answer answer;
    gint64 start = g_get_monotonic_time();
    __attribute__((cleanup(connection_close))) struct connection connection = connection_new(NULL);
    /* Room for all: an answer that withholds its addresses would be quicker than the real one. */
    if (query_ask(&connection, question, KUBESVC_ADDRESSES_MAX, &answer) != CONNECTION_OK)
        return -1;
    size_t size = answer.names_size + 4 * (size_t)answer.inet + 16 * (size_t)answer.inet6;
    g_autofree char *rest = g_malloc(size);
    if (connection_receive(&connection, rest, size) != CONNECTION_OK)
        return -1;
    return (double)(g_get_monotonic_time() - start) / 1000;
}

struct probe probe_measure(const char *name, const char *family)
{
    struct query_question question;
    struct probe time = {.first = -1, .later = -1};
    if (!make_question(&question, name, family))
        return time;
    time.first = by_socket(&question);
    if (time.first < 0)
        return time;
    for (int i = 0; i < LOOKUPS_TO_MAP && !time.by_map; i++)
        time.later = milliseconds(&question, &time.by_map);
    if (time.by_map)
        time.later = milliseconds(&question, &time.by_map); /* without what mapping took */
    return time;
}
