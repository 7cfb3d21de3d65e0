/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines of the journal. Text, for administrators; a checksum in every line, because a machine may
 * stop in the middle of one.
 */
#include "lease_line.h"

#include <stdlib.h>
#include <string.h>

static const char *const uses[LEASE_USES] = {[LEASE_POD] = "pod", [LEASE_SERVICE] = "service"};
static const char events[] = {[LEASE_TAKEN] = '+', [LEASE_FREED] = '-', [LEASE_DROPPED] = 'x'};

/* FNV-1a: tells a cut or overwritten line from a whole one; forgery is not a concern. */
static uint32_t checksum(const char *text, size_t length)
{
    uint32_t sum = 0x811c9dc5u;
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ (uint8_t)text[i]) * 0x01000193u;
    return sum;
}

void lease_line_append(GString *out, enum lease_event event, const struct lease *lease)
{
    char text[ADDRESS_TEXT_MAX];
    address_format(&lease->address, text);
    gsize start = out->len;
    g_string_append_printf(out, "%c %s %s %s", events[event], uses[lease->use], text, lease->key);
    g_string_append_printf(out, " %08x\n", checksum(out->str + start, out->len - start));
}

static void append_lease(void *userdata, const struct lease *lease)
{
    lease_line_append(userdata, lease->freed ? LEASE_FREED : LEASE_TAKEN, lease);
}

void lease_line_append_all(GString *out, const struct leases *leases)
{
    leases_each(leases, append_lease, out);
}

bool lease_line_restore(char *line, size_t length, struct leases *leases)
{
    char *fields[5];
    char *sum = strrchr(line, ' ');
    if (!sum || strlen(line) != length || length > LEASE_LINE_MAX)
        return false;
    if (strtoul(sum + 1, NULL, 16) != checksum(line, (size_t)(sum - line)))
        return false;
    char *rest = line;
    for (unsigned i = 0; i < 5; i++)
        fields[i] = rest ? strsep(&rest, " ") : NULL;
    struct address address;
    if (!fields[4] || rest || strlen(fields[0]) != 1 ||
        !address_parse(&address, fields[2], strlen(fields[2])))
        return false;
    for (unsigned event = 0; event < G_N_ELEMENTS(events); event++)
        for (unsigned use = 0; use < LEASE_USES; use++)
            if (fields[0][0] == events[event] && strcmp(fields[1], uses[use]) == 0) {
                leases_restore(leases, event, use, &address, fields[3]);
                return true;
            }
    return false;
}
