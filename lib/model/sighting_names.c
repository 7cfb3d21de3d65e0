/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podman names the pods of a Deployment NAME-pod-0, NAME-pod-1 (4.x) or runs one alone as NAME-pod
 * (5.x), like those of a DaemonSet or a Job, and does not record their namespace. Elsewhere
 * controllers draw names at random, kubelet appends the node's name to those of static pods, and
 * the namespace is known.
 */
#include "sighting_names.h"

#include <string.h>

#include "workload.h"

#define PODMAN_END "-pod"
#define DRAWN 5u /* characters */

static void add(size_t lengths[], unsigned *n, size_t length)
{
    length = MIN(length, SIGHTING_STEM_MAX);
    for (unsigned i = 0; i < *n; i++)
        if (lengths[i] == length)
            return;
    if (length > 0 && *n < SIGHTING_STEMS_MAX)
        lengths[(*n)++] = length;
}

/* Where the first `length` characters of the name lose their last dash and what follows; 0: they
 * have none. */
static size_t last_dash(const char *name, size_t length)
{
    const char *dash = memrchr(name, '-', length);
    return dash ? (size_t)(dash - name) : 0;
}

static bool ends_with(const char *text, size_t length, const char *end)
{
    size_t n = strlen(end);
    return length > n && memcmp(text + length - n, end, n) == 0;
}

unsigned sighting_stems(const struct sighting *sighting, const char *node,
                        size_t lengths[static SIGHTING_STEMS_MAX])
{
    const char *name = sighting->name;
    size_t length = strlen(name), dash = last_dash(name, length);
    unsigned n = 0;
    add(lengths, &n, length);
    add(lengths, &n, dash); /* a StatefulSet's; NAME-pod; drawn by a DaemonSet or its like */
    if (!sighting->ns) {
        if (dash > 0 && ends_with(name, dash, PODMAN_END))
            add(lengths, &n, dash - strlen(PODMAN_END));
        return n;
    }
    if (node && ends_with(name, length, node))
        add(lengths, &n, last_dash(name, length - strlen(node)));
    add(lengths, &n, last_dash(name, dash)); /* drawn by a Deployment or an indexed Job */
    if (length > DRAWN)
        add(lengths, &n, length - DRAWN); /* cut right before what was drawn */
    return n;
}

/* `text` is a number less than `end`. */
static int64_t parse_index(const char *text, uint64_t end)
{
    uint64_t index;
    return ordinal_parse(text, &index) && index < end ? (int64_t)index : SIGHTING_NO_SEAT;
}

static int64_t seat_of_pod(const struct sighting *sighting, const char *end, const char *node)
{
    bool is_static = sighting->ns && node && *end == '-' && strcmp(end + 1, node) == 0;
    return *end == '\0' || is_static ? 0 : SIGHTING_NO_SEAT;
}

static int64_t seat_of_stateful_set(const struct holder *holder, const char *end)
{
    uint64_t first = holder->pods.ordinal;
    int64_t ordinal = *end == '-' ? parse_index(end + 1, first + holder->pods.n) : SIGHTING_NO_SEAT;
    return ordinal >= (int64_t)first ? ordinal - (int64_t)first : SIGHTING_NO_SEAT;
}

static int64_t seat_in_podman(const struct holder *holder, const char *end)
{
    if (strncmp(end, PODMAN_END, strlen(PODMAN_END)) != 0 ||
        holder->key.kind == OBJECT_REPLICA_SET || holder->key.kind == OBJECT_REPLICATION_CONTROLLER)
        return SIGHTING_NO_SEAT;
    end += strlen(PODMAN_END);
    if (*end == '\0')
        return 0;
    return *end == '-' && holder->key.kind == OBJECT_DEPLOYMENT
               ? parse_index(end + 1, holder->pods.n)
               : SIGHTING_NO_SEAT;
}

/* An indexed Job's pods say which they are before what is drawn. */
static int64_t seat_of_drawn(const struct sighting *sighting, const struct holder *holder)
{
    const struct workload like = {
        .object = {.kind = holder->key.kind, .name = holder->key.name},
        .indexed = holder->pods.indexed,
    };
    if (!workload_makes_name(&like, holder->pods.n, sighting->name))
        return SIGHTING_NO_SEAT;
    size_t start = strlen(holder->key.name) + 1, end = strlen(sighting->name) - DRAWN - 1;
    if (!holder->pods.indexed || start >= end || sighting->name[end] != '-')
        return SIGHTING_ANY_SEAT;
    g_autofree char *index = g_strndup(sighting->name + start, end - start);
    return parse_index(index, holder->pods.n);
}

int64_t sighting_seat(const struct sighting *sighting, const struct holder *holder,
                      const char *node)
{
    size_t length = strlen(holder->key.name);
    if (sighting->ns && sighting->ns != holder->key.ns)
        return SIGHTING_NO_SEAT;
    bool is_drawn =
        sighting->ns && holder->key.kind != OBJECT_POD && holder->key.kind != OBJECT_STATEFUL_SET;
    if (is_drawn)
        return seat_of_drawn(sighting, holder);
    if (strncmp(sighting->name, holder->key.name, length) != 0)
        return SIGHTING_NO_SEAT;
    const char *end = sighting->name + length;
    switch ((enum object_kind)holder->key.kind) {
    case OBJECT_POD: return seat_of_pod(sighting, end, node);
    case OBJECT_STATEFUL_SET: return seat_of_stateful_set(holder, end);
    default: return seat_in_podman(holder, end);
    }
}
