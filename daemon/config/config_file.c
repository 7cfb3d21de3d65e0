/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads kubesvcd.yaml with the reader of the manifests, but strictly.
 */
#include "config_file.h"

#include <errno.h>
#include <string.h>

#include "config_dns.h"
#include "config_fields.h"
#include "config_sources.h"
#include "config_values.h"
#include "lib/yaml/document.h"
#include "lib/yaml/fields.h"
#include "lib/yaml/scalar.h"
#include <kubesvc/limits.h>

#define FILE_SIZE_MAX (1u << 20)
#define NDOTS_MAX 15 /* glibc's */

struct config_file {
    struct config *config;
    struct fields *fields;
    const char *path;
};

/* In the order of enum config_key. */
static const char *const keys[] = {"zone",
                                   "namespace",
                                   "manifests",
                                   "serviceCIDRs",
                                   "podCIDRs",
                                   "nodeIPs",
                                   "allocate",
                                   "pods",
                                   "namespaces",
                                   "fallthrough",
                                   "search",
                                   "ndots",
                                   "maxFileSize",
                                   "endpointPodNames",
                                   "ignoreEmptyService",
                                   "nameservers",
                                   "lookups",
                                   "proxy",
                                   "dns",
                                   "sources",
                                   NULL};
G_STATIC_ASSERT(G_N_ELEMENTS(keys) - 1 == CONFIG_SOCKET);
static const char *const directory_keys[] = {"path",     "recursive", "namespace",
                                             "allocate", "zone",      NULL};

const char *config_key_name(enum config_key key)
{
    return key < CONFIG_SOCKET ? keys[key] : key == CONFIG_SOCKET ? "socket" : "state";
}

struct config_directory *config_directory_new(char *path)
{
    struct config_directory *directory = g_new0(struct config_directory, 1);

    directory->path = path;
    return directory;
}

struct config_directory *config_directory_copy(const struct config_directory *directory)
{
    struct config_directory *copy = config_directory_new(g_strdup(directory->path));

    copy->ns = g_strdup(directory->ns);
    copy->zone = g_strdup(directory->zone);
    copy->recursive = directory->recursive;
    copy->skips = directory->skips;
    copy->allocate = directory->allocate;
    copy->allocate_given = directory->allocate_given;
    return copy;
}

void config_directory_free(gpointer userdata)
{
    struct config_directory *directory = userdata;

    g_free(directory->path);
    g_free(directory->ns);
    g_free(directory->zone);
    g_free(directory);
}

static bool lists_overlap(const GArray *a, const GArray *b)
{
    for (guint i = 0; i < a->len; i++) {
        for (guint j = a == b ? i + 1 : 0; j < b->len; j++) {
            if (address_ranges_overlap(&g_array_index(a, struct address_range, i),
                                       &g_array_index(b, struct address_range, j)))
                return true;
        }
    }
    return false;
}

const char *config_check_ranges(const struct config *config)
{
    if (lists_overlap(config->service_cidrs, config->service_cidrs))
        return "the ranges of serviceCIDRs overlap";
    if (lists_overlap(config->pod_cidrs, config->pod_cidrs))
        return "the ranges of podCIDRs overlap";
    if (lists_overlap(config->service_cidrs, config->pod_cidrs))
        return "serviceCIDRs and podCIDRs overlap";
    return NULL;
}

static const char *add_range(GArray *ranges, const char *text)
{
    struct address_range range;
    const char *wrong = config_parse_range(text, &range);

    if (!wrong)
        g_array_append_val(ranges, range);
    return wrong;
}

static const char *add_address(GArray *addresses, const char *text)
{
    struct address address;

    if (!address_parse(&address, text, strlen(text)))
        return "must be addresses";
    g_array_append_val(addresses, address);
    return NULL;
}

/* Replaces the array if the key is present. `add` says what is wrong with a text, or NULL. */
static void read_array(struct fields *fields, const struct yaml_node *map, const char *key,
                       GArray *array, const char *(*add)(GArray *array, const char *text))
{
    const struct yaml_node *list = fields_list(fields, map, key);

    if (list)
        g_array_set_size(array, 0);
    for (const struct yaml_node *node = list ? list->first : NULL; node; node = node->next) {
        const char *text = fields_text(fields, node, key);
        const char *wrong = text ? add(array, text) : NULL;

        if (wrong)
            fields_error(fields, node->position, "bad-value", "%s %s", key, wrong);
    }
}

static void read_directory(struct config_file *file, const struct yaml_node *node)
{
    struct fields *fields = file->fields;
    const struct yaml_node *at = node;

    if (node->type == YAML_NODE_MAP) {
        if (!config_check_keys(fields, node, directory_keys))
            return;
        at = fields_get(fields, node, "path");
    }
    if (!at) {
        fields_error(fields, node->position, "missing-key", "a directory needs a path");
        return;
    }
    char *path = config_read_value(fields, at, "path", config_parse_path);
    if (!path)
        return;
    struct config_directory *directory = config_directory_new(path);
    g_ptr_array_add(file->config->manifests, directory);
    if (node->type != YAML_NODE_MAP)
        return;
    directory->recursive = fields_bool(fields, node, "recursive", false);
    directory->allocate_given = fields_get(fields, node, "allocate");
    directory->allocate = fields_bool(fields, node, "allocate", false);
    config_replace_text(fields, node, "namespace", config_parse_namespace, &directory->ns);
    config_replace_text(fields, node, "zone", config_parse_zone, &directory->zone);
}

static void read_directories(struct config_file *file, const struct yaml_node *root)
{
    const struct yaml_node *list = fields_list(file->fields, root, "manifests");

    if (!list)
        return;
    g_ptr_array_set_size(file->config->manifests, 0);
    for (const struct yaml_node *node = list->first; node; node = node->next)
        read_directory(file, node);
    if (!list->first)
        fields_error(file->fields, list->position, "bad-value", "manifests must name a directory");
}

static void read_size(struct fields *fields, const struct yaml_node *root, uint64_t *size)
{
    const struct yaml_node *node = fields_get(fields, root, "maxFileSize");

    if (!node)
        return;
    /* a number may be unquoted, and so may 512Mi */
    const char *wrong = config_parse_size(node->type == YAML_NODE_SCALAR ? node->text : "", size);
    if (wrong)
        fields_error(fields, node->position, "bad-value", "maxFileSize %s", wrong);
}

static void read_pods(struct fields *fields, const struct yaml_node *root,
                      enum kubesvc_pod_names *pods)
{
    static const char *const words[] = {"verified", "insecure", "disabled", NULL};
    static const enum kubesvc_pod_names values[] = {KUBESVC_PODS_VERIFIED, KUBESVC_PODS_INSECURE,
                                                    KUBESVC_PODS_DISABLED};
    int i = config_read_word(fields, root, "pods", words);

    if (i >= 0)
        *pods = values[i];
}

static void note_origins(struct config_file *file, const struct yaml_node *root)
{
    for (enum config_key key = 0; key < CONFIG_SOCKET; key++) {
        const struct yaml_node *node = fields_get(file->fields, root, keys[key]);

        if (node)
            file->config->origins[key] = (struct config_origin){
                .path = file->path,
                .line = node->key_position.line,
                .value_line = node->position.line,
                .value_column = node->position.column,
            };
    }
}

static void read_search(struct fields *fields, const struct yaml_node *root, char ***searchp)
{
    const struct yaml_node *list = yaml_node_get(root, "search");

    config_replace_strv(fields, root, "search", config_parse_name, searchp);
    if (list && *searchp && g_strv_length(*searchp) > KUBESVC_SEARCH_MAX)
        fields_error(fields, list->position, "too-many", "search has more than %u domains",
                     KUBESVC_SEARCH_MAX);
}

static void read_lookups(struct fields *fields, const struct yaml_node *root, bool *maps)
{
    static const char *const words[] = {"mapped", "socket", NULL};
    int i = config_read_word(fields, root, "lookups", words);

    if (i >= 0)
        *maps = i == 0;
}

static void read_proxy(struct fields *fields, const struct yaml_node *root, bool *all)
{
    static const char *const known[] = {"services", NULL};
    static const char *const services[] = {"allocated", "all", NULL};
    const struct yaml_node *proxy = fields_map(fields, root, "proxy");

    if (!proxy || !config_check_keys(fields, proxy, known))
        return;
    int i = config_read_word(fields, proxy, "services", services);
    if (i >= 0)
        *all = i == 1;
}

static void read_root(void *userdata, struct fields *fields, const struct yaml_node *root)
{
    struct config_file *file = userdata;
    struct config *config = file->config;
    int64_t ndots = config->ndots;

    file->fields = fields;
    if (!config_check_keys(fields, root, keys))
        return;
    note_origins(file, root);
    config->allocate = fields_bool(fields, root, "allocate", config->allocate);
    config->fallthrough = fields_bool(fields, root, "fallthrough", config->fallthrough);
    config->endpoint_pod_names =
        fields_bool(fields, root, "endpointPodNames", config->endpoint_pod_names);
    config->ignore_empty_service =
        fields_bool(fields, root, "ignoreEmptyService", config->ignore_empty_service);
    read_pods(fields, root, &config->pods);
    read_lookups(fields, root, &config->maps);
    read_proxy(fields, root, &config->proxy_all);
    fields_integer(fields, root, "ndots", 0, NDOTS_MAX, &ndots);
    config->ndots = (unsigned)ndots;
    read_size(fields, root, &config->max_file_size);
    config_replace_text(fields, root, "zone", config_parse_zone, &config->zone);
    config_replace_text(fields, root, "namespace", config_parse_namespace, &config->ns);
    config_replace_strv(fields, root, "namespaces", config_parse_namespace, &config->namespaces);
    read_search(fields, root, &config->search);
    GPtrArray *nameservers =
        config_read_texts(fields, root, "nameservers", config_parse_nameserver);
    if (nameservers) {
        g_ptr_array_unref(config->nameservers);
        config->nameservers = nameservers;
    }
    config_dns_read(&config->dns, fields, root);
    read_array(fields, root, "nodeIPs", config->node_ips, add_address);
    read_array(fields, root, "serviceCIDRs", config->service_cidrs, add_range);
    read_array(fields, root, "podCIDRs", config->pod_cidrs, add_range);
    read_directories(file, root);
    config_sources_read(config, fields, root);
}

int config_file_read(struct config *config, const char *path, GPtrArray *diagnostics)
{
    char *kept = g_strdup(path); /* origins point to it */
    struct config_file file = {.config = config, .path = kept};

    g_ptr_array_add(config->files, kept);
    int r = document_read(path, FILE_SIZE_MAX, diagnostics, read_root, &file);
    if (r == -EINVAL)
        return CONFIG_BAD;
    if (r < 0)
        g_ptr_array_set_size(config->files, (gint)config->files->len - 1);
    return r;
}
