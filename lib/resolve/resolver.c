/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The resolver: rejects names outside the zone and follows ExternalNames from one name inside it to
 * the next; lookup.c answers a single name inside the zone.
 *
 * Addresses have records of their own for reverse lookups, which would otherwise need a scan of the
 * whole store.
 */
#include "resolver.h"

#include <string.h>

#include "inet.h"
#include "lookup.h"
#include "name.h"
#include "settings.h"

static void names_begin(struct resolver_names *names)
{
    names->count = names->size = 0;
}

static bool names_add(struct resolver_names *names, const void *text, size_t length)
{
    if (names->count >= KUBESVC_NAMES_MAX || length > KUBESVC_NAME_MAX)
        return false;
    if (length + 1 > (size_t)names->capacity - names->size) {
        names->full = true;
        return false;
    }
    memcpy(names->text + names->size, text, length);
    names->text[names->size + length] = '\0';
    names->size = (uint16_t)(names->size + length + 1);
    names->count++;
    return true;
}

static void names_drop_last(struct resolver_names *names, size_t length)
{
    names->size = (uint16_t)(names->size - length - 1);
    names->count--;
}

/* Is the last name one of those before it? */
static bool names_repeat(const struct resolver_names *names, const char *last, size_t length)
{
    for (const char *name = names->text; name < last; name += strlen(name) + 1) {
        if (name_equal(name, strlen(name), last, length))
            return true;
    }
    return false;
}

/* Enters a name's zone and cuts it and its dot off; false if it is in none (rules 14 and 15). */
static bool cut_zone(struct settings *settings, const char *name, size_t *length)
{
    if (!settings_enter(settings, name, *length))
        return false;
    *length -= settings->zone_length;
    if (*length > 0)
        (*length)--;
    return true;
}

/* Follows a chain to its end, from zone to zone; `lookup` receives what is there, and the flags of
 * its start. */
static enum resolver_outcome resolve(struct settings *settings, const char *name, size_t length,
                                     struct lookup *lookup, struct resolver_names *names)
{
    unsigned flags = 0;

    if ((settings->flags & KUBESVC_SETTINGS_EMPTY) != 0 || !names_add(names, name, length) ||
        !cut_zone(settings, name, &length))
        return RESOLVER_NOT_OURS;

    for (unsigned links = 0;; links++) { /* rule 57 */
        *lookup = (struct lookup){.view = lookup->view, .settings = settings};
        enum resolver_outcome outcome = lookup_name(lookup, name, length);

        /* Only the first name's flags matter: they describe what the program asked for. */
        flags = links == 0 ? lookup->flags : flags;
        lookup->flags = flags;
        if (lookup->target == NULL) /* a chain that ends in nothing is an alias (rule 59) */
            return links > 0 && outcome != RESOLVER_FOUND ? RESOLVER_NODATA : outcome;
        if (links == KUBESVC_CHAIN_MAX)
            return RESOLVER_NODATA;

        /* Check and use the copy: the arena might change meanwhile. */
        name = names->text + names->size;
        length = lookup->target_length;
        if (!names_add(names, lookup->target, length))
            return RESOLVER_NODATA;
        if (!name_is_valid(name, length)) { /* then it is no alias either */
            names_drop_last(names, length);
            return RESOLVER_NODATA;
        }
        if (names_repeat(names, name, length)) /* a loop (rule 59) */
            return RESOLVER_NODATA;
        if (!cut_zone(settings, name, &length))
            return RESOLVER_EXTERNAL;
    }
}

/* The part of an outcome that concerns one family. */
static void answer_family(const struct lookup *lookup, enum resolver_outcome outcome,
                          enum kubesvc_family family, struct resolver_answer *answer)
{
    bool inet6 = family == KUBESVC_FAMILY_INET6;

    answer->outcome = outcome;
    answer->flags = lookup->flags;
    answer->addresses = NULL;
    answer->n_addresses = 0;
    if (outcome != RESOLVER_FOUND)
        return;
    answer->addresses = inet6 ? lookup->set.inet6 : lookup->set.inet;
    answer->n_addresses = inet6 ? lookup->set.n_inet6 : lookup->set.n_inet;
    if (answer->n_addresses == 0)
        answer->outcome = RESOLVER_NODATA; /* rule 4 */
    if (answer->addresses == lookup->literal || answer->addresses == lookup->literal + 12) {
        memcpy(answer->literal, lookup->literal, sizeof answer->literal);
        answer->addresses = answer->literal + (inet6 ? 0 : 12);
    }
}

void resolver_name(const struct snapshot_view *view, const struct settings *settings,
                   const char *name, size_t length, struct resolver_answer *inet,
                   struct resolver_answer *inet6, struct resolver_names *names)
{
    struct lookup lookup = {.view = view};
    enum resolver_outcome outcome = RESOLVER_NOT_OURS;
    struct settings current;

    names_begin(names);
    if (settings != NULL)
        current = *settings;
    if (settings != NULL || settings_open(&current, view))
        outcome = resolve(&current, name, length, &lookup, names);
    answer_family(&lookup, outcome, KUBESVC_FAMILY_INET, inet);
    answer_family(&lookup, outcome, KUBESVC_FAMILY_INET6, inet6);
}

/* Does an address lie in an allocatable range? Then no other service can know it. */
static bool is_in_ranges(const struct settings *settings, const uint8_t address[static 16])
{
    const struct kubesvc_range *ranges = (const void *)settings->ranges;
    bool inet = inet_is_mapped(address);

    for (uint32_t i = 0; i < settings->n_ranges; i++) {
        uint32_t prefix = snapshot_u32(&ranges[i].prefix);
        unsigned whole = prefix / 8, mask = 0xff00u >> prefix % 8 & 0xff;

        /* An IPv6 range holds no IPv4, not even ::/0. */
        if (prefix > 128 || (inet && prefix < 96) || memcmp(ranges[i].address, address, whole) != 0)
            continue;
        if (mask == 0 || ((ranges[i].address[whole] ^ address[whole]) & mask) == 0)
            return true;
    }
    return false;
}

/* "<name>.svc.<zone>" of "<name>" or "<name>@<zone>" into `names`; false if that is not a valid
 * host name. */
static bool names_add_in_zone(struct resolver_names *names, const uint8_t *name, size_t length,
                              const struct settings *settings)
{
    static const char svc[] = {'.', 's', 'v', 'c', '.'};
    const uint8_t *at = memchr(name, '@', length);
    const void *zone = at ? at + 1 : (const void *)settings->zone;
    size_t zone_length = at ? length - (size_t)(at + 1 - name) : settings->zone_length;
    char text[KUBESVC_NAME_MAX], *end = text;

    if (at)
        length = (size_t)(at - name);
    if (length > sizeof text || zone_length > sizeof text ||
        length + sizeof svc + zone_length > sizeof text)
        return false;
    end = mempcpy(end, name, length);
    end = mempcpy(end, svc, sizeof svc);
    end = mempcpy(end, zone, zone_length);
    return name_is_valid(text, (size_t)(end - text)) &&
           names_add(names, text, (size_t)(end - text));
}

void resolver_address(const struct snapshot_view *view, enum kubesvc_family family,
                      const uint8_t address[static 16], struct resolver_answer *answer,
                      struct resolver_names *names)
{
    uint8_t whole[16];
    struct snapshot_record record;
    const struct kubesvc_address *stored;
    struct settings settings;
    const uint8_t *name;
    uint32_t length, flags;

    names_begin(names);
    *answer = (struct resolver_answer){.outcome = RESOLVER_NOT_OURS};
    if (!settings_open(&settings, view) || (settings.flags & KUBESVC_SETTINGS_EMPTY) != 0)
        return;
    inet_map(whole, address, family == KUBESVC_FAMILY_INET ? 4 : sizeof whole);
    stored = lookup_address(view, whole, &record);
    flags = stored == NULL ? KUBESVC_ADDRESS_FOREIGN : snapshot_u32(&stored->flags);
    if ((flags & KUBESVC_ADDRESS_FOREIGN) == 0 || is_in_ranges(&settings, whole))
        answer->outcome = RESOLVER_NXDOMAIN;
    if ((flags & KUBESVC_ADDRESS_NAMED) == 0)
        return;
    name = snapshot_span(record, &stored->name, &length);
    if (name != NULL && names_add_in_zone(names, name, length, &settings))
        answer->outcome = RESOLVER_FOUND;
}
