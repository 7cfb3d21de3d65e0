/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as a manifest. The first one chooses how they arrive.
 */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/manifest/manifest.h"
#include "lib/util/diagnostic.h"
#include "tests/unit/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct manifest_options options = {.default_namespace = "default",
                                             .max_size = UINT64_C(1) << 20};

    if (size == 0)
        return 0;
    struct bytes bytes = {(const char *)data + 1, size - 1, data[0] < 64 ? data[0] + 1u : 65536};
    struct source *source = source_new("/fuzz", 0, true, NULL);
    g_autoptr(GPtrArray) objects = NULL, diagnostics = NULL;
    int r = manifest_read(source, &options, bytes_give, &bytes, &objects, &diagnostics);

    g_assert(r == MANIFEST_DONE || r == MANIFEST_BAD);
    g_assert(r == MANIFEST_DONE || (diagnostics->len > 0 && objects->len == 0));
    for (guint i = 0; i < objects->len; i++) {
        const struct object *object = objects->pdata[i];

        g_assert(dns_label_is_valid(object->ns));
        g_assert(object->document == i && object->line > 0 && object->column > 0);
        g_assert(object->kind != OBJECT_SERVICE || dns_label_is_valid(object->name));
        g_assert(object_equal(object, object));
    }
    for (guint i = 0; i < diagnostics->len; i++)
        g_free(diagnostic_format(diagnostics->pdata[i], "/fuzz"));
    source_unref(source);
    return 0;
}
