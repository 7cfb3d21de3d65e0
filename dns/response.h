/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A question and a snapshot -> the response of a server of the zone. Knows no sockets and no
 * clients, and queries nothing else.
 */
#pragma once

#include <stdint.h>

#include "lib/resolve/settings.h"
#include "lib/resolve/snapshot.h"
#include "lib/util/endpoint.h"
#include "packet.h"

#define RESPONSE_OUTSIDE_MAX 20480u /* bytes of what kubesvcd says of an alias */

struct response_context {
    const struct snapshot_view *view;
    const char *ns; /* names are also looked up by its search list; NULL: full ones only */
    const union endpoint *own; /* where the question was received */
    uint32_t ttl, serial;      /* of the records, and of the zone */
    uint64_t random;           /* chooses the address that comes first */
};

enum response_result {
    RESPONSE_READY,
    RESPONSE_FOREIGN, /* the name is not ours; nothing is written */
    RESPONSE_OUTSIDE, /* an alias of a name outside the zone, whose addresses must be queried; only
                         the aliases are written */
    RESPONSE_FAILED,  /* the snapshot is damaged or changes too fast */
};

/* Writes answers, authority and additional records, and the response code. `message` has just begun
 * or been rewound; its question is of class IN. OUTSIDE: `outside` is the alias in the zone, NUL
 * at its end. */
enum response_result response_write(const struct response_context *context, struct packet *packet,
                                    char outside[static KUBESVC_NAME_MAX + 1]);

/* Writes the result for an alias: `names` of its chain, the alias first, the name with the
 * addresses last, each followed by NUL; and the addresses, of the question's type. */
void response_write_outside(const struct response_context *context, struct packet *packet,
                            const char *names, unsigned n_names, const uint8_t *addresses,
                            uint32_t n_addresses);
