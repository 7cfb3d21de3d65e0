/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a name is about: the Service that an absolute name of the zone belongs to.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "report.h"

struct service_ref {
    char *ns, *service; /* as the name says them, in lower case; NAMESPACE@ZONE */
    char *below;        /* what precedes the Service, "web-0" or "_http._tcp"; or NULL */
    const struct service_state *state; /* NULL: there is no such Service */
};

/* False: not a name of a Service or below one in a zone. Clear `ref` anyway. */
bool service_ref_find(struct service_ref *ref, const struct report *report, const char *name);
void service_ref_clear(struct service_ref *ref);

/* Where the answer to a name comes from, to be freed with g_free. */
char *service_ref_origin(const struct report *report, const struct service_ref *ref);

/* The Service that a search is about: of the last name that has one, because a search ends where it
 * finds something; else of the first that could have had one. To be cleared. */
void service_ref_choose(struct service_ref *chosen, const struct report *report,
                        const GPtrArray *tried);
