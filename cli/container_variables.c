/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * envFrom comes first, then env in its order, of which each value sees the ones before it. Where
 * kubelet would not start the container, for a ConfigMap or Secret that is not there, the variable
 * is left out instead: the caller may have set it.
 */
#include "container_variables.h"

#include <string.h>

#include "downward.h"
#include "expansion.h"
#include "lib/manifest/decode.h"

#define JOB_INDEX_VARIABLE "JOB_COMPLETION_INDEX"

struct variables_reading {
    struct pod_manifest *manifest;
    const struct yaml_node *container;
    const struct pod_facts *facts;
    GHashTable *services, *variables;
    GHashTable *wanted; /* not NULL: only what is referred to is noted */
};

/* A name that kubelet takes: printable and without '='. */
static bool is_variable_name(const char *name)
{
    if (*name == '\0')
        return false;
    for (; *name; name++)
        if (*name < ' ' || *name > '~' || *name == '=')
            return false;
    return true;
}

static const struct yaml_node *find_data(const struct variables_reading *reading, const char *kind,
                                         const char *name)
{
    g_autofree char *key = g_strdup_printf("%s/%s", kind, name);
    if (reading->wanted)
        g_hash_table_add(reading->wanted, g_steal_pointer(&key));
    return reading->wanted ? NULL : g_hash_table_lookup(reading->manifest->data, key);
}

static void complain_missing(const struct variables_reading *reading,
                             const struct yaml_node *reference, const char *kind, const char *name)
{
    struct pod_manifest *manifest = reading->manifest;
    g_autofree char *more =
        manifest->unreadable > 0
            ? g_strdup_printf("; %u of the manifests cannot be read", manifest->unreadable)
            : g_strdup("");
    fields_warning(&manifest->fields, reference->position, "no-data",
                   "no %s %s in namespace %s among the manifests%s; what it would set is left out",
                   kind, name, reading->facts->ns, more);
}

/* As the API server demands it: padded, and with no other characters than line ends. */
static bool is_base64(const char *text)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0, padding = 0;
    for (; *text; text++) {
        if (*text == '\n' || *text == '\r')
            continue;
        if (*text != '=' && (padding > 0 || !strchr(letters, *text)))
            return false;
        padding += *text == '=';
        n++;
    }
    return n % 4 == 0 && padding <= 2;
}

/* What a Secret holds is no part of it. */
static void complain_value(const struct variables_reading *reading,
                           const struct yaml_node *reference, const char *kind, const char *name,
                           const char *key)
{
    fields_warning(&reading->manifest->fields, reference->position, "no-data",
                   "%s %s has no %s under the key %s; the variable is left out", kind, name,
                   strcmp(kind, "Secret") == 0 ? "text in base64" : "text", key);
}

/* Text of a Secret's `data`. NULL: it cannot be a variable. */
static char *decode(const char *text)
{
    gsize size;
    if (!is_base64(text))
        return NULL;
    g_autofree guchar *bytes = g_base64_decode(text, &size);
    return memchr(bytes, '\0', size) ? NULL : g_strndup((const char *)bytes, size);
}

/* The value under a key of a ConfigMap's or Secret's `part`. NULL if it is not there, or cannot be
 * a variable. */
static char *read_data(const struct yaml_node *object, const char *part, const char *key,
                       bool encoded)
{
    const struct yaml_node *map = yaml_node_get(object, part);
    const struct yaml_node *value =
        map && map->type == YAML_NODE_MAP ? yaml_node_get(map, key) : NULL;
    if (!value || !fields_is_string(value))
        return NULL;
    return encoded ? decode(value->text) : g_strdup(value->text);
}

static char *find_value(const struct yaml_node *object, bool secret, const char *key)
{
    char *value = secret ? read_data(object, "stringData", key, false) : NULL;
    return value ? value : read_data(object, "data", key, secret);
}

/* --- env -------------------------------------------------------------------------------------- */

static char *value_of_key(const struct variables_reading *reading,
                          const struct yaml_node *reference, bool secret)
{
    struct fields *fields = &reading->manifest->fields;
    const char *kind = secret ? "Secret" : "ConfigMap";
    const char *name = fields_string(fields, reference, "name");
    const char *key = fields_string(fields, reference, "key");
    bool optional = fields_bool(fields, reference, "optional", false);
    if (!name || !key)
        return NULL;
    const struct yaml_node *object = find_data(reading, kind, name);
    char *value = object ? find_value(object, secret, key) : NULL;
    if (value || optional || reading->wanted)
        return value;
    if (!object)
        complain_missing(reading, reference, kind, name);
    else
        complain_value(reading, reference, kind, name, key);
    return NULL;
}

static char *value_from(const struct variables_reading *reading, const struct yaml_node *source)
{
    struct fields *fields = &reading->manifest->fields;
    const struct yaml_node *field = fields_map(fields, source, "fieldRef");
    const struct yaml_node *resource = fields_map(fields, source, "resourceFieldRef");
    const struct yaml_node *map = fields_map(fields, source, "configMapKeyRef");
    const struct yaml_node *secret = fields_map(fields, source, "secretKeyRef");
    if (field)
        return reading->wanted ? NULL : downward_field(reading->manifest, field, reading->facts);
    if (resource)
        return reading->wanted ? NULL
                               : downward_resource(reading->manifest, resource, reading->container);
    if (map || secret)
        return value_of_key(reading, map ? map : secret, !map);
    fields_warning(fields, source->position, "no-source",
                   "valueFrom of a kind that is not known here; the variable is left out");
    return NULL;
}

static const char *find_variable(void *userdata, const char *name)
{
    const struct variables_reading *reading = userdata;
    const char *value = g_hash_table_lookup(reading->variables, name);
    return value ? value : g_hash_table_lookup(reading->services, name);
}

static void read_variable(struct variables_reading *reading, const struct yaml_node *entry)
{
    struct fields *fields = &reading->manifest->fields;
    const struct yaml_node *given = fields_get(fields, entry, "value");
    const struct yaml_node *source = fields_map(fields, entry, "valueFrom");
    const char *name = fields_string(fields, entry, "name");
    const char *text = given ? fields_text(fields, given, "value") : "";
    char *value = NULL;
    if (!name || !text || !is_variable_name(name))
        return;
    if (*text || !source)
        value = reading->wanted ? NULL : expansion_expand(text, find_variable, reading);
    else
        value = value_from(reading, source);
    if (value)
        g_hash_table_replace(reading->variables, g_strdup(name), value);
}

/* --- envFrom ---------------------------------------------------------------------------------- */

struct data_source {
    const struct yaml_node *reference;
    const char *kind, *name, *prefix;
};

static void take_all(struct variables_reading *reading, const struct data_source *source,
                     const struct yaml_node *object, const char *part, bool encoded)
{
    const struct yaml_node *map = yaml_node_get(object, part);
    for (const struct yaml_node *entry = map && map->type == YAML_NODE_MAP ? map->first : NULL;
         entry; entry = entry->next) {
        g_autofree char *name = g_strconcat(source->prefix, entry->key, NULL);
        g_autofree char *value = read_data(object, part, entry->key, encoded);
        if (!is_variable_name(name))
            continue;
        if (value)
            g_hash_table_replace(reading->variables, g_steal_pointer(&name),
                                 g_steal_pointer(&value));
        else
            complain_value(reading, source->reference, source->kind, source->name, entry->key);
    }
}

static void read_source(struct variables_reading *reading, const struct yaml_node *entry)
{
    struct fields *fields = &reading->manifest->fields;
    const struct yaml_node *map = fields_map(fields, entry, "configMapRef");
    const struct yaml_node *reference = map ? map : fields_map(fields, entry, "secretRef");
    const char *prefix = fields_string(fields, entry, "prefix");
    const char *name = fields_string(fields, reference, "name");
    bool optional = fields_bool(fields, reference, "optional", false);
    const char *kind = map ? "ConfigMap" : "Secret";
    const struct yaml_node *object = name ? find_data(reading, kind, name) : NULL;
    const struct data_source source = {reference, kind, name, prefix ? prefix : ""};
    if (object)
        take_all(reading, &source, object, "data", !map);
    if (object && !map)
        take_all(reading, &source, object, "stringData", false);
    if (name && !object && !optional && !reading->wanted)
        complain_missing(reading, reference, kind, name);
}

/* --- Both ------------------------------------------------------------------------------------- */

static void read_all(struct variables_reading *reading)
{
    static const struct {
        const char *key;
        void (*read)(struct variables_reading *reading, const struct yaml_node *entry);
    } lists[] = {{"envFrom", read_source}, {"env", read_variable}};
    struct fields *fields = &reading->manifest->fields;
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        const struct yaml_node *list = fields_list(fields, reading->container, lists[i].key),
                               *entry;
        const struct yaml_node *iterator = list ? list->first : NULL;
        while ((entry = fields_next_map(fields, &iterator, lists[i].key)))
            lists[i].read(reading, entry);
    }
}

void container_variables_needs(struct pod_manifest *manifest, const struct yaml_node *container,
                               GHashTable *wanted)
{
    struct variables_reading reading = {
        .manifest = manifest, .container = container, .wanted = wanted};
    guint before = manifest->fields.diagnostics->len;
    read_all(&reading);
    /* all of it is read again, and errors reported then */
    g_ptr_array_set_size(manifest->fields.diagnostics, (gint)before);
}

void container_variables_add(struct pod_manifest *manifest, const struct yaml_node *container,
                             const struct pod_facts *facts, GHashTable *services,
                             GHashTable *variables)
{
    struct variables_reading reading = {.manifest = manifest,
                                        .container = container,
                                        .facts = facts,
                                        .services = services,
                                        .variables = variables};
    read_all(&reading);
    /* the Job's controller adds it to every container that has none of this name */
    const char *number = downward_job_index(manifest, facts);
    if (number && !g_hash_table_contains(variables, JOB_INDEX_VARIABLE))
        g_hash_table_replace(variables, g_strdup(JOB_INDEX_VARIABLE), g_strdup(number));
}
