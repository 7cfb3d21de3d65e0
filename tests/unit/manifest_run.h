/*
 * A manifest reader as the work of a fiber. Header only, because a fuzz target is built from one
 * file.
 */
#pragma once

#include "lib/manifest/manifest.h"

struct manifest_run {
    struct manifest_reader *reader;
    int result; /* of manifest_reader_run, once it has ended */
};

static inline void manifest_run(void *userdata)
{
    struct manifest_run *run = userdata;

    run->result = manifest_reader_run(run->reader);
}
