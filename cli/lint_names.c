/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names that are valid and still do not work: those that libc does not pass on, and namespaces that
 * shadow a part of public DNS.
 */
#include "lint.h"

#include <string.h>

void lint_name(const struct lint_record *record, struct check_report *report)
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
