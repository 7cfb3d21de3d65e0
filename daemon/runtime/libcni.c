/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cached results of network plugins, under containerd, CRI-O and k3s: namespace, name and
 * addresses of a pod in one JSON file. Each pod has such a file, and little in it is wanted, so no
 * tree is made of it: of each text, the keys that lead to it tell whether it is. Most of a file is
 * one text, the configuration of the network in base64, which the parser does not get to see.
 */
#include <string.h>
#include <yajl/yajl_parse.h>

#include "lib/model/labels.h"
#include "parse.h"

#define KIND_KNOWN "cniCacheV1"
#define FIRST_INTERFACE "eth0" /* of a pod, in the kubelet's networks */
#define DEPTH_MAX 64u
#define DEPTH_WANTED 4u /* result, ips, its elements, address */
#define TEXT_MAX 512u   /* bytes: no name and no address is longer */

/* Keys, and names of arguments. Before version 0.3 of the specification, results had one address of
 * each family, under ip4 and ip6. */
enum word {
    OTHER,
    KIND,
    INTERFACE,
    NETWORK,
    ARGUMENTS,
    NAMESPACE,
    NAME,
    RESULT,
    IPS,
    ADDRESS,
    IP4,
    IP6,
    IP,
    WORDS
};

#define TEXT(text) (text), sizeof(text) - 1

static const struct {
    const char *text;
    size_t length;
} words[WORDS] = {
    [OTHER] = {TEXT("")},
    [KIND] = {TEXT("kind")},
    [INTERFACE] = {TEXT("ifName")},
    [NETWORK] = {TEXT("networkName")},
    [ARGUMENTS] = {TEXT("cniArgs")},
    [NAMESPACE] = {TEXT("K8S_POD_NAMESPACE")},
    [NAME] = {TEXT("K8S_POD_NAME")},
    [RESULT] = {TEXT("result")},
    [IPS] = {TEXT("ips")},
    [ADDRESS] = {TEXT("address")},
    [IP4] = {TEXT("ip4")},
    [IP6] = {TEXT("ip6")},
    [IP] = {TEXT("ip")},
};

struct cni_result {
    struct sighting *sighting;
    bool known;                       /* the kind of file is */
    unsigned depth;                   /* of nesting */
    enum word keys[DEPTH_WANTED + 1]; /* from 1, the outermost; OTHER in a list */
    enum word argument;               /* the next text is its value */
    unsigned interfaces;              /* that should have an address */
    unsigned addresses;               /* that are valid */
};

static bool is_text(const unsigned char *text, size_t length, const char *other,
                    size_t other_length)
{
    return length == other_length && memcmp(text, other, length) == 0;
}

static enum word word_of(const unsigned char *text, size_t length)
{
    enum word word = WORDS - 1;

    while (word > OTHER && !is_text(text, length, words[word].text, words[word].length))
        word--;
    return word;
}

static void set(const char **field, const unsigned char *text, size_t length)
{
    if (length == 0 || *text == '\0')
        return;
    name_unref(*field);
    *field = name_intern_bytes((const char *)text, length);
}

/* "10.42.0.7/24" */
static void add_address(struct cni_result *result, const unsigned char *text, size_t length)
{
    const unsigned char *slash = memchr(text, '/', length);
    struct address address;

    if (!address_parse(&address, (const char *)text, slash ? (size_t)(slash - text) : length))
        return;
    sighting_add(result->sighting, &address);
    result->addresses++;
}

/* cniArgs: [["K8S_POD_NAME", "web-0"], ...] */
static void add_argument(struct cni_result *result, const unsigned char *text, size_t length)
{
    switch (result->argument) {
    case NAMESPACE: set(&result->sighting->ns, text, length); break;
    case NAME: set(&result->sighting->name, text, length); break;
    default: result->argument = word_of(text, length); return;
    }
    result->argument = OTHER;
}

/* Is this an element of result.ips? */
static bool is_in_ips(const struct cni_result *result)
{
    return result->depth == 3 && result->keys[1] == RESULT && result->keys[2] == IPS;
}

/* Is this the value of result.ip4 or result.ip6, if `depth` is 2, or in it, if 3? */
static bool is_in_old(const struct cni_result *result, unsigned depth)
{
    return result->depth == depth && result->keys[1] == RESULT &&
           (result->keys[2] == IP4 || result->keys[2] == IP6);
}

static int on_text(void *userdata, const unsigned char *text, size_t length)
{
    struct cni_result *result = userdata;
    const enum word *keys = result->keys;

    result->interfaces += is_in_ips(result);
    if (result->depth == 1 && keys[1] == KIND)
        result->known = is_text(text, length, TEXT(KIND_KNOWN));
    else if (result->depth == 1 && keys[1] == INTERFACE)
        result->sighting->secondary = !is_text(text, length, TEXT(FIRST_INTERFACE));
    else if (result->depth == 1 && keys[1] == NETWORK)
        set(&result->sighting->network, text, length);
    else if (result->depth == 3 && keys[1] == ARGUMENTS)
        add_argument(result, text, length);
    else if (is_in_old(result, 3) && keys[3] == IP)
        add_address(result, text, length);
    else if (result->depth == 4 && keys[1] == RESULT && keys[2] == IPS && keys[4] == ADDRESS)
        add_address(result, text, length);
    return true;
}

static int on_key(void *userdata, const unsigned char *text, size_t length)
{
    struct cni_result *result = userdata;

    if (result->depth <= DEPTH_WANTED)
        result->keys[result->depth] = word_of(text, length);
    return true;
}

static int on_begin(void *userdata)
{
    struct cni_result *result = userdata;

    result->interfaces += is_in_ips(result) || is_in_old(result, 2);
    if (result->depth++ == DEPTH_MAX)
        return false;
    if (result->depth <= DEPTH_WANTED)
        result->keys[result->depth] = OTHER;
    result->argument = OTHER;
    return true;
}

static int on_end(void *userdata)
{
    struct cni_result *result = userdata;

    result->depth--;
    return true;
}

static int on_number(void *userdata, const char *text, size_t length)
{
    struct cni_result *result = userdata;

    (void)text, (void)length;
    result->interfaces += is_in_ips(result);
    return true;
}

/* Files are written in place: one without its closing brace is still being written. */
static bool is_whole(const struct runtime_text *text)
{
    size_t end = text->length;

    while (end > 0 && g_ascii_isspace(text->text[end - 1]))
        end--;
    return end > 0 && text->text[end - 1] == '}';
}

static bool parse_piece(yajl_handle parser, const char *at, const char *end)
{
    return yajl_parse(parser, (const unsigned char *)at, (size_t)(end - at)) == yajl_status_ok;
}

/* Parses it without what is between the quotes of long texts. If something is escaped, as it never
 * is in a name, an address or base64, only the parser knows which quotes end a text. */
static bool parse_rest(yajl_handle parser, const char *at, const char *end)
{
    bool plain = !memchr(at, '\\', (size_t)(end - at));
    const char *from = at, *quote;

    while (plain && (at = memchr(at, '"', (size_t)(end - at))) &&
           (quote = memchr(at + 1, '"', (size_t)(end - at - 1)))) {
        if ((size_t)(quote - at) > TEXT_MAX) {
            if (!parse_piece(parser, from, at + 1))
                return false;
            from = quote;
        }
        at = quote + 1;
    }
    return parse_piece(parser, from, end);
}

static bool parse(struct cni_result *result, const struct runtime_text *text)
{
    static const yajl_callbacks callbacks = {
        .yajl_number = on_number,
        .yajl_string = on_text,
        .yajl_map_key = on_key,
        .yajl_start_map = on_begin,
        .yajl_end_map = on_end,
        .yajl_start_array = on_begin,
        .yajl_end_array = on_end,
    };
    yajl_handle parser = yajl_alloc(&callbacks, NULL, result);
    bool good = parse_rest(parser, text->text, text->text + text->length) && result->depth == 0;

    yajl_free(parser);
    return good && result->known;
}

static bool is_chosen(const char *network, char *const *networks)
{
    return !networks || (network && g_strv_contains((const char *const *)networks, network));
}

int libcni_parse(const struct runtime_text *text, char *const *networks, GPtrArray *sightings,
                 char **problemp)
{
    if (!is_whole(text))
        return PARSE_PARTIAL;
    struct sighting *sighting = sighting_new(RUNTIME_CNI, NULL, NULL, NULL);
    struct cni_result result = {.sighting = sighting};
    sighting->since = text->since;
    sighting->secondary = true;
    bool known = parse(&result, text);
    bool wanted = known && sighting->ns && sighting->name && is_chosen(sighting->network, networks);
    bool good = known && (!wanted || result.addresses >= result.interfaces);
    if (good && wanted && sighting->n_addresses > 0)
        g_ptr_array_add(sightings, sighting);
    else
        sighting_free(sighting);
    if (good)
        return PARSE_DONE;
    *problemp = g_strdup(known ? "holds an invalid address" : "is not a result cached by libcni");
    return PARSE_BAD;
}
