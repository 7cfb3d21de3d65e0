/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keys of a snapshot's records, for snapshot_writer_put and _remove.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/util/address.h"
#include "lib/util/error.h"
#include <kubesvc/limits.h>

struct record_key {
    size_t length;
    uint8_t bytes[1 + KUBESVC_NAME_MAX];
};

void record_key_settings(struct record_key *key);
void record_key_address(struct record_key *key, const struct address *address);

/* False: too long for any name that can be looked up. Store nothing then. */
MUST_USE bool record_key_namespace(struct record_key *key, const char *ns);
MUST_USE bool record_key_service(struct record_key *key, const char *service, const char *ns);
