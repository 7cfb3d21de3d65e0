/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The account of all manifests together: how much each source's objects use. The limits are far
 * beyond what a cluster holds that Kubernetes supports, and a daemon whose manifests exhaust them
 * needs a few gigabytes. What is computed from the objects has limits of its own: ENDPOINTS_MAX
 * (service.h), ACCOUNT_REPLICAS_MAX.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ACCOUNT_OBJECTS_MAX (UINT32_C(1) << 19)
#define ACCOUNT_LABELS_MAX (UINT32_C(1) << 23) /* pairs, of selectors too */
#define ACCOUNT_BYTES_MAX (UINT64_C(256) << 20)
#define ACCOUNT_REPLICAS_MAX (UINT32_C(1) << 19) /* of all workloads that are expanded */

struct usage {
    uint64_t objects, labels, bytes;
};

struct account {
    unsigned references;
    struct usage used;
    unsigned n_refusing; /* sources with refused objects */
};

struct account *account_new(void);
struct account *account_ref(struct account *account); /* NULL stays NULL */
void account_unref(struct account *account);

void usage_add(struct usage *usage, const struct usage *more);
void usage_subtract(struct usage *usage, const struct usage *less);

/* What would be exceeded by adding `more` to `used`; NULL: nothing. For a message that says that
 * all manifests together have more than that: "524288 objects". */
const char *usage_exceeds(const struct usage *used, const struct usage *more);
