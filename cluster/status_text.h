/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an API server says when it refuses: the Status object in the body of its response.
 */
#pragma once

#include <stddef.h>

/* "HTTP 403: services is forbidden: ..."; free with g_free. */
char *status_text(long code, const char *body, size_t size);
