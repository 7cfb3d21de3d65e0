/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every network plugin's result is cached as, under containerd, CRI-O and k3s: namespace, name
 * and addresses of a pod in one file. Read as a manifest is, by the same reader and its limits.
 */
#include <string.h>

#include "lib/yaml/composer.h"
#include "lib/yaml/input.h"
#include "lib/yaml/reader.h"
#include "parse.h"

#define KIND "cniCacheV1"
#define FIRST_INTERFACE "eth0" /* of a pod, as the kubelet's networks name it */

struct libcni {
    const struct runtime_text *text;
    size_t at; /* read so far */
    char *const *networks;
    GPtrArray *sightings;
    bool known; /* it is a cached result */
    bool bad;   /* with something in it that is none */
};

static const char *text_of(const struct node *node)
{
    return node && node->type == NODE_SCALAR && *node->text ? node->text : NULL;
}

static const struct node *list_of(const struct node *map, const char *key)
{
    const struct node *list = map && map->type == NODE_MAP ? node_get(map, key) : NULL;

    return list && list->type == NODE_LIST ? list->first : NULL;
}

/* cniArgs: [["K8S_POD_NAME", "web-0"], ...] */
static const char *argument(const struct node *document, const char *wanted)
{
    for (const struct node *pair = list_of(document, "cniArgs"); pair; pair = pair->next) {
        const struct node *key = pair->type == NODE_LIST ? pair->first : NULL;

        if (key && g_strcmp0(text_of(key), wanted) == 0)
            return text_of(key->next);
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

static const struct node *map_of(const struct node *map, const char *key)
{
    const struct node *value = map && map->type == NODE_MAP ? node_get(map, key) : NULL;

    return value && value->type == NODE_MAP ? value : NULL;
}

/* False: there is one that is none. Results before version 0.3 of the specification have one of
 * each family under names of their own. */
static bool add_addresses(struct sighting *sighting, const struct node *result)
{
    static const char *const old[] = {"ip4", "ip6"};
    bool good = true;

    for (const struct node *ip = list_of(result, "ips"); ip; ip = ip->next)
        good &= ip->type == NODE_MAP && add_address(sighting, text_of(node_get(ip, "address")));
    for (size_t i = 0; i < G_N_ELEMENTS(old); i++) {
        const struct node *ip = map_of(result, old[i]);

        if (ip)
            good &= add_address(sighting, text_of(node_get(ip, "ip")));
    }
    return good;
}

static void on_document(void *userdata, const struct node *document)
{
    struct libcni *libcni = userdata;

    if (!document || g_strcmp0(text_of(node_get(document, "kind")), KIND) != 0)
        return;
    libcni->known = true;
    const char *namespace = argument(document, "K8S_POD_NAMESPACE");
    const char *name = argument(document, "K8S_POD_NAME");
    const char *network = text_of(node_get(document, "networkName"));
    if (!namespace || !name ||
        (libcni->networks &&
         (!network || !g_strv_contains((const char *const *)libcni->networks, network))))
        return;
    struct sighting *sighting = sighting_new(RUNTIME_CNI, namespace, name, network);
    sighting->since = libcni->text->since;
    sighting->secondary = g_strcmp0(text_of(node_get(document, "ifName")), FIRST_INTERFACE) != 0;
    libcni->bad = !add_addresses(sighting, map_of(document, "result"));
    if (libcni->bad || sighting->n_addresses == 0)
        sighting_free(sighting);
    else
        g_ptr_array_add(libcni->sightings, sighting);
}

static ssize_t read_text(void *userdata, void *buffer, size_t size)
{
    struct libcni *libcni = userdata;
    size_t n = MIN(size, libcni->text->length - libcni->at);

    memcpy(buffer, libcni->text->text + libcni->at, n);
    libcni->at += n;
    return (ssize_t)n;
}

static void free_diagnostic(gpointer diagnostic)
{
    diagnostic_free(diagnostic);
}

/* Written in place, so what ends too early is being written. */
int libcni_parse(const struct runtime_text *text, char *const *networks, GPtrArray *sightings,
                 char **problemp)
{
    struct libcni libcni = {.text = text, .networks = networks, .sightings = sightings};
    const struct composer_callbacks callbacks = {.document = on_document, .userdata = &libcni};
    g_autoptr(GPtrArray) diagnostics = g_ptr_array_new_with_free_func(free_diagnostic);
    size_t end = text->length;

    while (end > 0 && g_ascii_isspace(text->text[end - 1]))
        end--;
    if (end == 0 || text->text[end - 1] != '}')
        return PARSE_PARTIAL;
    struct input *input = g_new0(struct input, 1);
    struct composer *composer = composer_new(&callbacks, diagnostics);
    input_init(input, read_text, &libcni, text->length + 1);
    int r = reader_run(input, composer);
    composer_free(composer);
    input_clear(input);
    g_free(input);
    if (r == READER_DONE && libcni.known && !libcni.bad)
        return PARSE_DONE;
    *problemp =
        g_strdup(libcni.bad ? "holds an invalid address" : "is not a result cached by libcni");
    return PARSE_BAD;
}
