/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing to a file, all of it.
 */
#pragma once

#include <stddef.h>

#include "error.h"

/* Negative errno: only the first *done bytes are written. */
MUST_USE int write_all(int fd, const char *text, size_t size, size_t *done);
