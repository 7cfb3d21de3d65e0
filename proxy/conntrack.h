/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel remembers of flows of UDP. A connection of TCP ends with its endpoint; a flow of
 * UDP would go on to one that has vanished for as long as datagrams come.
 */
#pragma once

#include "lib/forward/ruleset.h"

/* Makes the kernel forget the flows to Services that lead elsewhere now (ruleset_flows): their next
 * datagram is forwarded as the table says. */
void conntrack_forget(const struct ruleset *ruleset);
