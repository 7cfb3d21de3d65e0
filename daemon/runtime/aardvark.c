/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The format is aardvark-dns' own, documented in its config.md and unchanged since 1.0. Only the
 * infra container of a pod is in the file. Its further names, those of other containers among them,
 * are not unique and are skipped.
 */
#include <string.h>

#include "parse.h"

#define INTERNAL_END "%int" /* of the name of a network that does not lead outside */
#define FIELDS 4u           /* that an entry has at least */

enum { FIELD_ID, FIELD_INET, FIELD_INET6, FIELD_NAMES };

char *aardvark_network(const char *file)
{
    if (*file == '.' || strcmp(file, "aardvark.pid") == 0 || strcmp(file, "aardvark.lock") == 0)
        return NULL;
    size_t length = strlen(file);
    if (g_str_has_suffix(file, INTERNAL_END))
        length -= strlen(INTERNAL_END);
    return g_strndup(file, length);
}

/* "10.89.0.2,10.89.0.3"; false: one of them is invalid. The list may be empty. */
static bool add_addresses(struct sighting *sighting, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, ",");
        struct address address;

        if (!address_parse(&address, text, length))
            return false;
        sighting_add(sighting, &address);
        text += length + (text[length] == ',');
    }
    return true;
}

/* False: the line is not an entry. */
static bool parse_entry(const char *network, const char *line, int64_t since, GPtrArray *sightings)
{
    g_auto(GStrv) fields = g_strsplit(line, " ", FIELDS + 1);
    if (g_strv_length(fields) < FIELDS || *fields[FIELD_ID] == '\0')
        return false;
    g_autofree char *name = g_strndup(fields[FIELD_NAMES], strcspn(fields[FIELD_NAMES], ","));
    if (*name == '\0')
        return false;
    struct sighting *sighting = sighting_new(RUNTIME_PODMAN, NULL, name, network);
    sighting->since = since;
    if (!add_addresses(sighting, fields[FIELD_INET]) ||
        !add_addresses(sighting, fields[FIELD_INET6])) {
        sighting_free(sighting);
        return false;
    }
    if (sighting->n_addresses > 0)
        g_ptr_array_add(sightings, sighting);
    else
        sighting_free(sighting);
    return true;
}

static bool parse_head(const char *line)
{
    g_autofree char *first = g_strndup(line, strcspn(line, ", "));
    struct address address;

    return address_parse(&address, first, strlen(first));
}

int aardvark_parse(const char *file, const struct runtime_text *text, GPtrArray *sightings,
                   char **problemp)
{
    g_autofree char *network = aardvark_network(file);
    const char *at = text->text, *end = at + text->length;

    if (text->length == 0 || end[-1] != '\n')
        return PARSE_PARTIAL;
    for (unsigned n = 1; at < end; n++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        g_autofree char *line = g_strndup(at, (size_t)(stop - at));

        at = stop + 1;
        if (g_str_has_suffix(line, "\r"))
            line[strlen(line) - 1] = '\0';
        if (n == 1 ? parse_head(line)
                   : *line == '\0' || parse_entry(network, line, text->since, sightings))
            continue;
        *problemp = g_strdup_printf("line %u is not an aardvark-dns entry", n);
        return PARSE_BAD;
    }
    return PARSE_DONE;
}
