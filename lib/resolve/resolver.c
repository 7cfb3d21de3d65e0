/*
 * The resolver: names outside the zone are told apart, ExternalNames are followed from one name
 * inside it to the next; what one name inside the zone answers is lookup.c's.
 *
 * What an address is called is answered from a record of its own; reading names backwards would
 * need the whole store.
 */
#include "resolver.h"

#include <string.h>

#include "lookup.h"
#include "name.h"
#include "settings.h"

static const uint8_t inet_prefix[12] = {[10] = 0xff, [11] = 0xff};

static bool names_add(struct resolver_names *names, const void *text, size_t length)
{
    if (names->count >= KUBESVC_NAMES_MAX || length > KUBESVC_NAME_MAX ||
        length + 1 > sizeof names->text - names->size)
        return false;
    memcpy(names->text + names->size, text, length);
    names->text[names->size + length] = '\0';
    names->size = (uint16_t)(names->size + length + 1);
    names->count++;
    return true;
}

/* Cuts the zone and its dot off a name; false if the name is not in the zone (rules 14 and 15). */
static bool cut_zone(const struct settings *settings, const char *name, size_t *length)
{
    if (!name_has_suffix(name, *length, settings->zone, settings->zone_length))
        return false;
    *length -= settings->zone_length;
    if (*length > 0)
        (*length)--;
    return true;
}

void resolver_name(const struct snapshot_view *view, const char *name, size_t length,
                   enum kubesvc_family family, struct resolver_answer *answer,
                   struct resolver_names *names)
{
    struct settings settings;
    unsigned flags = 0;

    names->count = names->size = 0;
    *answer = (struct resolver_answer){.outcome = RESOLVER_NOT_OURS};
    if (!settings_open(&settings, view) || (settings.flags & KUBESVC_SETTINGS_EMPTY) != 0 ||
        !names_add(names, name, length) || !cut_zone(&settings, name, &length))
        return;

    for (unsigned links = 0;; links++) { /* rule 57 */
        struct lookup lookup = {view, &settings, family, answer, NULL, 0};

        answer->flags = 0;
        answer->outcome = lookup_name(&lookup, name, length);
        /* What the names met on the way are is nobody's business but the first's. */
        flags = links == 0 ? answer->flags : flags;
        answer->flags = flags;
        if (lookup.target == NULL) {
            /* A chain that ends in nothing: the alias is there, without an address (rule 59). */
            if (links > 0 && answer->outcome != RESOLVER_FOUND)
                answer->outcome = RESOLVER_NODATA;
            return;
        }
        if (links == KUBESVC_CHAIN_MAX)
            return;

        /* The copy is what is checked and used: the arena might change meanwhile. */
        name = names->text + names->size;
        length = lookup.target_length;
        if (!names_add(names, lookup.target, lookup.target_length) || !name_is_valid(name, length))
            return;
        if (!cut_zone(&settings, name, &length)) {
            answer->outcome = RESOLVER_EXTERNAL;
            return;
        }
    }
}

/* Does an address lie in an allocatable range? Then nobody else can know it. */
static bool is_in_ranges(const struct settings *settings, const uint8_t address[static 16])
{
    const struct kubesvc_range *ranges = (const void *)settings->ranges;
    bool inet = memcmp(address, inet_prefix, sizeof inet_prefix) == 0;

    for (uint32_t i = 0; i < settings->n_ranges; i++) {
        uint32_t prefix = snapshot_u32(&ranges[i].prefix);
        unsigned whole = prefix / 8, mask = 0xff00u >> prefix % 8 & 0xff;

        /* A range of IPv6 holds no IPv4, not even ::/0. */
        if (prefix > 128 || (inet && prefix < 96) || memcmp(ranges[i].address, address, whole) != 0)
            continue;
        if (mask == 0 || ((ranges[i].address[whole] ^ address[whole]) & mask) == 0)
            return true;
    }
    return false;
}

/* "<name>.svc.<zone>" into `names`; false if that is no name that could be asked for. */
static bool names_add_in_zone(struct resolver_names *names, const uint8_t *name, size_t length,
                              const struct settings *settings)
{
    static const char svc[] = {'.', 's', 'v', 'c', '.'};
    char text[KUBESVC_NAME_MAX], *end = text;

    if (length > sizeof text || settings->zone_length > sizeof text ||
        length + sizeof svc + settings->zone_length > sizeof text)
        return false;
    end = mempcpy(end, name, length);
    end = mempcpy(end, svc, sizeof svc);
    end = mempcpy(end, settings->zone, settings->zone_length);
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

    names->count = names->size = 0;
    *answer = (struct resolver_answer){.outcome = RESOLVER_NOT_OURS};
    if (!settings_open(&settings, view) || (settings.flags & KUBESVC_SETTINGS_EMPTY) != 0)
        return;
    if (family == KUBESVC_FAMILY_INET) {
        memcpy(whole, inet_prefix, sizeof inet_prefix);
        memcpy(whole + sizeof inet_prefix, address, 4);
    } else {
        memcpy(whole, address, sizeof whole);
    }

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
