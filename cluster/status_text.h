/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an API server says when it refuses: the Status object in the body of its response; and what
 * libcurl says when there was none.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* "HTTP 403: services is forbidden: ..."; free with g_free. */
char *status_text(long code, const char *body, size_t size);

/* Without times and counts, which are different each time: equal problems are logged once. Free
 * with g_free. */
char *transport_text(const char *text);

/* Was a version requested that the server has not reached yet? `body` may be NULL. */
bool status_is_from_the_future(unsigned code, const char *body);
