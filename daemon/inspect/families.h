/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why a Service has addresses of one family only.
 */
#pragma once

#include "report.h"

/* "no IPv6 address: ...", or NULL if it has addresses of both families, or none. To be freed with
 * g_free. */
char *families_why_one(const struct report *report, const struct service_state *state);
