/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * After a miss: what may have been meant.
 */
#pragma once

#include "service_ref.h"

/* Writes "near" steps for what may have been meant by a Service that does not exist, or that has
 * nothing below it of that name; at most `most`. Returns how many. */
unsigned suggestions_write(const struct report *report, const struct service_ref *ref,
                           unsigned most);
