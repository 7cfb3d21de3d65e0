/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long answers took: a histogram of microseconds.
 */
#pragma once

#include <stdint.h>

#define LATENCY_BUCKETS 14u

struct latency {
    uint64_t counts[LATENCY_BUCKETS]; /* each of its own bucket, not of those below */
    uint64_t sum;                     /* microseconds */
};

/* The greatest value of a bucket; UINT64_MAX for the last one. */
uint64_t latency_limit(unsigned bucket);

void latency_add(struct latency *latency, uint64_t microseconds);
