/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The node's own addresses, which hostNetwork pods share.
 */
#pragma once

#include <glib.h>

/* Appends (struct address) the source addresses of the default routes, one of each family; loopback
 * if there is no default route at all. Sends nothing. */
void host_addresses(GArray *addresses);
