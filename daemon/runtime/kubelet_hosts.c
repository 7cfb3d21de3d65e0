/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubelet writes a hosts file for each pod, with the pod's addresses after six fixed lines; the
 * directory of the pod's logs, named NAMESPACE_NAME_UID, identifies the pod.
 */
#include <string.h>

#include "parse.h"

#define HEAD "# Kubernetes-managed hosts file"
#define HEAD_POD HEAD "."
#define HEAD_HOST HEAD " (host network)."
#define ALIASES "# Entries added by HostAliases."

char **kubelet_split(const char *directory)
{
    const char *first = strchr(directory, '_'), *last = strrchr(directory, '_');

    if (!first || first == last || first == directory || last == first + 1 || last[1] == '\0')
        return NULL;
    char **parts = g_new0(char *, 4);
    parts[KUBELET_NAMESPACE] = g_strndup(directory, (gsize)(first - directory));
    parts[KUBELET_NAME] = g_strndup(first + 1, (gsize)(last - first - 1));
    parts[KUBELET_UID] = g_strdup(last + 1);
    return parts;
}

/* Of the six fixed lines: localhost, and names of multicast addresses. */
static bool is_fixed(const struct address *address)
{
    return address_is_loopback(address) || (address->bytes[0] == 0xfe && address->bytes[1] == 0);
}

/* The pod's own lines come first, one for each family and with the same names: what containers
 * have added to the file is not about the pod. */
static void add_line(struct sighting *sighting, const char *line, const char **namesp)
{
    size_t length = strcspn(line, " \t");
    struct address address;

    if (!address_parse(&address, line, length) || is_fixed(&address))
        return;
    if (!*namesp)
        *namesp = line + length;
    if (strcmp(*namesp, line + length) == 0)
        sighting_add(sighting, &address);
}

int kubelet_parse(const char *ns, const char *name, const struct runtime_text *text,
                  GPtrArray *sightings, char **problemp)
{
    if (text->length == 0 || text->text[text->length - 1] != '\n')
        return PARSE_PARTIAL;
    if (g_str_has_prefix(text->text, HEAD_HOST))
        return PARSE_DONE;
    if (!g_str_has_prefix(text->text, HEAD_POD)) {
        *problemp = g_strdup("is not a hosts file written by kubelet");
        return PARSE_BAD;
    }
    g_auto(GStrv) lines = g_strsplit_set(text->text, "\r\n", -1);
    struct sighting *sighting = sighting_new(RUNTIME_KUBELET, ns, name, NULL);
    const char *names = NULL;
    sighting->since = text->created;
    sighting->attested = text->untouched;
    for (char **line = lines + 1; *line && strcmp(*line, ALIASES) != 0; line++)
        add_line(sighting, *line, &names);
    if (sighting->n_addresses > 0)
        g_ptr_array_add(sightings, sighting);
    else
        sighting_free(sighting);
    return PARSE_DONE;
}
