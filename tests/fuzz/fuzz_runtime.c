/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as a file of a container runtime. The first one chooses the format. What is said to be
 * read well is complete, and what is not says why.
 */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/runtime/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void free_sighting(gpointer sighting)
{
    sighting_free(sighting);
}

static int parse(uint8_t format, const struct runtime_text *text, GPtrArray *sightings,
                 char **problemp)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);

    switch (format % 4) {
    case 0: return aardvark_parse("net", text, sightings, problemp);
    case 1: return libcni_parse(text, NULL, sightings, problemp);
    case 2: return kubelet_parse("ns", "pod", text, sightings, problemp);
    default: return quadlet_parse("/etc", text, paths, problemp);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GPtrArray) sightings = g_ptr_array_new_with_free_func(free_sighting);
    g_autofree char *problem = NULL;

    if (size < 1)
        return 0;
    g_autofree char *content = g_malloc(size);
    memcpy(content, data + 1, size - 1);
    content[size - 1] = '\0';
    int r = parse(data[0], &(struct runtime_text){.text = content, .length = size - 1}, sightings,
                  &problem);
    if ((r == PARSE_BAD) != (problem != NULL) && data[0] % 4 != 3)
        abort();
    for (guint i = 0; i < sightings->len; i++) {
        const struct sighting *sighting = sightings->pdata[i];
        if (*sighting->name == '\0' || sighting->n_addresses == 0)
            abort();
    }
    return 0;
}
