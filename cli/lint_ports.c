/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Service's ports against those of the containers that it selects: connections to a port without
 * a listener are refused, although the name resolves. Containers that state no port at all may
 * listen anywhere; numbers are not reported then.
 */
#include "lint.h"

#include <string.h>

#define SHOWN 5u /* ports that the containers do have, in a message */

struct containers {
    bool silent;      /* one of them states no port */
    GPtrArray *ports; /* struct ports * */
};

/* Whose containers they are, by the example of the first; NULL: there are none. */
static const struct object *collect(struct containers *containers, const GPtrArray *selected)
{
    const struct object *example = NULL;
    for (guint i = 0; i < selected->len; i++) {
        const struct object *object = selected->pdata[i];
        struct ports *ports = lint_model_pod_spec(object)->ports;
        containers->silent |= !ports;
        if (ports)
            g_ptr_array_add(containers->ports, ports);
        if (!example || strcmp(object->name, example->name) < 0)
            example = object;
    }
    return example;
}

static bool is_listened_at(const struct containers *containers, const struct port_target *target)
{
    if (!target->name && (target->number == 0 || containers->silent))
        return true;
    for (guint i = 0; i < containers->ports->len; i++) {
        const struct ports *ports = containers->ports->pdata[i];
        for (uint32_t j = 0; j < ports->n; j++) {
            const struct port *port = &ports->items[j];
            if (!target->name && port->number == target->number)
                return true;
            /* a name is looked for together with the protocol, a number is not */
            if (target->name && port->name && strcmp(port->name, target->name) == 0 &&
                port->protocol == target->protocol)
                return true;
        }
    }
    return false;
}

static gint compare_ports(gconstpointer a, gconstpointer b)
{
    return (int)((const struct port *)a)->number - (int)((const struct port *)b)->number;
}

static char *list_ports(const struct containers *containers)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct port));
    GString *text = g_string_new(NULL);
    uint16_t last = 0;
    unsigned shown = 0;
    for (guint i = 0; i < containers->ports->len; i++) {
        const struct ports *ports = containers->ports->pdata[i];
        g_array_append_vals(all, ports->items, ports->n);
    }
    g_array_sort(all, compare_ports);
    for (guint i = 0; i < all->len && shown < SHOWN; i++) {
        const struct port *port = &g_array_index(all, struct port, i);
        if (port->number == last)
            continue;
        g_string_append_printf(text, "%s%u", shown++ > 0 ? ", " : "", port->number);
        if (port->name)
            g_string_append_printf(text, " (%s)", port->name);
        last = port->number;
    }
    return g_string_free(text, FALSE);
}

/* The targets that lead nowhere: their number, the first of them, and all as a text. */
static unsigned find_lost(const struct lint_record *record, const struct containers *containers,
                          const struct port_target **first, GString *text)
{
    unsigned n = 0;
    for (guint i = 0; i < record->targets->len; i++) {
        const struct port_target *target = &g_array_index(record->targets, struct port_target, i);
        if (is_listened_at(containers, target))
            continue;
        if (n++ == 0)
            *first = target;
        else
            g_string_append(text, ", ");
        if (target->name)
            g_string_append(text, target->name);
        else
            g_string_append_printf(text, "%u", target->number);
    }
    return n;
}

void lint_ports(const struct lint_record *record, const GPtrArray *selected,
                struct check_report *report)
{
    g_autoptr(GPtrArray) ports = g_ptr_array_new();
    g_autoptr(GString) lost = g_string_new(NULL);
    g_autofree char *present = NULL;
    struct containers containers = {.ports = ports};
    const struct port_target *first = NULL;
    const struct object *example = collect(&containers, selected);
    if (!example)
        return;
    unsigned n = find_lost(record, &containers, &first, lost);
    if (n == 0)
        return;
    present = list_ports(&containers);
    check_report_add(report, DIAGNOSTIC_WARNING, "target-port", record->object, first->position,
                     "%s %s%s: no container that it selects has %s; %s %s has %s",
                     first->implied ? "port" : "targetPort", lost->str,
                     first->implied ? ", without a targetPort" : "",
                     n == 1 ? "this port" : "these ports", object_kind_name(example->kind),
                     example->name, *present ? present : "none");
}
