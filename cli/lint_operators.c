/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pods that are in no manifest because an operator creates them: what a custom resource states
 * about them, and the labels that give them away. A Service that selects such pods is not a
 * mistake.
 */
#include <string.h>

#include "lib/manifest/decode.h"
#include "lint.h"

/* Groups whose resources are about pods of others. */
static const char *const about_others[] = {
    "istio.io",      "cert-manager.io", "traefik.io",          "traefik.containo.us",
    "bitnami.com",   "kyverno.io",      "external-secrets.io", "projectcalico.org",
    "gatekeeper.sh", "cilium.io",       "linkerd.io",          "keda.sh",
    "metallb.io",
};
static const char *const kinds_about_others[] = {
    "ServiceMonitor", "PodMonitor", "PrometheusRule", "Probe", NULL,
};

/* Does the domain end in this one? */
static bool is_in(const char *domain, size_t length, const char *end)
{
    size_t n = strlen(end);
    return length >= n && strncmp(domain + length - n, end, n) == 0 &&
           (length == n || domain[length - n - 1] == '.');
}

static bool is_kubernetes(const char *domain, size_t length)
{
    return is_in(domain, length, "k8s.io") || is_in(domain, length, "kubernetes.io") ||
           is_in(domain, length, "helm.sh");
}

static bool is_custom(const char *version, const char *kind)
{
    const char *slash = strchr(version, '/');
    size_t length = slash ? (size_t)(slash - version) : 0;
    if (length == 0 || !memchr(version, '.', length) || is_kubernetes(version, length) ||
        g_strv_contains(kinds_about_others, kind))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(about_others); i++)
        if (is_in(version, length, about_others[i]))
            return false;
    return true;
}

static const struct yaml_node *dig(const struct yaml_node *map, const char *const keys[])
{
    for (; *keys && map; keys++)
        map = map->type == YAML_NODE_MAP ? yaml_node_get(map, *keys) : NULL;
    return map && map->type == YAML_NODE_MAP ? map : NULL;
}

static const struct labels *read_labels(const struct yaml_node *map)
{
    g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(struct label));
    for (const struct yaml_node *child = map->first; child; child = child->next) {
        struct label pair = {.key = child->key, .value = decode_peek(map, child->key)};
        if (pair.value && pairs->len < DECODE_LABELS_MAX)
            g_array_append_val(pairs, pair);
    }
    return pairs->len > 0 ? labels_new((const struct label *)(void *)pairs->data, pairs->len)
                          : NULL;
}

struct maker *lint_maker(const struct yaml_node *root)
{
    static const char *const places[][6] = {
        {"spec", "template", "metadata", "labels", NULL},
        {"spec", "podTemplate", "metadata", "labels", NULL},
        {"spec", "podMetadata", "labels", NULL},
        {"metadata", "labels", NULL},
    };
    const char *version = decode_peek(root, "apiVersion"), *kind = decode_peek(root, "kind");
    const struct yaml_node *metadata = dig(root, (const char *const[]){"metadata", NULL});
    const char *name = metadata ? decode_peek(metadata, "name") : NULL;
    if (!version || !kind || !name || !is_custom(version, kind))
        return NULL;
    struct maker *maker = g_new0(struct maker, 1);
    maker->ns = g_strdup(decode_peek(metadata, "namespace"));
    maker->name = g_strdup(name);
    for (size_t i = 0, n = 0; i < G_N_ELEMENTS(places); i++) {
        const struct yaml_node *labels = dig(root, places[i]);
        if (labels && (maker->labels[n] = read_labels(labels)))
            n++;
    }
    return maker;
}

bool lint_is_operated(const struct labels *selector)
{
    for (uint32_t i = 0; i < selector->n; i++) {
        const char *key = selector->pairs[i].key, *slash = strchr(key, '/');
        if (slash && !is_kubernetes(key, (size_t)(slash - key)))
            return true;
        if (strcmp(key, "app.kubernetes.io/managed-by") == 0 &&
            strstr(selector->pairs[i].value, "operator"))
            return true;
    }
    return false;
}
