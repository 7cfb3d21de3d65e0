/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Everything is passed on. The model reports more Services as changed than have changed, so the
 * listener only notes them, and looks at them once everything has been worked out.
 */
#include "service_tap.h"

static void on_namespace(void *userdata, const char *name, bool exists, bool exposed)
{
    const struct service_tap *tap = userdata;

    tap->next->ns(tap->next->userdata, name, exists, exposed);
}

static void on_service(void *userdata, const struct zone_service *service)
{
    const struct service_tap *tap = userdata;

    tap->changed(tap->userdata, service->ns, service->name);
    tap->next->service(tap->next->userdata, service);
}

static void on_service_gone(void *userdata, const char *ns, const char *name)
{
    const struct service_tap *tap = userdata;

    tap->changed(tap->userdata, ns, name);
    tap->next->service_gone(tap->next->userdata, ns, name);
}

static void on_address(void *userdata, const struct zone_address *address)
{
    const struct service_tap *tap = userdata;

    tap->next->address(tap->next->userdata, address);
}

static void on_address_gone(void *userdata, const struct address *address)
{
    const struct service_tap *tap = userdata;

    tap->next->address_gone(tap->next->userdata, address);
}

void service_tap_init(struct service_tap *tap, const struct zone_sink *next,
                      service_tap_changed changed, void *userdata)
{
    *tap = (struct service_tap){
        .sink = {.ns = on_namespace,
                 .service = on_service,
                 .service_gone = on_service_gone,
                 .address = on_address,
                 .address_gone = on_address_gone,
                 .userdata = tap},
        .next = next,
        .changed = changed,
        .userdata = userdata,
    };
}
