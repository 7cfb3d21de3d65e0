/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as a YAML document: what the block reader accepts, libyaml reads alike.
 */
#include <stdint.h>

#include "tests/unit/two_readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *block = two_readers_read((const char *)data, size, 4096, true);
    g_autofree char *libyaml = block ? two_readers_read((const char *)data, size, 64, false) : NULL;

    g_assert_cmpstr(block, ==, libyaml);
    return 0;
}
