/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long answers took: a histogram of microseconds.
 */
#pragma once

#include <stdint.h>

#define HISTOGRAM_BUCKETS 14u

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS]; /* per bucket, not cumulative */
    uint64_t sum;                       /* microseconds */
};

/* The greatest value of a bucket; UINT64_MAX for the last one. */
uint64_t histogram_limit(unsigned bucket);

void histogram_add(struct histogram *histogram, uint64_t microseconds);
