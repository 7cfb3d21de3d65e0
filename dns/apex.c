/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names and numbers are those of the Kubernetes DNS specification and of CoreDNS: the nameserver is
 * ns.dns.<zone>, at the address that was asked.
 */
#include "apex.h"

#include <string.h>

#include "lib/resolve/name.h"

#define REFRESH 7200u
#define RETRY 1800u
#define EXPIRE 86400u
#define VERSION_TTL 28800u

static const char version[] = "\x05"
                              "1.1.0";

static bool is_name(const char *name, size_t length, const char *word)
{
    return name_equal(name, length, word, strlen(word));
}

/* `zone`: its offset in the packet, 0: none. */
static void put_in_zone(struct packet_record *record, const char *name,
                        const struct settings *settings, packet_place zone)
{
    char whole[KUBESVC_NAME_MAX];
    size_t length = strlen(name);

    if (zone != 0) {
        packet_put_name(record, name, length, zone);
        return;
    }
    if (length + 1 + settings->zone_length > sizeof whole) {
        record->full = true;
        return;
    }
    char *end = mempcpy(whole, name, length);

    *end++ = '.';
    end = mempcpy(end, settings->zone, settings->zone_length);
    packet_put_name(record, whole, (size_t)(end - whole), 0);
}

static packet_place place_of_zone(const struct packet *packet, const struct settings *settings)
{
    const struct packet_question *question = packet->question;

    return name_has_suffix(question->name, question->length, settings->zone, settings->zone_length)
               ? packet_suffix(packet, settings->zone_length)
               : 0;
}

static void write_soa(const struct response_context *context, const struct settings *settings,
                      struct packet *packet, enum packet_section section, size_t length)
{
    packet_place zone = place_of_zone(packet, settings);
    packet_place owner = length > 0 ? packet_suffix(packet, length) : zone;
    struct packet_record record = packet_record(packet, section, owner, settings->zone,
                                                settings->zone_length, PACKET_SOA, context->ttl);

    put_in_zone(&record, "ns.dns", settings, zone);
    put_in_zone(&record, "hostmaster", settings, zone);
    packet_put_u32(&record, context->serial);
    packet_put_u32(&record, REFRESH);
    packet_put_u32(&record, RETRY);
    packet_put_u32(&record, EXPIRE);
    packet_put_u32(&record, context->ttl); /* of negative answers */
    packet_record_end(&record);
}

void apex_write_negative(const struct response_context *context, const struct settings *settings,
                         struct packet *packet, enum packet_rcode rcode, size_t length)
{
    packet->rcode = (uint16_t)rcode;
    write_soa(context, settings, packet, PACKET_AUTHORITY, length);
}

void apex_write_soa(const struct response_context *context, const struct settings *settings,
                    struct packet *packet)
{
    write_soa(context, settings, packet, PACKET_ANSWER, packet->question->length);
}

/* The type of the queried address. */
static uint16_t type_of_own(const struct response_context *context)
{
    struct address address;

    endpoint_address(context->own, &address);
    return address_is_inet(&address) ? PACKET_A : PACKET_AAAA;
}

/* The queried address, if it is of the family. */
static bool write_own_address(const struct response_context *context, struct packet *packet,
                              enum packet_section section, packet_place owner,
                              enum packet_type type)
{
    struct address address;

    if (type != type_of_own(context))
        return false;
    endpoint_address(context->own, &address);
    return packet_add(packet, section, owner, type, context->ttl,
                      address.bytes + (type == PACKET_A ? 12 : 0), type == PACKET_A ? 4 : 16);
}

static void write_ns(const struct response_context *context, struct packet *packet)
{
    struct packet_record record = packet_record(packet, PACKET_ANSWER, PACKET_QUESTION_NAME, NULL,
                                                0, PACKET_NS, context->ttl);
    packet_place server =
        packet_put_name(&record, "ns.dns", strlen("ns.dns"), PACKET_QUESTION_NAME);

    if (!packet_record_end(&record))
        return;
    write_own_address(context, packet, PACKET_ADDITIONAL, server, PACKET_A);
    write_own_address(context, packet, PACKET_ADDITIONAL, server, PACKET_AAAA);
}

bool apex_write_own(const struct response_context *context, const struct settings *settings,
                    struct packet *packet, const char *below, size_t length)
{
    bool server = is_name(below, length, "ns.dns"), txt = is_name(below, length, "dns-version");
    uint16_t type = packet->question->type;

    if (length > 0 && !server && !txt && !is_name(below, length, "dns"))
        return false;
    if (type == PACKET_ANY) /* one of its records, which suffices (RFC 8482) */
        type = length == 0 ? PACKET_SOA : txt ? PACKET_TXT : type_of_own(context);
    if (length == 0 && type == PACKET_SOA)
        apex_write_soa(context, settings, packet);
    else if (length == 0 && type == PACKET_NS)
        write_ns(context, packet);
    else if (txt && type == PACKET_TXT)
        packet_add(packet, PACKET_ANSWER, PACKET_QUESTION_NAME, PACKET_TXT, VERSION_TTL, version,
                   sizeof version - 1);
    else if (!server || !write_own_address(context, packet, PACKET_ANSWER, PACKET_QUESTION_NAME,
                                           (enum packet_type)type))
        apex_write_negative(context, settings, packet, PACKET_NOERROR, 0);
    return true;
}
