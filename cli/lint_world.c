/*
 * The rules of the whole world, each object in force in its turn; and what concerns several at
 * once.
 */
#include "lint.h"

static void check_duplicate(const struct world *world, const struct record *record,
                            struct findings *findings)
{
    const struct object *object = record->object;
    const struct record *in_force =
        world_find(world, (enum object_kind)object->kind, object->namespace, object->name);
    if (in_force == record)
        return;
    findings_add(findings, DIAGNOSTIC_WARNING, "duplicate-object", object, record->name,
                 "the same object is at %s:%u:%u, too, and only that one counts",
                 in_force->object->source->path, in_force->object->line, in_force->object->column);
}

/* Once for each namespace: at its own object, or else at the first Service in it. */
static void check_public_domain(const struct world *world, const struct record *record,
                                GHashTable *told, struct findings *findings)
{
    const struct object *object = record->object;
    const char *name = object->namespace;
    bool is_namespace = object->kind == OBJECT_NAMESPACE;
    if (!is_namespace &&
        (object->kind != OBJECT_SERVICE || world_find(world, OBJECT_NAMESPACE, name, name)))
        return;
    if (!lint_is_public_domain(name) || !g_hash_table_add(told, (gpointer)(uintptr_t)name))
        return;
    findings_add(findings, DIAGNOSTIC_WARNING, "public-domain", object, record->namespace,
                 "%s is a domain of public DNS, too: a Service api in this namespace takes the "
                 "place of the host api.%s",
                 name, name);
}

void lint_world(struct world *world, struct findings *findings)
{
    const GPtrArray *records = world_records(world);
    g_autoptr(GHashTable) told = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < records->len; i++) {
        const struct record *record = records->pdata[i];
        check_duplicate(world, record, findings);
        if (!world_is_in_force(world, record))
            continue;
        check_public_domain(world, record, told, findings);
        lint_name(record, findings);
        if (record->object->broken) /* what is missing may be what could not be read */
            continue;
        if (record->object->kind == OBJECT_SERVICE)
            lint_service(world, record, findings);
        if (object_is_workload(record->object))
            lint_workload(world, record, findings);
        if (world_pod_spec(record->object))
            lint_pod_spec(world, record, findings);
    }
}
