/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tree -> the Kubernetes object that it describes, if it is one that decides names.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/model/object.h"
#include "lib/yaml/fields.h"
#include "lib/yaml/tree.h"
#include "manifest.h"

struct decode_context {
    struct source *source;
    const struct manifest_options *options;
    GPtrArray *objects;     /* struct object *, added to */
    GPtrArray *diagnostics; /* struct diagnostic *, added to */
    GHashTable *mentioned;  /* namespace -> its mention among `objects`: one per file suffices */
    bool template_reported; /* a file's templates cause one complaint */
    GHashTable *namespaces; /* set of those of `objects`, interned */
    struct usage before;    /* by objects of the source, which the new ones replace */
    struct usage least;     /* objects over the limit, by item */
    uint32_t n_refused;     /* those */
};

/* Adds the object, or all of a list's. Elements without a kind inherit the list's: `list_version`
 * and `list_kind` are those of the enclosing list, NULL outside of one. */
void decode_object(struct decode_context *context, const struct yaml_node *root,
                   const char *list_version, const char *list_kind);

/* Removes all objects from index `first` on. */
void decode_forget(struct decode_context *context, guint first);

/* Does the tree state its own kind? */
bool decode_is_typed(const struct yaml_node *root);

/* The text of a field of a map, NULL unless it is a string that is not empty; reports nothing. */
const char *decode_peek(const struct yaml_node *map, const char *key);

/* How one kind is decoded. */
struct decoder {
    /* Reads its fields from the whole tree, whose metadata is known to be a map; errors mark
     * `fields` as broken. NULL: it has none. */
    void (*read)(struct fields *fields, const struct yaml_node *root, struct object *object);
    /* The API's rules beyond single fields (validate.h). NULL: there are none. */
    void (*validate)(struct fields *fields, const struct yaml_node *root,
                     const struct object *object);
    bool is_label;       /* its name must be a DNS label */
    bool is_referred_to; /* others refer to it by name, so that no name is generated for it */
};
extern const struct decoder service_decoder, endpoint_slice_decoder, endpoints_decoder, pod_decoder,
    autoscaler_decoder, workload_decoder;

/* The kind of this name in an apiVersion, or in any (NULL); OBJECT_KINDS if it is not read here. */
enum object_kind decode_kind(const char *name, const char *version);

/* What is read between the two decides which names lead where, so an error in it breaks the whole
 * object; elsewhere an error drops only the part that it is in. */
void decode_whole(struct fields *fields);
void decode_part(struct fields *fields);

/* Shared by several kinds. */
#define DECODE_ADDRESSES_ANNOTATION "kubesvc.io/addresses"

void decode_pod_spec(struct fields *fields, const struct yaml_node *metadata,
                     const struct yaml_node *spec, struct pod_spec *pod_spec);
struct owner decode_owner(struct fields *fields, const struct yaml_node *metadata);
struct addresses decode_stated_addresses(struct fields *fields, const struct yaml_node *metadata);

/* The labels of an object for which they decide nothing: non-strings are skipped. NULL for none. */
const struct labels *decode_own_labels(struct fields *fields, const struct yaml_node *metadata);

/* A map of strings as labels; NULL if it is absent or empty. Too many are an error. */
#define DECODE_LABELS_MAX 4096u
const struct labels *decode_labels(struct fields *fields, const struct yaml_node *map,
                                   const char *key);

/* An interned name, NULL if absent. */
const char *decode_name(struct fields *fields, const struct yaml_node *map, const char *key);

/* A DNS label; NULL if absent or, with an error, if invalid. */
const char *decode_dns_label(struct fields *fields, const struct yaml_node *map, const char *key);

/* Which of the texts (NULL-terminated) a string field holds; `fallback` if it is absent. Any other
 * text is an error. */
int decode_choice(struct fields *fields, const struct yaml_node *map, const char *key,
                  const char *const choices[], int fallback);

/* The ports of a list of mappings from its first element on (NULL: none), appended to `ports`
 * (struct port), without the invalid ones. Their strings belong to the tree. `number` is the key of
 * the number. More than the API allows in a slice are an error. */
#define DECODE_PORTS_MAX 20000u
void decode_ports(struct fields *fields, const struct yaml_node *first, const char *number,
                  bool number_required, GArray *ports);

/* The same ports in the form stored in an object; NULL for none. */
struct ports *decode_take_ports(const GArray *ports);

/* Moves the elements out of an array of struct address. */
struct addresses decode_take_addresses(GArray *addresses);
