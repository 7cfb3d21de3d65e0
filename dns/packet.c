/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The wire format. Requests are untrusted: every length is checked before it is used, no pointer of
 * a name is followed (the name of a question has nothing to point to), and each step of every loop
 * consumes bytes of the message.
 */
#include "packet.h"

#include <string.h>

#define FLAG_RESPONSE 0x8000u
#define FLAG_OPCODE 0x7800u
#define FLAG_AUTHORITATIVE 0x0400u
#define FLAG_TRUNCATED 0x0200u
#define FLAG_RECURSION_DESIRED 0x0100u
#define FLAG_CHECKING_DISABLED 0x0010u
#define FLAGS_REPEATED (FLAG_OPCODE | FLAG_RECURSION_DESIRED | FLAG_CHECKING_DISABLED)

#define POINTER 0xc0u
#define POINTER_LIMIT 0x4000u
#define LABEL_MAX 63u
#define OPT_SIZE 11u
#define RECORD_HEAD 10u /* type, class, TTL, length */

struct reader {
    const uint8_t *bytes;
    size_t size, at;
};

static uint16_t load_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void store_u16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static bool label_is_host(const uint8_t *label, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        uint8_t c = label[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return true;
}

/* The name of the question. Pointers are malformed: nothing precedes it. */
static bool read_question_name(struct packet_question *question, struct reader *reader)
{
    size_t start = reader->at;

    question->is_host = true;
    question->length = 0;
    for (;;) {
        if (reader->at >= reader->size)
            return false;
        size_t length = reader->bytes[reader->at++];

        if (length == 0)
            break;
        if (length > LABEL_MAX || length > reader->size - reader->at ||
            reader->at + length + 1 - start > PACKET_NAME_SIZE)
            return false;
        if (question->length > 0)
            question->name[question->length++] = '.';
        const uint8_t *label = reader->bytes + reader->at;
        char *to = question->name + question->length;

        memcpy(to, label, length);
        if (!label_is_host(label, length)) {
            question->is_host = false;
            /* What is compared with names of ours must not seem to have more labels. */
            for (size_t i = 0; i < length; i++)
                to[i] = to[i] == '.' ? '\0' : to[i];
        }
        question->length += length;
        reader->at += length;
    }
    question->name[question->length] = '\0';
    question->wire = reader->bytes + start;
    question->wire_size = reader->at - start;
    return true;
}

/* A record's name, which is skipped. */
static bool skip_name(struct reader *reader)
{
    while (reader->at < reader->size) {
        size_t length = reader->bytes[reader->at++];

        if (length == 0)
            return true;
        if ((length & POINTER) == POINTER) {
            reader->at++;
            return reader->at <= reader->size;
        }
        if (length > LABEL_MAX || length > reader->size - reader->at)
            return false;
        reader->at += length;
    }
    return false;
}

/* A record after the question: only the OPT record matters, of which there may be one. */
static bool read_record(struct packet_question *question, struct reader *reader, bool additional,
                        uint8_t *version)
{
    size_t start = reader->at;

    if (!skip_name(reader) || reader->size - reader->at < RECORD_HEAD)
        return false;
    const uint8_t *head = reader->bytes + reader->at;
    size_t length = load_u16(head + 8);

    reader->at += RECORD_HEAD;
    if (length > reader->size - reader->at)
        return false;
    reader->at += length;
    if (load_u16(head) != PACKET_OPT)
        return true;
    if (!additional || question->edns || reader->bytes[start] != 0)
        return false;
    uint16_t size = load_u16(head + 2);

    question->edns = true;
    question->udp_size = size < PACKET_UDP_SIZE ? PACKET_UDP_SIZE : size;
    *version = head[5];
    return true;
}

static bool read_records(struct packet_question *question, struct reader *reader, uint8_t *version)
{
    unsigned others = (unsigned)load_u16(reader->bytes + 6) + load_u16(reader->bytes + 8);
    unsigned additional = load_u16(reader->bytes + 10);

    for (unsigned i = 0; i < others + additional; i++) {
        if (!read_record(question, reader, i >= others, version))
            return false;
    }
    return true;
}

enum packet_verdict packet_read(struct packet_question *question, const uint8_t *request,
                                size_t size, enum packet_rcode *rcode)
{
    struct reader reader = {request, size, PACKET_HEADER_SIZE};
    uint8_t version = 0;

    if (size < PACKET_HEADER_SIZE || (request[2] & FLAG_RESPONSE >> 8) != 0)
        return PACKET_IGNORED;
    question->id = load_u16(request);
    question->flags = load_u16(request + 2);
    question->wire_size = 0;
    question->edns = false;
    question->udp_size = PACKET_UDP_SIZE;
    *rcode = PACKET_NOTIMP;
    if ((question->flags & FLAG_OPCODE) != 0)
        return PACKET_BAD;
    *rcode = PACKET_FORMERR;
    if (load_u16(request + 4) != 1 || !read_question_name(question, &reader))
        return PACKET_BAD;
    if (size - reader.at < 4) {
        question->wire_size = 0;
        return PACKET_BAD;
    }
    question->type = load_u16(request + reader.at);
    question->class = load_u16(request + reader.at + 2);
    reader.at += 4;
    if (!read_records(question, &reader, &version))
        return PACKET_BAD;
    *rcode = version == 0 ? PACKET_NOERROR : PACKET_BADVERS;
    return version == 0 ? PACKET_GOOD : PACKET_BAD;
}

/* --- Writing --- */

void packet_rewind(struct packet *packet)
{
    const struct packet_question *question = packet->question;

    packet->size = PACKET_HEADER_SIZE + (question->wire_size > 0 ? question->wire_size + 4 : 0);
    memset(packet->records, 0, sizeof packet->records);
    packet->rcode = PACKET_NOERROR;
    packet->authoritative = false;
    packet->truncated = false;
}

void packet_begin(struct packet *packet, const struct packet_question *question, uint8_t *bytes,
                  size_t capacity)
{
    packet->bytes = bytes;
    packet->limit = capacity - (question->edns ? OPT_SIZE : 0);
    packet->question = question;
    packet_rewind(packet);
    if (question->wire_size == 0)
        return;
    uint8_t *end = mempcpy(bytes + PACKET_HEADER_SIZE, question->wire, question->wire_size);

    store_u16(end, question->type);
    store_u16(end + 2, question->class);
}

static void put_opt(struct packet *packet)
{
    uint8_t *opt = packet->bytes + packet->size;

    memset(opt, 0, OPT_SIZE);
    store_u16(opt + 1, PACKET_OPT);
    store_u16(opt + 3, PACKET_EDNS_SIZE);
    opt[5] = (uint8_t)(packet->rcode >> 4);
    packet->size += OPT_SIZE;
    packet->records[PACKET_ADDITIONAL]++;
}

size_t packet_end(struct packet *packet)
{
    const struct packet_question *question = packet->question;
    uint8_t *header = packet->bytes;
    unsigned flags = FLAG_RESPONSE | (question->flags & FLAGS_REPEATED) |
                     (packet->authoritative ? FLAG_AUTHORITATIVE : 0) |
                     (packet->truncated ? FLAG_TRUNCATED : 0) | (packet->rcode & 0xfu);

    if (question->edns)
        put_opt(packet);
    store_u16(header, question->id);
    store_u16(header + 2, (uint16_t)flags);
    store_u16(header + 4, question->wire_size > 0);
    for (unsigned i = 0; i < 3; i++)
        store_u16(header + 6 + 2 * i, packet->records[i]);
    return packet->size;
}

/* The wire has one byte more than the text for each suffix: the length of its first label, and the
 * root. */
packet_place packet_suffix(const struct packet *packet, size_t length)
{
    return (packet_place)(PACKET_QUESTION_NAME + (packet->question->length - length));
}

static uint8_t *make_room(struct packet_record *record, size_t size)
{
    struct packet *packet = record->packet;
    uint8_t *to = packet->bytes + packet->size;

    if (record->full || size > packet->limit - packet->size) {
        record->full = true;
        return NULL;
    }
    packet->size += size;
    return to;
}

static void packet_put(struct packet_record *record, const void *data, size_t size)
{
    uint8_t *to = make_room(record, size);

    if (to)
        memcpy(to, data, size);
}

void packet_put_u16(struct packet_record *record, uint16_t value)
{
    uint8_t *to = make_room(record, sizeof value);

    if (to)
        store_u16(to, value);
}

void packet_put_u32(struct packet_record *record, uint32_t value)
{
    packet_put_u16(record, (uint16_t)(value >> 16));
    packet_put_u16(record, (uint16_t)value);
}

static void put_end_of_name(struct packet_record *record, packet_place suffix)
{
    if (suffix != 0)
        packet_put_u16(record, (uint16_t)(POINTER << 8 | suffix));
    else
        packet_put(record, "", 1);
}

packet_place packet_put_name(struct packet_record *record, const char *name, size_t length,
                             packet_place suffix)
{
    size_t start = record->packet->size;
    uint8_t *to = length > 0 ? make_room(record, length + 1) : NULL;

    /* Each label's length goes where the dot in front of it is. */
    if (to) {
        uint8_t *count = to;

        *count = 0;
        memcpy(to + 1, name, length);
        for (size_t i = 1; i <= length; i++) {
            if (to[i] == '.') {
                count = to + i;
                *count = 0;
            } else {
                ++*count;
            }
        }
    }
    put_end_of_name(record, suffix);
    if (length == 0)
        return suffix;
    return record->full || start >= POINTER_LIMIT ? 0 : (packet_place)start;
}

struct packet_record packet_record(struct packet *packet, enum packet_section section,
                                   packet_place place, const char *owner, size_t length,
                                   enum packet_type type, uint32_t ttl)
{
    struct packet_record record = {.packet = packet, .section = section, .start = packet->size};

    if (place != 0)
        put_end_of_name(&record, place);
    else
        packet_put_name(&record, owner, length, 0);
    packet_put_u16(&record, (uint16_t)type);
    packet_put_u16(&record, PACKET_CLASS_IN);
    packet_put_u32(&record, ttl);
    packet_put_u16(&record, 0);
    record.data = packet->size;
    return record;
}

bool packet_record_end(struct packet_record *record)
{
    struct packet *packet = record->packet;

    if (record->full || packet->records[record->section] == UINT16_MAX - 1) {
        packet->size = record->start;
        if (record->section == PACKET_ANSWER)
            packet->truncated = true;
        return false;
    }
    store_u16(packet->bytes + record->data - 2, (uint16_t)(packet->size - record->data));
    packet->records[record->section]++;
    return true;
}

bool packet_add(struct packet *packet, enum packet_section section, packet_place place,
                enum packet_type type, uint32_t ttl, const void *data, size_t size)
{
    struct packet_record record = packet_record(packet, section, place, NULL, 0, type, ttl);

    packet_put(&record, data, size);
    return packet_record_end(&record);
}
