/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How fresh the copy of a cluster is, as text; `cluster` is an element of the status's `clusters`.
 */
#pragma once

#include "value.h"

char *copy_text(yajl_val cluster); /* free with g_free */
