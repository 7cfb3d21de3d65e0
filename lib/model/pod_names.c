/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The names that controllers give to pods. A StatefulSet counts them; the others ask the API server
 * to generate one: the workload's name (a Deployment's ReplicaSet adds a hash, an indexed Job an
 * index), cut to what leaves room, and five random characters.
 */
#include <stdio.h>
#include <string.h>

#include "workload.h"

/* Kubernetes draws hashes and random suffixes from these, which spell no words. */
#define SAFE "bcdfghjklmnpqrstvwxz2456789"
#define DIGITS "0123456789"
#define RANDOM_LENGTH 5u
#define BASE_MAX 58u /* with the random suffix: a DNS label */
#define HASH_MIN 8u
#define HASH_MAX 10u
#define LABEL_MAX 63u
#define ORDINAL_MAX UINT64_C(9999999999) /* ten digits */

bool ordinal_parse(const char *text, uint64_t *ordinal)
{
    guint64 value;
    bool is_ordinal = (text[0] != '0' || text[1] == '\0') &&
                      g_ascii_string_to_unsigned(text, 10, 0, ORDINAL_MAX, &value, NULL);
    if (is_ordinal)
        *ordinal = value;
    return is_ordinal;
}

static bool is_ordinal_name(const struct workload *workload, uint32_t replicas, const char *pod)
{
    size_t length = strlen(workload->object.name);
    uint64_t ordinal;
    return strncmp(pod, workload->object.name, length) == 0 && pod[length] == '-' &&
           ordinal_parse(pod + length + 1, &ordinal) && ordinal >= workload->ordinal &&
           ordinal - workload->ordinal < replicas;
}

/* What is between the workload's name and the random suffix, including its own "-". */
static bool is_middle(const struct workload *workload, const char *text, size_t length, bool cut)
{
    size_t n = 0;
    bool complete = true;
    if (workload->object.kind == OBJECT_DEPLOYMENT) {
        n = MIN(strspn(text, SAFE), length);
        complete = n >= HASH_MIN;
        if (n > HASH_MAX)
            return false;
    } else if (workload->indexed) {
        n = MIN(strspn(text, DIGITS), length);
        complete = n > 0;
        if (n > 1 && text[0] == '0')
            return false;
    } else {
        return length == 0;
    }
    return n == length ? cut : complete && length == n + 1 && text[n] == '-';
}

static bool is_generated_name(const struct workload *workload, const char *pod)
{
    size_t length = strlen(pod), name_length = strlen(workload->object.name);
    if (length <= RANDOM_LENGTH || strspn(pod + length - RANDOM_LENGTH, SAFE) != RANDOM_LENGTH)
        return false;
    length -= RANDOM_LENGTH;
    if (length > BASE_MAX)
        return false;
    bool cut = length == BASE_MAX;
    if (length <= name_length)
        return cut && strncmp(pod, workload->object.name, length) == 0;
    return strncmp(pod, workload->object.name, name_length) == 0 && pod[name_length] == '-' &&
           is_middle(workload, pod + name_length + 1, length - name_length - 1, cut);
}

bool workload_makes_name(const struct workload *workload, uint32_t replicas, const char *pod)
{
    switch ((enum object_kind)workload->object.kind) {
    case OBJECT_STATEFUL_SET: return is_ordinal_name(workload, replicas, pod);
    case OBJECT_CRON_JOB: return false;
    default: return is_generated_name(workload, pod);
    }
}

uint32_t workload_nameable(const struct workload *workload, uint32_t replicas)
{
    size_t length = strlen(workload->object.name) + 1;
    if (workload->object.kind != OBJECT_STATEFUL_SET && !workload->indexed)
        return replicas;
    if (strchr(workload->object.name, '.') || length >= LABEL_MAX)
        return 0;
    uint64_t end = 1; /* the first ordinal that is too long */
    for (size_t digits = LABEL_MAX - length; digits > 0 && end <= UINT32_MAX; digits--)
        end *= 10;
    return workload->ordinal >= end ? 0 : (uint32_t)MIN(replicas, end - workload->ordinal);
}
