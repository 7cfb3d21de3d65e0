/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which object is it? apiVersion and kind decide together (a serving.knative.dev Service is not a
 * Service: rule 95), then namespace and name. An object whose identity can be read but not all of
 * its fields is kept as broken, so that the holder of its last good version does not drop that.
 */
#include "decode.h"

#include <string.h>

#include "schema.h"
#include "validate.h"

#define QUOTED_MAX 80
#define NAMESPACE_BYTES 2560u /* of a namespace, counted for each file with objects in it */

static const struct decoder namespace_decoder = {.is_label = true, .is_referred_to = true};

static const struct decoder *const decoders[OBJECT_KINDS] = {
#define KIND(symbol, fields, structure, decoder, ...) [OBJECT_##symbol] = &decoder##_decoder,
    OBJECT_KINDS_EACH(KIND)
#undef KIND
};

const char *decode_peek(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = yaml_node_get(map, key);

    return node && fields_is_string(node) && *node->text ? node->text : NULL;
}

bool decode_is_typed(const struct yaml_node *root)
{
    return decode_peek(root, "apiVersion") || decode_peek(root, "kind");
}

static bool has_version(enum object_kind kind, const char *version)
{
    const char *const *versions = object_kinds[kind].versions;

    for (size_t i = 0; i < OBJECT_VERSIONS_MAX && versions[i]; i++) {
        if (strcmp(versions[i], version) == 0)
            return true;
    }
    return false;
}

static bool is_known_version(const char *version)
{
    for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++) {
        if (has_version(kind, version))
            return true;
    }
    return false;
}

enum object_kind decode_kind(const char *name, const char *version)
{
    enum object_kind kind = object_kind_find(name);

    return kind < OBJECT_KINDS && (!version || has_version(kind, version)) ? kind : OBJECT_KINDS;
}

/* It is an object without a kind, not a file of another program's with an apiVersion of its own, as
 * charts have. */
static bool lacks_kind(const struct yaml_node *root, const char *version)
{
    const struct yaml_node *metadata = yaml_node_get(root, "metadata");

    return version && is_known_version(version) && metadata && metadata->type == YAML_NODE_MAP;
}

/* OBJECT_KINDS: not one of ours; reported only if one was probably meant. */
static enum object_kind identify(struct fields *fields, const struct yaml_node *root,
                                 const char *version, const char *name)
{
    enum object_kind kind = name ? object_kind_find(name) : OBJECT_KINDS;

    if (!name && lacks_kind(root, version))
        fields_warning(fields, root->position, "no-kind",
                       "an object of apiVersion %s without kind is ignored", version);
    if (kind == OBJECT_KINDS)
        return kind;
    if (!version)
        fields_warning(fields, root->position, "no-api-version",
                       "a %s without apiVersion is ignored", name);
    else if (!has_version(kind, version) && is_known_version(version))
        fields_warning(fields, root->position, "no-such-kind",
                       "unknown kind %s in apiVersion %s; ignored", name, version);
    return version && has_version(kind, version) ? kind : OBJECT_KINDS;
}

static bool holds_template(const char *text)
{
    return strstr(text, "{{") || strstr(text, "{%") || strstr(text, "<%");
}

/* One diagnostic about an invalid name. */
static void refuse_name(struct decode_context *context, struct fields *fields,
                        const struct yaml_node *node, const char *key, const char *text,
                        const char *must_be)
{
    if (holds_template(text)) {
        if (!context->template_reported)
            fields_error(fields, node->position, "template",
                         "looks like a template (Helm, Go or Jinja): render it first; objects with "
                         "such names are ignored");
        context->template_reported = true;
    } else if (strstr(text, "${") || strstr(text, "$(")) {
        fields_error(
            fields, node->position, "unresolved-variable",
            "metadata.%s \"%.*s\" holds a variable: substitute it first; the object is ignored",
            key, QUOTED_MAX, text);
    } else {
        fields_error(fields, node->position, "invalid-name",
                     "metadata.%s \"%.*s\" must be %s; the object is ignored", key, QUOTED_MAX,
                     text, must_be);
    }
}

/* NULL: an invalid one, reported. */
static const char *read_namespace(struct decode_context *context, struct fields *fields,
                                  const struct yaml_node *metadata)
{
    const struct yaml_node *node = fields_get(fields, metadata, "namespace");
    const char *text = node ? fields_text(fields, node, "metadata.namespace") : "";

    if (!text || dns_label_is_valid(text))
        return text;
    if (!*text)
        return context->options->default_namespace;
    refuse_name(context, fields, node, "namespace", text,
                "a DNS label ([a-z0-9-], at most 63 characters)");
    return NULL;
}

/* `kubectl create` would generate a name; the one generated here changes only with the file.
 * Objects that others refer to by name cannot have one. */
static char *generate_name(struct decode_context *context, struct fields *fields,
                           const struct yaml_node *metadata, enum object_kind kind)
{
    const char *prefix = fields_string(fields, metadata, "generateName");

    if (!prefix || decoders[kind]->is_referred_to) {
        fields_warning(fields, metadata->position, "no-name",
                       "a %s without metadata.name is ignored", object_kind_name(kind));
        return NULL;
    }
    return g_strdup_printf("%s%u", prefix, context->objects->len);
}

static char *read_name(struct decode_context *context, struct fields *fields,
                       const struct yaml_node *metadata, enum object_kind kind)
{
    bool label = decoders[kind]->is_label;
    const struct yaml_node *node = fields_get(fields, metadata, "name");
    const char *text = node ? fields_text(fields, node, "metadata.name") : "";
    g_autofree char *name = NULL;

    if (!text)
        return NULL;
    name = *text ? g_strdup(text) : generate_name(context, fields, metadata, kind);
    if (!name)
        return NULL;
    if (!*text)
        node = metadata;
    if (label ? dns_label_is_valid(name) : dns_subdomain_is_valid(name))
        return g_steal_pointer(&name);
    refuse_name(context, fields, node, "name", name,
                label ? "a DNS label ([a-z0-9-], at most 63 characters)"
                      : "a DNS name ([a-z0-9.-], at most 253 characters)");
    return NULL;
}

void decode_whole(struct fields *fields)
{
    fields->part = false;
    fields->consequence = "; its last good version, if any, stays in effect";
}

void decode_part(struct fields *fields)
{
    fields->part = true;
    fields->consequence = "; ignored; the API server rejects the object";
}

/* One diagnostic about all objects of a file that exceed the limits. */
static void refuse(struct decode_context *context, const struct object *object,
                   const struct usage *usage, const char *what)
{
    struct usage *least = &context->least;
    g_autofree char *description = object_describe(object);

    if (context->n_refused++ > 0) {
        *least =
            (struct usage){1, MIN(least->labels, usage->labels), MIN(least->bytes, usage->bytes)};
        return;
    }
    *least = *usage;
    g_ptr_array_add(
        context->diagnostics,
        diagnostic_new(DIAGNOSTIC_ERROR, object->line, object->column, "too-many", description,
                       "all manifests together have more than %s: no room for it, nor for others "
                       "like it in this file; their last good versions stay in effect",
                       what));
}

/* Adds an object, unless all manifests together would be too much then. The previous objects of the
 * source are not counted: these replace them. */
static bool keep(struct decode_context *context, struct object *object)
{
    const struct account *account = context->source->account;
    bool first = !g_hash_table_contains(context->namespaces, object->ns);
    struct usage usage = object_charge(object, first ? NAMESPACE_BYTES : 0);
    const char *exceeded = NULL;

    if (account) {
        struct usage used = account->used;

        usage_subtract(&used, &context->before);
        exceeded = usage_exceeds(&used, &(struct usage){0});
    }
    if (exceeded) {
        refuse(context, object, &usage, exceeded);
        object_free(object);
        return false;
    }
    g_hash_table_add(context->namespaces, (gpointer)(uintptr_t)object->ns);
    g_ptr_array_add(context->objects, object);
    return true;
}

/* NULL: the object is left out, and a diagnostic says why. */
static struct object *read_object(struct decode_context *context, struct fields *fields,
                                  const struct yaml_node *root, enum object_kind kind)
{
    const struct yaml_node *metadata;
    g_autofree char *name = NULL, *description = NULL;
    const char *ns;
    struct object *object;
    guint first = context->diagnostics->len;

    fields->object = object_kind_name(kind);
    fields->consequence = "; the object is ignored";
    metadata = fields_map(fields, root, "metadata");
    if (!metadata) {
        if (!fields->broken)
            fields_warning(fields, root->position, "no-name",
                           "a %s without metadata.name is ignored", object_kind_name(kind));
        return NULL;
    }
    fields->consequence = NULL;
    name = read_name(context, fields, metadata, kind);
    if (!name)
        return NULL;
    ns = kind == OBJECT_NAMESPACE ? name : read_namespace(context, fields, metadata);
    if (!ns)
        return NULL;

    object = object_new(kind, context->source, ns, name);
    object->line = root->position.line;
    object->column = root->position.column;
    object->document = context->objects->len;
    description = object_describe(object);
    fields->object = description;
    decode_part(fields);
    object->has_uid = fields_string(fields, metadata, "uid") != NULL;
    if (decoders[kind]->read)
        decoders[kind]->read(fields, root, object);
    schema_check(fields, root, kind, first);
    validate_labels(fields, yaml_node_get(metadata, "labels"), "metadata.labels");
    if (decoders[kind]->validate)
        decoders[kind]->validate(fields, root, object);
    object->broken = fields->broken;
    object->refused = fields->refused;
    return keep(context, object) ? object : NULL;
}

static bool is_mentioned(const struct decode_context *context, const char *ns)
{
    const char *whole = source_namespace(context->source, ns);
    bool found = g_hash_table_contains(context->mentioned, whole);

    name_unref(whole);
    return found;
}

/* Any object makes its namespace exist, even one that decides no name (rule 94). Which kinds are
 * namespaced is not known here: only an explicit namespace counts. */
static void mention_namespace(struct decode_context *context, const struct yaml_node *root)
{
    const char *ns = decode_peek(yaml_node_get(root, "metadata"), "namespace");
    struct object *object;

    if (!ns || !dns_label_is_valid(ns) || is_mentioned(context, ns))
        return;
    object = object_new(OBJECT_MENTION, context->source, ns, context->source->path);
    object->line = root->position.line;
    object->column = root->position.column;
    object->document = context->objects->len;
    if (keep(context, object))
        g_hash_table_insert(context->mentioned, (gpointer)(uintptr_t)object->ns, object);
}

static gboolean is_of_later(gpointer ns, gpointer mention, gpointer first)
{
    (void)ns;
    return ((const struct object *)mention)->document >= GPOINTER_TO_UINT(first);
}

void decode_forget(struct decode_context *context, guint first)
{
    g_hash_table_foreach_remove(context->mentioned, is_of_later, GUINT_TO_POINTER(first));
    g_ptr_array_set_size(context->objects, (gint)first);
}

/* Like kubectl: anything with a list under `items` is a list. */
static void read_list(struct decode_context *context, const struct yaml_node *items,
                      const char *version, const char *kind)
{
    for (const struct yaml_node *child = items->first; child; child = child->next) {
        if (child->type == YAML_NODE_MAP)
            decode_object(context, child, version, kind);
    }
}

void decode_object(struct decode_context *context, const struct yaml_node *root,
                   const char *list_version, const char *list_kind)
{
    struct fields fields = {.diagnostics = context->diagnostics};
    const char *version = decode_peek(root, "apiVersion"), *kind = decode_peek(root, "kind");
    const struct yaml_node *items;
    enum object_kind known;
    const struct object *object = NULL;
    g_autofree char *element_kind = NULL;

    if (root->type != YAML_NODE_MAP)
        return;
    if (!version && !kind && list_kind && g_str_has_suffix(list_kind, "List")) {
        element_kind = g_strndup(list_kind, strlen(list_kind) - strlen("List"));
        version = list_version;
        kind = element_kind;
    }
    items = yaml_node_get(root, "items");
    if (version && kind && items && items->type == YAML_NODE_LIST) {
        read_list(context, items, version, kind);
        return;
    }
    if (kind && version && strcmp(kind, "Template") == 0 && yaml_node_get(root, "objects")) {
        fields_warning(&fields, root->position, "openshift-template",
                       "an OpenShift Template is ignored: process it first");
        return;
    }
    known = identify(&fields, root, version, kind);
    if (known < OBJECT_KINDS)
        object = read_object(context, &fields, root, known);
    else if (version && kind)
        mention_namespace(context, root);
    if (context->options->look)
        context->options->look(context->options->look_userdata, object, root);
}
