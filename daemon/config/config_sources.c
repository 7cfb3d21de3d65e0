/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sources: [podman, {kubelet: {node: worker-1}}]. One table lists the options of each runtime.
 */
#include "config_sources.h"

#include <string.h>

#include "config_fields.h"
#include "config_values.h"

static const char *const words[] = {"podman", "cni", "kubelet", "k3s", "quadlet", NULL};
G_STATIC_ASSERT(G_N_ELEMENTS(words) - 1 == CONFIG_RUNTIMES);

static const char *const keys[CONFIG_RUNTIMES][6] = {
    [CONFIG_PODMAN] = {"directory", "networks", NULL},
    [CONFIG_CNI] = {"directory", "networks", "node", NULL},
    [CONFIG_KUBELET] = {"directory", "logs", "node", NULL},
    [CONFIG_K3S] = {"directory", "networks", "node", "manifests", NULL},
    [CONFIG_QUADLET] = {"directory", NULL},
};

const char *config_runtime_name(enum config_runtime runtime)
{
    return words[runtime];
}

void config_source_free(gpointer userdata)
{
    struct config_source *source = userdata;

    g_free(source->directory);
    g_free(source->logs);
    g_free(source->manifests);
    g_free(source->node);
    g_strfreev(source->networks);
    g_free(source);
}

/* A network's name is a file name, or part of one. */
static const char *parse_network(const char *text, char **networkp)
{
    if (*text == '\0' || strchr(text, '/'))
        return "must be names of networks";
    *networkp = g_strdup(text);
    return NULL;
}

static struct config_source *add_source(struct config *config, struct fields *fields,
                                        struct position position, const char *word)
{
    for (enum config_runtime runtime = 0; runtime < CONFIG_RUNTIMES; runtime++) {
        if (strcmp(words[runtime], word) != 0)
            continue;
        struct config_source *source = g_new0(struct config_source, 1);
        source->runtime = runtime;
        g_ptr_array_add(config->sources, source);
        return source;
    }
    g_autofree char *suggestion = config_suggest(word, words);
    fields_error(fields, position, "bad-value",
                 "unknown source \"%.64s\"; known are podman, cni, kubelet, k3s and quadlet%s",
                 word, suggestion);
    return NULL;
}

static void read_keys(struct config_source *source, struct fields *fields,
                      const struct yaml_node *map)
{
    if (!config_check_keys(fields, map, keys[source->runtime]))
        return;
    config_replace_text(fields, map, "directory", config_parse_path, &source->directory);
    config_replace_text(fields, map, "logs", config_parse_path, &source->logs);
    config_replace_text(fields, map, "manifests", config_parse_path, &source->manifests);
    config_replace_text(fields, map, "node", config_parse_name, &source->node);
    config_replace_strv(fields, map, "networks", parse_network, &source->networks);
}

/* "- podman" or "- podman: {networks: [a]}" */
static void read_source(struct config *config, struct fields *fields, const struct yaml_node *node)
{
    const struct yaml_node *keyed = node->type == YAML_NODE_MAP ? node->first : NULL, *map;
    struct config_source *source;
    const char *word;

    if (node->type == YAML_NODE_MAP && (!keyed || keyed->next)) {
        fields_error(fields, node->position, "bad-value",
                     "a source is a word such as podman, or a mapping of that word alone");
        return;
    }
    word = keyed ? keyed->key : fields_text(fields, node, "sources");
    source = word ? add_source(config, fields, node->position, word) : NULL;
    map = source && keyed ? fields_map(fields, node, word) : NULL;
    if (map)
        read_keys(source, fields, map);
}

void config_sources_read(struct config *config, struct fields *fields, const struct yaml_node *root)
{
    const struct yaml_node *list = fields_list(fields, root, "sources");

    if (!list)
        return;
    g_ptr_array_set_size(config->sources, 0);
    for (const struct yaml_node *node = list->first; node; node = node->next)
        read_source(config, fields, node);
}
