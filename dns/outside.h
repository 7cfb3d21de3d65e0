/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What kubesvcd says of an alias in the zone that leads to a name outside it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "exchange.h"
#include <kubesvc/limits.h>

struct outside {
    char names[KUBESVC_NAMES_SIZE_MAX]; /* the alias first, the name with the addresses last, each
                                           followed by NUL */
    unsigned n_names;
    const uint8_t *addresses; /* in the response; all of one family */
    uint32_t n_addresses;
    bool is_inet;
};

/* The status of the answer, which is copied if it is FOUND. TRY_AGAIN: also if there is none that
 * is consistent in itself. */
enum kubesvc_status outside_read(struct outside *outside, const struct exchange_response *response);
