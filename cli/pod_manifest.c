/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon knows file and line; the tree of the object there is copied, because the reader gives
 * its own up. Nothing that a Secret holds is part of a message.
 */
#include "pod_manifest.h"

#include <string.h>

#include "lib/manifest/decode.h"
#include "manifest_files.h"
#include "text.h"
#include "value.h"

#define DEFAULT_CONTAINER "kubectl.kubernetes.io/default-container"

/* --- Where manifests are ---------------------------------------------------------------------- */

static const char *namespace_of(yajl_val directory, yajl_val config)
{
    const char *general = value_text_or(value_setting(config, "namespace"), "value", "default");
    return value_text_or(directory, "namespace", general);
}

static bool is_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);
    while (length > 0 && directory[length - 1] == '/')
        length--;
    return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* For objects of the file that name none. */
static const char *default_namespace(const char *path, yajl_val config)
{
    yajl_val manifests = value_setting(config, "manifests"), found = NULL;
    for (size_t i = 0; i < value_length(manifests, "value"); i++) {
        yajl_val directory = value_element(manifests, "value", i);
        const char *own = value_text(directory, "path");
        if (own && is_below(path, own))
            found = directory;
    }
    return namespace_of(found, config);
}

/* --- The pod's own manifest ------------------------------------------------------------------- */

struct sought {
    struct pod_manifest *manifest;
    enum object_kind kind;
    const char *ns, *name;
    int64_t line;
    const struct yaml_node *root;
    bool exact; /* that line contains it */
};

static void look_for_pod(void *userdata, const struct object *object, const struct yaml_node *root)
{
    struct sought *sought = userdata;
    if (!object || object->kind != sought->kind || strcmp(object->name, sought->name) != 0 ||
        strcmp(object->ns, sought->ns) != 0)
        return;
    bool exact = object->line == sought->line;
    if (sought->exact && !exact)
        return;
    sought->root = tree_copy(sought->manifest->tree, root);
    sought->exact = exact;
}

static void take_root(struct pod_manifest *manifest, const struct yaml_node *root, bool template)
{
    if (template) {
        const struct yaml_node *spec = fields_map(&manifest->fields, root, "spec");
        const char *mode = fields_string(&manifest->fields, spec, "completionMode");
        manifest->indexed = g_strcmp0(mode, "Indexed") == 0;
        root = fields_map(&manifest->fields, spec, "template");
    }
    manifest->metadata = fields_map(&manifest->fields, root, "metadata");
    manifest->spec = fields_map(&manifest->fields, root, "spec");
}

static void find_pod(struct pod_manifest *manifest, yajl_val pod, yajl_val config)
{
    const char *workload = value_text(pod, "workload");
    const char *slash = workload ? strchr(workload, '/') : NULL;
    const char *ns = value_text(pod, "namespace");
    g_autofree char *label = ns ? g_strndup(ns, strcspn(ns, "@")) : NULL;
    g_autofree char *kind = slash ? g_strndup(workload, (gsize)(slash - workload)) : NULL;
    struct sought sought = {
        .manifest = manifest,
        .kind = kind ? decode_kind(kind, NULL) : OBJECT_POD,
        .ns = label ? label : "",
        .name = slash ? slash + 1 : value_text(pod, "name"),
        .line = value_number(value_get(pod, "position"), "line"),
    };
    int r = manifest_files_read(manifest->path, default_namespace(manifest->path, config),
                                look_for_pod, &sought);
    if (r == MANIFEST_DONE && sought.root) {
        take_root(manifest, sought.root, sought.kind != OBJECT_POD);
        return;
    }
    text_error(false, "the variables of its container are not set", "%s: %s", manifest->path,
               r < 0               ? g_strerror(-r)
               : r == MANIFEST_BAD ? "cannot be read as YAML or JSON"
                                   : "does not contain the pod any more");
}

void pod_manifest_init(struct pod_manifest *manifest, yajl_val pod, yajl_val config)
{
    const char *path = value_text(value_get(pod, "position"), "file");
    *manifest = (struct pod_manifest){
        .tree = tree_new(),
        .data = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    };
    manifest->fields.diagnostics = g_ptr_array_new_with_free_func((GDestroyNotify)diagnostic_free);
    if (!path)
        return;
    manifest->path = g_strdup(path);
    find_pod(manifest, pod, config);
}

void pod_manifest_clear(struct pod_manifest *manifest)
{
    tree_free(manifest->tree);
    g_free(manifest->path);
    g_hash_table_unref(manifest->data);
    g_ptr_array_unref(manifest->fields.diagnostics);
}

static const struct yaml_node *find_container(struct pod_manifest *manifest, const char *list,
                                              const char *name)
{
    const struct yaml_node *containers = fields_list(&manifest->fields, manifest->spec, list);
    const struct yaml_node *iterator = containers ? containers->first : NULL, *container;
    while ((container = fields_next_map(&manifest->fields, &iterator, list)))
        if (!name || g_strcmp0(fields_string(&manifest->fields, container, "name"), name) == 0)
            return container;
    return NULL;
}

const struct yaml_node *pod_manifest_container(struct pod_manifest *manifest, const char *name)
{
    const struct yaml_node *found = NULL;
    if (name) {
        found = find_container(manifest, "containers", name);
        return found ? found : find_container(manifest, "initContainers", name);
    }
    const struct yaml_node *annotations =
        fields_map(&manifest->fields, manifest->metadata, "annotations");
    const char *preferred = fields_string(&manifest->fields, annotations, DEFAULT_CONTAINER);
    if (preferred)
        found = find_container(manifest, "containers", preferred);
    return found ? found : find_container(manifest, "containers", NULL);
}

char *pod_manifest_aliases(struct pod_manifest *manifest)
{
    struct fields *fields = &manifest->fields;
    const struct yaml_node *aliases = fields_list(fields, manifest->spec, "hostAliases"), *alias;
    const struct yaml_node *iterator = aliases ? aliases->first : NULL;
    GString *out = g_string_new(NULL);
    while ((alias = fields_next_map(fields, &iterator, "hostAliases"))) {
        const struct yaml_node *names = fields_list(fields, alias, "hostnames");
        const char *ip = fields_string(fields, alias, "ip");
        if (!ip || !names || strpbrk(ip, " \t\r\n#"))
            continue;
        g_string_append(out, ip);
        for (const struct yaml_node *name = names->first; name; name = name->next)
            if (fields_is_string(name) && !strpbrk(name->text, " \t\r\n#"))
                g_string_append_printf(out, "\t%s", name->text);
        g_string_append_c(out, '\n');
    }
    return g_string_free(out, FALSE);
}

/* --- ConfigMaps and Secrets ------------------------------------------------------------------- */

struct gathering {
    struct pod_manifest *manifest;
    GHashTable *wanted;
    GHashTable *seen; /* in the file at hand, as `data` */
    const char *ns;
    const char *default_namespace;
};

static void look_for_data(void *userdata, const struct object *object, const struct yaml_node *root)
{
    struct gathering *gathering = userdata;
    const char *kind = decode_peek(root, "kind");
    const struct yaml_node *metadata = yaml_node_get(root, "metadata");
    if (object || !kind || !metadata || metadata->type != YAML_NODE_MAP ||
        g_strcmp0(decode_peek(root, "apiVersion"), "v1") != 0)
        return;
    const char *name = decode_peek(metadata, "name"), *own = decode_peek(metadata, "namespace");
    g_autofree char *key = g_strdup_printf("%s/%s", kind, name ? name : "");
    if (!name || !g_hash_table_contains(gathering->wanted, key) ||
        strcmp(own ? own : gathering->default_namespace, gathering->ns) != 0)
        return;
    const struct yaml_node *copy = tree_copy(gathering->manifest->tree, root);
    if (copy)
        g_hash_table_replace(gathering->seen, g_steal_pointer(&key), (gpointer)(uintptr_t)copy);
}

static gboolean take_seen(gpointer key, gpointer node, gpointer data)
{
    g_hash_table_replace(data, key, node);
    return TRUE;
}

/* A file that is broken half way through says nothing. */
static void gather_file(void *userdata, const char *path)
{
    struct gathering *gathering = userdata;
    gathering->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    int r = manifest_files_read(path, gathering->default_namespace, look_for_data, gathering);
    if (r == MANIFEST_DONE)
        g_hash_table_foreach_steal(gathering->seen, take_seen, gathering->manifest->data);
    else
        gathering->manifest->unreadable++;
    g_hash_table_unref(gathering->seen);
}

void pod_manifest_read_data(struct pod_manifest *manifest, GHashTable *wanted, const char *ns,
                            yajl_val config)
{
    yajl_val manifests = value_setting(config, "manifests");
    const char *at = strchr(ns, '@');
    g_autofree char *label = g_strndup(ns, strcspn(ns, "@"));
    struct gathering gathering = {.manifest = manifest, .wanted = wanted, .ns = label};
    if (g_hash_table_size(wanted) == 0)
        return;
    for (size_t i = 0; i < value_length(manifests, "value"); i++) {
        yajl_val directory = value_element(manifests, "value", i);
        const char *path = value_text(directory, "path");
        gathering.default_namespace = namespace_of(directory, config);
        if (path && g_strcmp0(value_text(directory, "zone"), at ? at + 1 : NULL) == 0)
            manifest_files_walk(path, value_bool(directory, "recursive"), gather_file, &gathering);
    }
}

void pod_manifest_complain(const struct pod_manifest *manifest)
{
    const GPtrArray *diagnostics = manifest->fields.diagnostics;
    for (guint i = 0; i < diagnostics->len; i++) {
        const struct diagnostic *diagnostic = diagnostics->pdata[i];
        text_error(false, NULL, "%s:%u:%u: %s", manifest->path, diagnostic->line,
                   diagnostic->column, diagnostic->message);
    }
}
