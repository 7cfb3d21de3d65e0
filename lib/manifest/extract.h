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

struct extract_context {
    struct source *source;
    const char *default_namespace;
    GPtrArray *objects;     /* struct object *, added to */
    GPtrArray *diagnostics; /* struct diagnostic *, added to */
    GHashTable *mentioned;  /* namespace -> the mention of it among `objects`: one a file will do */
    bool template_reported; /* a file's templates are one complaint */
    GHashTable *namespaces; /* set of those of `objects`, interned */
    struct usage before;    /* by objects of the source, which the new ones replace */
    struct usage least;     /* of those that there was no room for, item by item */
    uint32_t n_refused;     /* those */
    manifest_look look;     /* or NULL */
    void *look_userdata;
};

/* Adds the object, or all of a list's. Elements of a list that name no kind get the list's own:
 * `list_version` and `list_kind` are those of the list around, NULL outside of one. */
void extract_object(struct extract_context *context, const struct node *root,
                    const char *list_version, const char *list_kind);

/* Takes back all objects from the place `first` on. */
void extract_forget(struct extract_context *context, guint first);

/* Does the tree say of itself which kind it is? */
bool extract_is_typed(const struct node *root);

/* The text of a field that is a string, NULL if it is none; for looking before knowing. */
const char *extract_peek(const struct node *map, const char *key);

/* The kinds' own fields, each read from the whole object, whose metadata is known to be a map;
 * errors mark `fields` as broken. */
void extract_service(struct fields *fields, const struct node *root, struct service *service);
void extract_endpoint_slice(struct fields *fields, const struct node *root,
                            struct endpoint_slice *slice);
void extract_endpoints(struct fields *fields, const struct node *root,
                       struct endpoint_slice *slice);
void extract_pod(struct fields *fields, const struct node *root, struct pod *pod);
void extract_workload(struct fields *fields, const struct node *root, struct workload *workload);
void extract_autoscaler(struct fields *fields, const struct node *root,
                        struct autoscaler *autoscaler);

/* The kind of this name in an apiVersion, or in any (NULL); OBJECT_KINDS: none that is read here.
 */
enum object_kind extract_kind(const char *kind, const char *version);

/* What is read between the two decides where names lead, so that an error in it breaks the object
 * as a whole; elsewhere an error leaves out the part that it is in. */
void extract_whole(struct fields *fields);
void extract_part(struct fields *fields);

/* What several kinds have. */
#define EXTRACT_ADDRESSES_ANNOTATION "kubesvc.io/addresses"

void extract_pod_spec(struct fields *fields, const struct node *metadata, const struct node *spec,
                      struct pod_spec *pod_spec);
struct owner extract_owner(struct fields *fields, const struct node *metadata);
struct addresses extract_stated_addresses(struct fields *fields, const struct node *metadata);

/* The labels of an object for which they decide nothing: what is no string is passed over. NULL for
 * none. */
const struct labels *extract_own_labels(struct fields *fields, const struct node *metadata);

/* A map of strings as labels; NULL if it is absent or empty. Too many are an error. */
#define EXTRACT_LABELS_MAX 4096u
const struct labels *extract_labels(struct fields *fields, const struct node *map, const char *key);

/* An interned name, NULL if absent. */
const char *extract_name(struct fields *fields, const struct node *map, const char *key);

/* A DNS label; NULL if absent or, with an error, if it is none. */
const char *extract_dns_label(struct fields *fields, const struct node *map, const char *key);

/* Which of the texts (NULL-terminated) a string field holds; `fallback` if it is absent. Another
 * text is an error. */
int extract_choice(struct fields *fields, const struct node *map, const char *key,
                   const char *const choices[], int fallback);

/* The ports of a list of mappings, appended to `ports` (struct port), without those that something
 * is wrong with. Their strings belong to the tree. `number` is the key of the number. More than the
 * API lets a slice have are an error. */
#define EXTRACT_PORTS_MAX 20000u
void extract_ports(struct fields *fields, const struct node *list, const char *number,
                   bool number_required, GArray *ports);

/* Those ports as an object keeps them; NULL for none. */
struct ports *extract_take_ports(const GArray *ports);

/* Takes the elements out of an array of struct address. */
struct addresses extract_take_addresses(GArray *addresses);
