/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The resolver's outcomes as DNS responses. Its rules are DNS's already, so this only chooses the
 * records; where CoreDNS differs from the RFCs, the RFCs are followed (docs/dns.md lists where).
 *
 * Answers are spelled as the question was: owners are pointers to it.
 */
#include "response.h"

#include <stdio.h>
#include <string.h>

#include "apex.h"
#include "lib/resolve/lookup.h"
#include "lib/resolve/name.h"
#include "lib/resolve/resolver.h"
#include "reverse.h"
#include "srv.h"

/* A name below the zone as it is answered: the question's, or its expansion by the search list. */
struct target {
    const char *name;
    size_t length;
    packet_place place; /* of its owner */
};

struct response {
    const struct response_context *context;
    struct settings settings;
    struct packet *packet;
    char *outside; /* KUBESVC_NAME_MAX + 1 bytes */
};

static void write_negative(struct response *response, enum packet_rcode rcode)
{
    apex_write_negative(response->context, &response->settings, response->packet, rcode, 0);
}

/* A record whose data is a name; returns the place of that name, 0: no room. */
static packet_place write_pointer(struct response *response, packet_place owner,
                                  enum packet_type type, const char *name)
{
    struct packet_record record = packet_record(response->packet, PACKET_ANSWER, owner, NULL, 0,
                                                type, response->context->ttl);
    packet_place place = packet_put_name(&record, name, strlen(name), 0);

    return packet_record_end(&record) ? place : 0;
}

/* A chain of owners, each followed by NUL; *owner is the place of the first, then of the last. */
static bool write_chain(struct response *response, const char *name, unsigned links,
                        packet_place *owner)
{
    for (unsigned i = 0; i < links && *owner != 0; i++) {
        name += strlen(name) + 1;
        *owner = write_pointer(response, *owner, PACKET_CNAME, name);
    }
    return *owner != 0;
}

/* The addresses, starting with a random one. As many as fit. */
static void write_addresses(struct response *response, const struct resolver_answer *found,
                            packet_place owner, enum packet_type type)
{
    size_t size = type == PACKET_A ? 4 : 16;
    uint32_t n = found->n_addresses;
    uint32_t first = (uint32_t)((response->context->random >> 32) * n >> 32);

    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = i < n - first ? first + i : i - (n - first);

        if (!packet_add(response->packet, PACKET_ANSWER, owner, type, response->context->ttl,
                        found->addresses + at * size, size))
            return;
    }
}

/* Is an alias itself asked for, not what it leads to? (RFC 1034, 4.3.2: of ANY it is a record.) */
static bool wants_alias(const struct packet_question *question)
{
    return question->type == PACKET_CNAME || question->type == PACKET_ANY;
}

/* Other records of an existing name. */
static enum response_result write_other(struct response *response, packet_place owner)
{
    static const char any[] = "\x07"
                              "RFC8482\0";

    if (response->packet->question->type == PACKET_ANY) /* instead of everything (RFC 8482) */
        packet_add(response->packet, PACKET_ANSWER, owner, PACKET_HINFO, response->context->ttl,
                   any, sizeof any - 1);
    else
        write_negative(response, PACKET_NOERROR);
    return RESPONSE_READY;
}

static enum response_result write_found(struct response *response,
                                        const struct resolver_answer *found, packet_place owner)
{
    uint16_t type = response->packet->question->type;

    if (found->outcome == RESOLVER_EXTERNAL)
        return type == PACKET_A || type == PACKET_AAAA ? RESPONSE_OUTSIDE : RESPONSE_READY;
    if (found->outcome == RESOLVER_FOUND && (type == PACKET_A || type == PACKET_AAAA)) {
        write_addresses(response, found, owner, (enum packet_type)type);
        return RESPONSE_READY;
    }
    return write_other(response, owner);
}

static enum resolver_outcome look_up(const struct response *response, const struct target *target,
                                     struct lookup *lookup)
{
    *lookup = (struct lookup){.view = response->context->view, .settings = &response->settings};
    return lookup_name(lookup, target->name, target->length - response->settings.zone_length - 1);
}

/* SRV records belong to the name itself: an alias has none. */
static enum response_result write_srv(struct response *response, const struct target *target)
{
    struct lookup lookup;
    enum resolver_outcome outcome = look_up(response, target, &lookup);

    if (outcome == RESOLVER_NOT_OURS)
        return RESPONSE_FOREIGN;
    if (outcome == RESOLVER_NXDOMAIN)
        write_negative(response, PACKET_NXDOMAIN);
    else if (outcome != RESOLVER_FOUND || !srv_write(response->context, &lookup, response->packet,
                                                     target->name, target->length, target->place))
        write_negative(response, PACKET_NOERROR);
    return RESPONSE_READY;
}

static void enter_last(struct settings *settings, const struct resolver_names *names)
{
    const char *end = names->text + names->size - 1;
    const char *before = memrchr(names->text, '\0', names->size - 1u);
    const char *last = before ? before + 1 : names->text;

    (void)settings_enter(settings, last, (size_t)(end - last));
}

/* A valid name below the zone. */
static enum response_result write_name(struct response *response, const struct target *target)
{
    char storage[KUBESVC_NAMES_SIZE_MAX];
    struct resolver_names names = RESOLVER_NAMES(storage);
    struct resolver_answer inet, inet6;
    packet_place owner = target->place;
    uint16_t type = response->packet->question->type;

    if (type == PACKET_SRV)
        return write_srv(response, target);
    resolver_name(response->context->view, &response->settings, target->name, target->length, &inet,
                  &inet6, &names);
    const struct resolver_answer *found = type == PACKET_AAAA ? &inet6 : &inet;

    if (found->outcome == RESOLVER_NOT_OURS)
        return RESPONSE_FOREIGN;
    if (found->outcome == RESOLVER_NXDOMAIN) {
        write_negative(response, PACKET_NXDOMAIN);
        return RESPONSE_READY;
    }
    if (wants_alias(response->packet->question) && names.count > 1) {
        write_chain(response, storage, 1, &owner);
        return RESPONSE_READY;
    }
    if (!write_chain(response, storage, names.count - 1u, &owner))
        return RESPONSE_READY;
    if (found->outcome == RESOLVER_EXTERNAL)
        memcpy(response->outside, storage, strlen(storage) + 1);
    else /* a negative answer is one of the zone that the chain ends in */
        enter_last(&response->settings, &names);
    return write_found(response, found, owner);
}

static enum response_result write_in_zone(struct response *response)
{
    const struct packet_question *question = response->packet->question;
    size_t below = question->length - response->settings.zone_length;

    if (below > 0)
        below--;
    response->packet->authoritative = true;
    if (apex_write_own(response->context, &response->settings, response->packet, question->name,
                       below))
        return RESPONSE_READY;
    if (question->is_host && name_is_valid(question->name, question->length))
        return write_name(response,
                          &(struct target){question->name, question->length, PACKET_QUESTION_NAME});
    write_negative(response, PACKET_NXDOMAIN);
    return RESPONSE_READY;
}

/* --- Addresses --- */

/* The zone of an address is that of the widest range of ours that has all of what the name leaves
 * open, from the next label on; else a whole address is a zone by itself. `bits` is how many the
 * name of that zone says. False: there is none. */
static bool find_reverse_zone(const struct settings *settings, const struct reverse_name *reverse,
                              unsigned *bits)
{
    const struct kubesvc_range *ranges = (const void *)settings->ranges;
    unsigned family = reverse->inet ? 96 : 0, label = reverse->inet ? 8 : 4;
    bool whole = family + reverse->bits == 128;

    *bits = whole ? reverse->bits : reverse->bits + 1;
    for (uint32_t i = 0; i < settings->n_ranges; i++) {
        struct address_range range = {
            .base = address_from(ranges[i].address, sizeof ranges[i].address),
            .prefix = snapshot_u32(&ranges[i].prefix),
        };

        if (range.prefix < family || range.prefix > family + reverse->bits ||
            !address_range_contains(&range, &reverse->address))
            continue;
        unsigned said = (range.prefix - family + label - 1) / label * label;

        *bits = said < *bits ? said : *bits;
    }
    return *bits <= reverse->bits;
}

static enum response_result write_reverse(struct response *response,
                                          const struct reverse_name *reverse)
{
    char storage[KUBESVC_NAME_MAX + 1];
    struct resolver_names names = RESOLVER_NAMES(storage);
    struct resolver_answer found = {.outcome = RESOLVER_NODATA};
    const struct packet_question *question = response->packet->question;
    uint16_t type = question->type;
    unsigned bits;

    if (!find_reverse_zone(&response->settings, reverse, &bits))
        return RESPONSE_FOREIGN;
    if (reverse->bits == (reverse->inet ? 32 : 128))
        resolver_address(response->context->view,
                         reverse->inet ? KUBESVC_FAMILY_INET : KUBESVC_FAMILY_INET6,
                         reverse->address.bytes + (reverse->inet ? 12 : 0), &found, &names);
    if (found.outcome == RESOLVER_NOT_OURS)
        return RESPONSE_FOREIGN;
    size_t zone = reverse_suffix(reverse, question->name, question->length, bits);

    response->packet->authoritative = true;
    if (reverse->below)
        found.outcome = RESOLVER_NXDOMAIN;
    if (found.outcome == RESOLVER_FOUND && (type == PACKET_PTR || type == PACKET_ANY))
        write_pointer(response, PACKET_QUESTION_NAME, PACKET_PTR, storage);
    else if (zone == question->length && (type == PACKET_SOA || type == PACKET_ANY))
        apex_write_soa(response->context, &response->settings, response->packet);
    else
        apex_write_negative(response->context, &response->settings, response->packet,
                            found.outcome == RESOLVER_NXDOMAIN ? PACKET_NXDOMAIN : PACKET_NOERROR,
                            zone);
    return RESPONSE_READY;
}

/* --- The search list --- */

static unsigned count_labels(const struct packet_question *question)
{
    unsigned labels = 1;

    for (size_t i = 0; i < question->length; i++)
        labels += question->name[i] == '.';
    return labels;
}

/* The question's name and two more texts, each behind a dot if it is not empty. */
static bool join(struct target *target, char whole[static KUBESVC_NAME_MAX + 1],
                 const struct packet_question *question, const char *middle,
                 const struct settings *settings)
{
    size_t length = question->length + strlen(middle) + 1 + settings->zone_length;

    if (length > KUBESVC_NAME_MAX)
        return false;
    char *end = mempcpy(whole, question->name, question->length);

    end = mempcpy(end, middle, strlen(middle));
    *end++ = '.';
    end = mempcpy(end, settings->zone, settings->zone_length);
    *end = '\0';
    target->name = whole;
    target->length = length;
    return name_is_valid(whole, length);
}

/* Does the name exist, other than as a namespace that only has names below it? */
static bool exists(const struct response *response, const struct target *target)
{
    struct lookup lookup;
    enum resolver_outcome outcome = look_up(response, target, &lookup);

    return outcome == RESOLVER_FOUND ||
           (outcome == RESOLVER_NODATA && (lookup.flags & RESOLVER_BARE) == 0) ||
           (outcome == RESOLVER_NXDOMAIN && (lookup.flags & RESOLVER_SERVICE) != 0);
}

/* An alias of the first expansion by the search list. */
static enum response_result write_searched(struct response *response)
{
    const struct packet_question *question = response->packet->question;
    const char *ns = response->context->ns, *at = ns ? strchr(ns, '@') : NULL;
    unsigned labels = count_labels(question);
    char own[sizeof ".svc" + 1 + KUBESVC_LABEL_MAX], whole[KUBESVC_NAME_MAX + 1];
    const char *middles[] = {own, ".svc", ""};
    struct target target;

    if (!ns || strcspn(ns, "@") > KUBESVC_LABEL_MAX || !question->is_host ||
        question->length == 0 || labels > 5 ||
        (at && !settings_enter(&response->settings, at + 1, strlen(at + 1))))
        return RESPONSE_FOREIGN;
    (void)snprintf(own, sizeof own, ".%.*s.svc", (int)strcspn(ns, "@"), ns);
    for (size_t i = 0; i < sizeof middles / sizeof middles[0]; i++) {
        if (!join(&target, whole, question, middles[i], &response->settings) ||
            !exists(response, &target))
            continue;
        response->packet->authoritative = true;
        target.place = write_pointer(response, PACKET_QUESTION_NAME, PACKET_CNAME, whole);
        return target.place == 0 || wants_alias(question) ? RESPONSE_READY
                                                          : write_name(response, &target);
    }
    return RESPONSE_FOREIGN;
}

void response_write_outside(const struct response_context *context, struct packet *packet,
                            const char *names, unsigned n_names, const uint8_t *addresses,
                            uint32_t n_addresses)
{
    struct response response = {.context = context, .packet = packet};
    const struct packet_question *question = packet->question;
    packet_place owner = PACKET_QUESTION_NAME;

    packet->authoritative = true;
    if (!name_equal(names, strlen(names), question->name, question->length))
        owner = write_pointer(&response, owner, PACKET_CNAME, names);
    if (owner == 0 || !write_chain(&response, names, n_names - 1, &owner))
        return;
    write_addresses(&response,
                    &(struct resolver_answer){.addresses = addresses, .n_addresses = n_addresses},
                    owner, (enum packet_type)question->type);
}

enum response_result response_write(const struct response_context *context, struct packet *packet,
                                    char outside[static KUBESVC_NAME_MAX + 1])
{
    struct response response = {.context = context, .packet = packet, .outside = outside};
    const struct packet_question *question = packet->question;
    struct reverse_name reverse;

    if (!settings_open(&response.settings, context->view))
        return RESPONSE_FAILED;
    if ((response.settings.flags & KUBESVC_SETTINGS_EMPTY) != 0)
        return RESPONSE_FOREIGN;
    if (settings_enter(&response.settings, question->name, question->length))
        return write_in_zone(&response);
    if (reverse_parse(&reverse, question->name, question->length))
        return write_reverse(&response, &reverse);
    return write_searched(&response);
}
