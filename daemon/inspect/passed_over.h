/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is in the directories of manifests and is not read, because of its name.
 */
#pragma once

#include "report.h"

/* "has another ending than .yaml, .yml or .json" */
const char *passed_over_text(enum loader_why why);

/* Writes the list "passedOver": how many for which reason, and the first of them by path. */
void passed_over_write(const struct report *report);
