/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Quantities of resources: 500m, 1.5, 64Mi, 1e3.
 */
#pragma once

#include <stdbool.h>

/* False: malformed. */
bool quantity_parse(const char *text, double *value);
