/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names as a program types them. The locale is ignored: in tr_TR.UTF-8 strcasecmp("I", "i") is not
 * 0, and a name must not depend on the caller's language. The checks for "can it be ours" come
 * before the first system call of a lookup, because every lookup of the host passes through them;
 * they need neither configuration nor memory, and so know the default zone only.
 */
#include "name.h"

#include <string.h>

/* The most labels in a name of the search list: port, protocol, service, namespace. */
#define UNQUALIFIED_LABELS_MAX 4u

static bool letter_is_valid(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static bool label_is_valid(const char *label, size_t length)
{
    if (length < 1 || length > KUBESVC_LABEL_MAX || label[0] == '-')
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!letter_is_valid(label[i]))
            return false;
    }
    return true;
}

/* Bytes before the first dot at or after `start`, or before the end. */
static size_t label_length(const char *name, size_t length, size_t start)
{
    const char *dot = memchr(name + start, '.', length - start);

    return (dot ? (size_t)(dot - name) : length) - start;
}

bool name_is_valid(const char *name, size_t length)
{
    if (length < 1 || length > KUBESVC_NAME_MAX)
        return false;
    /* `start` reaches `length` only after a final dot: the empty label there is rejected too. */
    for (size_t start = 0; start <= length;) {
        size_t label = label_length(name, length, start);

        if (!label_is_valid(name + start, label))
            return false;
        start += label + 1;
    }
    return true;
}

bool name_is_namespace(const char *text, size_t length)
{
    const char *at = memchr(text, '@', length);
    size_t label = at ? (size_t)(at - text) : length;

    return name_is_valid(text, label) && !memchr(text, '.', label) &&
           (!at || name_is_valid(at + 1, length - label - 1));
}

bool name_equal(const char *a, size_t a_length, const char *b, size_t b_length)
{
    if (a_length != b_length)
        return false;
    for (size_t i = 0; i < a_length; i++) {
        if (name_fold(a[i]) != name_fold(b[i]))
            return false;
    }
    return true;
}

bool name_has_suffix(const char *name, size_t length, const char *suffix, size_t suffix_length)
{
    if (length < suffix_length)
        return false;
    size_t start = length - suffix_length;

    return (start == 0 || name[start - 1] == '.') &&
           name_equal(name + start, suffix_length, suffix, suffix_length);
}

static bool name_is_in_default_zone(const char *name, size_t length)
{
    return name_has_suffix(name, length, KUBESVC_DEFAULT_ZONE, strlen(KUBESVC_DEFAULT_ZONE));
}

bool name_is_reserved(const char *name, size_t length)
{
    /* A host that is called just `svc` stays reachable: it does not end in `.svc`. */
    if (length > strlen("svc") && name_has_suffix(name, length, "svc", strlen("svc")))
        return true;
    return name_is_in_default_zone(name, length);
}

bool name_may_be_ours(const char *name, size_t length)
{
    size_t labels = 0;

    if (name_equal(name, length, "localhost", strlen("localhost")))
        return false;
    for (size_t start = 0; start < length;) {
        size_t label = label_length(name, length, start);

        if (name_equal(name + start, label, "svc", strlen("svc")) ||
            name_equal(name + start, label, "pod", strlen("pod")))
            return true;
        labels++;
        start += label + 1;
    }
    return labels <= UNQUALIFIED_LABELS_MAX || name_is_in_default_zone(name, length);
}
