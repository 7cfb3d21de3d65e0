/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Latency: counts over a fixed scale. No percentiles and no time window: a reader can derive both
 * from two samples.
 */
#include "histogram.h"

static const uint64_t limits[HISTOGRAM_BUCKETS] = {
    10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000, 250000, 1000000, UINT64_MAX};

uint64_t histogram_limit(unsigned bucket)
{
    return limits[bucket];
}

void histogram_add(struct histogram *histogram, uint64_t microseconds)
{
    unsigned bucket = 0;

    while (microseconds > limits[bucket])
        bucket++;
    histogram->counts[bucket]++;
    histogram->sum += microseconds;
}
