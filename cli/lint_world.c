/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rules of the whole world, each object in force in its turn; and what concerns several at
 * once.
 */
#include <string.h>

#include "lib/util/hash.h"
#include "lint.h"

static void check_duplicate(const struct lint_model *model, const struct lint_record *record,
                            struct check_report *report)
{
    const struct object *object = record->object;
    const struct lint_record *in_force =
        lint_model_find(model, (enum object_kind)object->kind, object->ns, object->name);
    if (in_force == record)
        return;
    bool refused = object->refused && !in_force->object->refused;
    check_report_add(report, DIAGNOSTIC_WARNING, "duplicate-object", object, record->name,
                     "object also defined at %s:%u:%u; only that definition counts%s",
                     in_force->object->source->path, in_force->object->line,
                     in_force->object->column,
                     refused ? ", because the API server rejects this one" : "");
}

/* Names that are valid, and do not work all the same. */
static void check_name(const struct lint_record *record, struct check_report *report)
{
    const struct object *object = record->object;
    if (object->kind != OBJECT_SERVICE && object->kind != OBJECT_NAMESPACE)
        return;
    if (object->name[strspn(object->name, "0123456789")] == '\0')
        check_report_add(
            report, DIAGNOSTIC_WARNING, "numeric-name", object, record->name,
            "libc takes a name of digits for an address, so it is never looked up as a short name");
    if (object->kind == OBJECT_SERVICE && strcmp(object->name, "localhost") == 0)
        check_report_add(report, DIAGNOSTIC_WARNING, "localhost", object, record->name,
                         "the short name localhost always means this host");
}

/* `owners`: struct address -> the record of the first Service that has it. */
static void check_addresses(const struct lint_record *record, GHashTable *owners,
                            struct check_report *report)
{
    const struct service *service = (const struct service *)record->object;
    if (record->object->kind != OBJECT_SERVICE || service->type == SERVICE_EXTERNAL_NAME)
        return;
    for (uint32_t i = 0; i < service->cluster_ips.n; i++) {
        const struct address *address = &service->cluster_ips.items[i];
        const struct lint_record *other = g_hash_table_lookup(owners, address);
        char text[ADDRESS_TEXT_MAX];
        if (!other) {
            g_hash_table_insert(owners, (gpointer)(uintptr_t)address, (gpointer)(uintptr_t)record);
            continue;
        }
        if (other == record)
            continue;
        address_format(address, text);
        check_report_add(report, DIAGNOSTIC_ERROR, "duplicate-address", record->object,
                         record->cluster_ip,
                         "the cluster IP %s is also that of Service %s/%s (%s:%u); the API server "
                         "rejects the second",
                         text, other->object->ns, other->object->name, other->object->source->path,
                         other->object->line);
    }
}

/* Once for each namespace: at its own object, or else at the first Service in it. */
static void check_public_domain(const struct lint_model *model, const struct lint_record *record,
                                GHashTable *told, struct check_report *report)
{
    const struct object *object = record->object;
    const char *name = object->ns;
    bool is_namespace = object->kind == OBJECT_NAMESPACE;
    if (!is_namespace &&
        (object->kind != OBJECT_SERVICE || lint_model_find(model, OBJECT_NAMESPACE, name, name)))
        return;
    if (!lint_is_public_domain(name) || !g_hash_table_add(told, (gpointer)(uintptr_t)name))
        return;
    check_report_add(
        report, DIAGNOSTIC_WARNING, "public-domain", object, record->ns,
        "%s is also a domain of public DNS: a Service api in this namespace hides the host api.%s",
        name, name);
}

void lint_world(struct lint_model *model, struct check_report *report)
{
    const GPtrArray *records = lint_model_records(model);
    g_autoptr(GHashTable) told = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) owners = g_hash_table_new(hash_address, equal_address);
    for (guint i = 0; i < records->len; i++) {
        const struct lint_record *record = records->pdata[i];
        check_duplicate(model, record, report);
        if (!lint_model_is_in_force(model, record))
            continue;
        check_public_domain(model, record, told, report);
        check_name(record, report);
        check_addresses(record, owners, report);
        if (record->object->broken) /* what is missing may be what could not be read */
            continue;
        if (record->object->kind == OBJECT_SERVICE)
            lint_service(model, record, report);
        if (object_is_workload(record->object))
            lint_workload(model, record, report);
        if (lint_model_pod_spec(record->object))
            lint_pod_spec(model, record, report);
    }
}
