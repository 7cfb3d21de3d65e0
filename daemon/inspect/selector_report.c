/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The selection of a Service, explained: each Pod and workload of the namespace is compared with
 * the selector, label by label.
 */
#include "selector_report.h"

#include <string.h>

#include "lib/util/suggest.h"

#define MATCHING_MAX 1000u
#define OTHERS_MAX 20u
#define ELSEWHERE_MAX 3u

/* A Pod, or a workload for all its pods. */
struct unit {
    const struct object *object;
    unsigned n, n_counting; /* addresses that the selector leads to; of them endpoints */
    char *why;              /* the first of the others is left out */
    unsigned score;         /* how far the labels are from the selector; 0: it matches */
};

static void unit_free(void *userdata)
{
    struct unit *unit = userdata;

    g_free(unit->why);
    g_free(unit);
}

struct selector_walk {
    const struct report *report;
    const struct service_state *state;
    enum endpoint_source source;
    GHashTable *units; /* struct object * -> struct unit * */
};

static struct unit *unit_of(const struct selector_walk *walk, const struct object *object)
{
    struct unit *unit = g_hash_table_lookup(walk->units, object);

    if (unit)
        return unit;
    unit = g_new0(struct unit, 1);
    unit->object = object;
    g_hash_table_insert(walk->units, (void *)(uintptr_t)object, unit);
    return unit;
}

static void add_candidate(void *userdata, const struct endpoint_candidate *candidate)
{
    const struct selector_walk *walk = userdata;
    struct unit *unit = unit_of(walk, candidate->object);

    unit->n++;
    unit->n_counting += candidate->verdict == ENDPOINT_COUNTS;
    if (unit->why)
        return;
    g_autofree char *why = cluster_read_why_left_out(walk->report->context->cluster, candidate);
    bool is_replica =
        why && object_is_workload(candidate->object) &&
        cluster_read_asks_runtimes(walk->report->context->cluster); /* each is another */
    unit->why = is_replica ? g_strdup_printf("%s: %s", candidate->pod, why) : g_steal_pointer(&why);
}

static const struct labels *labels_of(const struct object *object)
{
    return object->kind == OBJECT_POD ? ((const struct pod *)object)->spec->labels
                                      : ((const struct workload *)object)->template.labels;
}

static const char *similar_key(const struct labels *labels, const char *key)
{
    for (uint32_t i = 0; labels && i < labels->n; i++)
        if (suggest_is_typo(labels->pairs[i].key, key))
            return labels->pairs[i].key;
    return NULL;
}

/* How many labels differ counts most; among equals, how little their values do, so that the one
 * that a misspelt selector means is not lost among many. As `kubesvc check` finds the nearest. */
static unsigned score_of(const struct labels *selector, const struct labels *labels)
{
    unsigned score = 0;

    for (uint32_t i = 0; i < selector->n; i++) {
        const struct label *pair = &selector->pairs[i];
        const char *value = labels ? labels_get(labels, pair->key) : NULL;
        const char *similar = value ? NULL : similar_key(labels, pair->key);

        if (value && strcmp(value, pair->value) == 0)
            continue;
        if (similar)
            value = labels_get(labels, similar);
        score += 100 + MIN(value ? suggest_distance(value, pair->value) : UINT_MAX, 100);
    }
    return score;
}

static void add_member(void *userdata, const struct object *object)
{
    const struct selector_walk *walk = userdata;
    const struct labels *selector = walk->state->object->selector;

    if (g_hash_table_contains(walk->units, object))
        return;
    unit_of(walk, object)->score = score_of(selector, labels_of(object));
}

static char *difference(const struct labels *selector, const struct labels *labels)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (uint32_t i = 0; i < selector->n; i++) {
        const struct label *pair = &selector->pairs[i];
        const char *value = labels ? labels_get(labels, pair->key) : NULL;
        const char *similar = value ? NULL : similar_key(labels, pair->key);

        if (value && strcmp(value, pair->value) == 0)
            continue;
        if (text->len > 0)
            g_string_append(text, "; ");
        if (value)
            g_string_append_printf(text, "label %s is %s, selector wants %s", pair->key, value,
                                   pair->value);
        else
            g_string_append_printf(text, "label %s is missing, selector wants %s", pair->key,
                                   pair->value);
        if (similar)
            g_string_append_printf(text, " (there is %s: %s)", similar,
                                   labels_get(labels, similar));
    }
    return g_strdup(text->str);
}

/* The selector matches, but pods are not where the endpoints come from. */
static const char *hidden_text(const struct selector_walk *walk)
{
    switch (walk->source) {
    case ENDPOINTS_SLICES:
        return "matches, but EndpointSlices of the Service are in the files: only they count";
    case ENDPOINTS_OBJECT:
        return "matches, but an Endpoints object of the Service is in the files and counts instead "
               "of allocated addresses";
    case ENDPOINTS_STATED: return "matches, but the annotation kubesvc.io/addresses counts instead";
    default: return "matches, but the Service has no endpoints of its own";
    }
}

/* Why a workload yields fewer pods than it asks for; NULL: it does not. */
static char *fewer_text(const struct selector_walk *walk, const struct object *object)
{
    const struct workload_state *workload =
        cluster_read_workload(walk->state->ns, object->kind, object->name);

    return workload ? cluster_read_why_fewer(walk->report->context->cluster, workload) : NULL;
}

/* The labels match, but it has no pods. */
static char *absent_text(const struct selector_walk *walk, const struct unit *unit)
{
    bool is_pod = unit->object->kind == OBJECT_POD;
    g_autofree char *why = is_pod ? NULL : fewer_text(walk, unit->object);
    return why ? g_strdup_printf("the labels of its template match, but it has no pods: %s", why)
               : g_strdup(hidden_text(walk));
}

static char *matching_text(const struct unit *unit)
{
    bool is_pod = unit->object->kind == OBJECT_POD;
    const char *noun = object_is_workload(unit->object) ? "pod" : "address";
    const char *plural = is_pod || !object_is_workload(unit->object) ? "es" : "s";

    if (unit->n_counting == 0)
        return g_strdup(unit->why);
    g_autofree char *counting =
        g_strdup_printf("%u %s%s count%s", unit->n_counting, noun,
                        unit->n_counting == 1 ? "" : plural, unit->n_counting == 1 ? "s" : "");
    if (unit->n_counting == unit->n)
        return g_steal_pointer(&counting);
    unsigned n = unit->n - unit->n_counting;
    return g_strdup_printf("%s, %u do%s not: %s", counting, n, n == 1 ? "es" : "", unit->why);
}

/* The relation of a matching Pod to a workload, or why a workload yields fewer pods. */
static char *beside_text(const struct selector_walk *walk, const struct unit *unit)
{
    const struct cluster *cluster = walk->report->context->cluster;

    if (unit->object->kind == OBJECT_POD)
        return cluster_read_relation(cluster, walk->state->ns, (const struct pod *)unit->object);
    return object_is_workload(unit->object) ? fewer_text(walk, unit->object) : NULL;
}

static char *whole_text(const struct selector_walk *walk, const struct unit *unit)
{
    g_autofree char *text = matching_text(unit), *beside = beside_text(walk, unit);

    return beside ? g_strdup_printf("%s; %s", text, beside) : g_steal_pointer(&text);
}

static char *unit_name(const struct object *object)
{
    if (object->kind == OBJECT_POD)
        return g_strdup(object->name);
    return g_strdup_printf("%s/%s", object_kind_name(object->kind), object->name);
}

static void put_step(const struct selector_walk *walk, const char *ns, const char *name,
                     bool counts, const char *text)
{
    struct json *json = walk->report->json;

    json_open(json, NULL);
    json_text(json, "step", "pod");
    json_text(json, "namespace", ns);
    json_text(json, "name", name);
    json_bool(json, "counts", counts);
    json_text(json, "text", text);
}

static void write_unit(const struct selector_walk *walk, const struct unit *unit)
{
    g_autofree char *name = unit_name(unit->object);
    g_autofree char *text = unit->n > 0 ? whole_text(walk, unit)
                            : unit->score > 0
                                ? difference(walk->state->object->selector, labels_of(unit->object))
                                : absent_text(walk, unit);

    put_step(walk, walk->state->ns->name, name, unit->n_counting > 0, text);
    json_position(walk->report->json, "position", unit->object);
    json_close_line(walk->report->json);
}

static void write_rest(const struct selector_walk *walk, unsigned n)
{
    g_autofree char *text = g_strdup_printf("and %u more that match no better", n);

    put_step(walk, walk->state->ns->name, NULL, false, text);
    json_close_line(walk->report->json);
}

/* What a selector would match if it were in the Service's namespace. */
struct elsewhere_walk {
    const struct labels *selector;
    const struct ns *own;
    GPtrArray *objects; /* const struct object * */
};

static void add_elsewhere(void *userdata, const struct object *object)
{
    const struct elsewhere_walk *elsewhere = userdata;

    if (labels_match(elsewhere->selector, labels_of(object)))
        g_ptr_array_add(elsewhere->objects, (void *)(uintptr_t)object);
}

static void look_elsewhere(void *userdata, const struct ns *ns)
{
    struct elsewhere_walk *elsewhere = userdata;

    if (ns != elsewhere->own)
        cluster_read_members(ns, add_elsewhere, elsewhere);
}

static int compare_elsewhere(gconstpointer a, gconstpointer b)
{
    const struct object *x = *(const struct object *const *)a;
    const struct object *y = *(const struct object *const *)b;
    int by_namespace = strcmp(x->ns, y->ns);

    return by_namespace ? by_namespace : strcmp(x->name, y->name);
}

static void write_elsewhere(const struct selector_walk *walk)
{
    g_autoptr(GPtrArray) objects = g_ptr_array_new();
    struct elsewhere_walk elsewhere = {walk->state->object->selector, walk->state->ns, objects};

    cluster_read_namespaces(walk->report->context->cluster, look_elsewhere, &elsewhere);
    g_ptr_array_sort(objects, compare_elsewhere);
    for (guint i = 0; i < MIN(objects->len, ELSEWHERE_MAX); i++) {
        const struct object *object = objects->pdata[i];
        g_autofree char *name = unit_name(object);

        put_step(walk, object->ns, name, false,
                 "the labels match, but a Service selects only in its own namespace");
        json_position(walk->report->json, "position", object);
        json_close_line(walk->report->json);
    }
}

static int compare_units(gconstpointer a, gconstpointer b)
{
    const struct unit *x = *(const struct unit *const *)a, *y = *(const struct unit *const *)b;

    if ((x->n_counting > 0) != (y->n_counting > 0))
        return x->n_counting > 0 ? -1 : 1;
    if ((x->n > 0) != (y->n > 0))
        return x->n > 0 ? -1 : 1;
    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    if (x->object->kind != y->object->kind)
        return x->object->kind < y->object->kind ? -1 : 1;
    return strcmp(x->object->name, y->object->name);
}

static GPtrArray *sorted_units(const struct selector_walk *walk)
{
    GPtrArray *units = g_ptr_array_new();
    GHashTableIter iter;
    void *unit;

    g_hash_table_iter_init(&iter, walk->units);
    while (g_hash_table_iter_next(&iter, NULL, &unit))
        g_ptr_array_add(units, unit);
    g_ptr_array_sort(units, compare_units);
    return units;
}

/* Is the first of these one that the selector selects? */
static bool has_selected(const GPtrArray *units)
{
    if (units->len == 0)
        return false;
    const struct unit *best = units->pdata[0];
    return best->n > 0 || best->score == 0;
}

void selector_report_write(const struct report *report, const struct service_state *state)
{
    const struct cluster *cluster = report->context->cluster;
    struct service_view view;
    struct selector_walk walk = {.report = report, .state = state};
    unsigned n_matching = 0, n_others = 0, n_left = 0;

    cluster_read_service_open(cluster, state, &view);
    walk.source = view.source;
    cluster_read_service_close(&view);
    walk.units = g_hash_table_new_full(NULL, NULL, NULL, unit_free);
    cluster_read_endpoints(cluster, state, add_candidate, &walk);
    if (state->object->selector)
        cluster_read_members(state->ns, add_member, &walk);
    g_autoptr(GPtrArray) units = sorted_units(&walk);
    if (state->object->selector && !has_selected(units))
        write_elsewhere(&walk);
    for (guint i = 0; i < units->len; i++) {
        const struct unit *unit = units->pdata[i];
        bool others = unit->n == 0;

        if (others ? n_others++ < OTHERS_MAX : n_matching++ < MATCHING_MAX)
            write_unit(&walk, unit);
        else
            n_left++;
    }
    if (n_left > 0)
        write_rest(&walk, n_left);
    g_hash_table_unref(walk.units);
}
