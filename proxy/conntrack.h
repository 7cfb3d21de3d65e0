/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's memory of UDP flows. A TCP connection ends with its endpoint; a UDP flow would
 * continue to a vanished one for as long as datagrams come.
 */
#pragma once

#include "lib/forward/ruleset.h"

/* Makes the kernel forget the flows to Services that lead elsewhere now (ruleset_flows): their next
 * datagram is forwarded as the table says. `ranges` (struct address_range, or NULL): forget also
 * the forwarded flows to addresses in them that the ruleset does not have, which are left from
 * Services that were removed while no proxy was running. */
void conntrack_forget(const struct ruleset *ruleset, const GArray *ranges);
