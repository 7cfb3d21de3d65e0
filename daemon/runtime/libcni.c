/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cached results of network plugins, under containerd, CRI-O and k3s: namespace, name and
 * addresses of a pod in one JSON file.
 */
#include <string.h>
#include <yajl/yajl_tree.h>

#include "parse.h"

#define KIND "cniCacheV1"
#define FIRST_INTERFACE "eth0" /* of a pod, in the kubelet's networks */
#define DEPTH_MAX 64u          /* yajl frees a tree by recursion */

static yajl_val get(yajl_val root, const char *key, yajl_type type)
{
    const char *path[] = {key, NULL};

    return YAJL_IS_OBJECT(root) ? yajl_tree_get(root, path, type) : NULL;
}

static const char *text_of(yajl_val value)
{
    return YAJL_IS_STRING(value) && *YAJL_GET_STRING(value) ? YAJL_GET_STRING(value) : NULL;
}

static const char *text_at(yajl_val root, const char *key)
{
    return text_of(get(root, key, yajl_t_string));
}

static size_t length_of(yajl_val list)
{
    return YAJL_IS_ARRAY(list) ? list->u.array.len : 0;
}

/* cniArgs: [["K8S_POD_NAME", "web-0"], ...] */
static const char *argument(yajl_val root, const char *wanted)
{
    yajl_val arguments = get(root, "cniArgs", yajl_t_array);

    for (size_t i = 0; i < length_of(arguments); i++) {
        yajl_val pair = arguments->u.array.values[i];
        if (length_of(pair) == 2 && g_strcmp0(text_of(pair->u.array.values[0]), wanted) == 0)
            return text_of(pair->u.array.values[1]);
    }
    return NULL;
}

/* "10.42.0.7/24" */
static bool add_address(struct sighting *sighting, const char *text)
{
    struct address address;

    if (!text || !address_parse(&address, text, strcspn(text, "/")))
        return false;
    sighting_add(sighting, &address);
    return true;
}

/* Returns false if an address is invalid. Before version 0.3 of the specification, results had one
 * address of each family, under the keys ip4 and ip6. */
static bool add_addresses(struct sighting *sighting, yajl_val result)
{
    static const char *const old[] = {"ip4", "ip6"};
    yajl_val ips = get(result, "ips", yajl_t_array);
    bool good = true;

    for (size_t i = 0; i < length_of(ips); i++)
        good &= add_address(sighting, text_at(ips->u.array.values[i], "address"));
    for (size_t i = 0; i < G_N_ELEMENTS(old); i++) {
        yajl_val ip = get(result, old[i], yajl_t_object);
        if (ip)
            good &= add_address(sighting, text_at(ip, "ip"));
    }
    return good;
}

/* Returns false if an address is invalid. */
static bool add_sighting(yajl_val root, char *const *networks, int64_t since, GPtrArray *sightings)
{
    const char *ns = argument(root, "K8S_POD_NAMESPACE");
    const char *name = argument(root, "K8S_POD_NAME"), *network = text_at(root, "networkName");

    if (!ns || !name ||
        (networks && (!network || !g_strv_contains((const char *const *)networks, network))))
        return true;
    struct sighting *sighting = sighting_new(RUNTIME_CNI, ns, name, network);
    sighting->since = since;
    sighting->secondary = g_strcmp0(text_at(root, "ifName"), FIRST_INTERFACE) != 0;
    bool good = add_addresses(sighting, get(root, "result", yajl_t_object));
    if (good && sighting->n_addresses > 0)
        g_ptr_array_add(sightings, sighting);
    else
        sighting_free(sighting);
    return good;
}

/* A bound on the nesting. yajl would allow comments, which could hide quotes; JSON has none. */
static bool is_shallow(const char *text)
{
    unsigned depth = 0;
    bool quoted = false;

    for (; *text && depth <= DEPTH_MAX; text++) {
        if (quoted && *text == '\\' && text[1] != '\0')
            text++;
        else if (*text == '"')
            quoted = !quoted;
        else if (quoted)
            continue;
        else if (*text == '/')
            return false;
        else if (*text == '[' || *text == '{')
            depth++;
        else if ((*text == ']' || *text == '}') && depth > 0)
            depth--;
    }
    return depth <= DEPTH_MAX;
}

/* Files are written in place: one without its closing brace is still being written. */
static bool is_whole(const struct runtime_text *text)
{
    size_t end = text->length;

    while (end > 0 && g_ascii_isspace(text->text[end - 1]))
        end--;
    return end > 0 && text->text[end - 1] == '}';
}

int libcni_parse(const struct runtime_text *text, char *const *networks, GPtrArray *sightings,
                 char **problemp)
{
    if (!is_whole(text))
        return PARSE_PARTIAL;
    yajl_val root = is_shallow(text->text) ? yajl_tree_parse(text->text, NULL, 0) : NULL;
    bool known = g_strcmp0(text_at(root, "kind"), KIND) == 0;
    bool good = known && add_sighting(root, networks, text->since, sightings);
    yajl_tree_free(root);
    if (good)
        return PARSE_DONE;
    *problemp = g_strdup(known ? "holds an invalid address" : "is not a result cached by libcni");
    return PARSE_BAD;
}
