/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Request: one frame of bytes -> the question. Every error that a client can make is detected here,
 * except in the name itself: an odd name is a question with an answer, not an offence.
 */
#include "request.h"

#include <endian.h>
#include <string.h>

#include "lib/resolve/name.h"
#include <kubesvc/snapshot.h>

static int request_parse_name(struct request *request, const uint8_t *data, size_t size)
{
    struct kubesvc_name_request wire;

    if (size < sizeof wire)
        return REQUEST_BAD;
    memcpy(&wire, data, sizeof wire);
    data += sizeof wire;
    if (wire.namespace_length > sizeof request->ns || wire.name_length < 1 ||
        wire.name_length > sizeof request->name ||
        size != sizeof wire + wire.namespace_length + wire.name_length)
        return REQUEST_BAD;
    if (wire.namespace_length > 0 && !name_is_namespace((const char *)data, wire.namespace_length))
        return REQUEST_BAD;

    request->room = le32toh(wire.room);
    request->family = wire.family;
    request->namespace_length = wire.namespace_length;
    request->name_length = wire.name_length;
    for (size_t i = 0; i < wire.namespace_length; i++)
        request->ns[i] = name_fold((char)data[i]);
    memcpy(request->name, data + wire.namespace_length, wire.name_length);
    if (wire.family == KUBESVC_FAMILY_ANY || wire.family == KUBESVC_FAMILY_INET ||
        wire.family == KUBESVC_FAMILY_INET6)
        request->kind = REQUEST_NAME;
    return 0;
}

static int request_parse_address(struct request *request, const uint8_t *data, size_t size)
{
    struct kubesvc_address_request wire;

    if (size != sizeof wire)
        return REQUEST_BAD;
    memcpy(&wire, data, sizeof wire);
    request->family = wire.family;
    memcpy(request->address, wire.address, sizeof request->address);
    if (wire.family == KUBESVC_FAMILY_INET || wire.family == KUBESVC_FAMILY_INET6)
        request->kind = REQUEST_ADDRESS;
    return 0;
}

int request_parse(struct request *request, const uint8_t *data, size_t size, size_t *usedp)
{
    struct kubesvc_header header;
    uint32_t length;

    if (size < sizeof header)
        return REQUEST_INCOMPLETE;
    memcpy(&header, data, sizeof header);
    length = le32toh(header.length);
    if (le32toh(header.magic) != KUBESVC_MAGIC || length > KUBESVC_REQUEST_MAX)
        return REQUEST_BAD;
    if (size - sizeof header < length)
        return REQUEST_INCOMPLETE;

    *usedp = sizeof header + length;
    request->kind = REQUEST_UNSUPPORTED;
    request->keep = le16toh(header.flags) & KUBESVC_FLAG_KEEP;
    request->room = 0; /* an address has one name and no addresses */
    data += sizeof header;
    if (header.version == 1 && header.type == KUBESVC_REQUEST_NAME)
        return request_parse_name(request, data, length);
    if (header.version == 1 && header.type == KUBESVC_REQUEST_ADDRESS)
        return request_parse_address(request, data, length);
    if (header.version == 1 && header.type == KUBESVC_REQUEST_MAP) {
        struct kubesvc_map_request wire;

        if (length != sizeof wire)
            return REQUEST_BAD;
        memcpy(&wire, data, sizeof wire);
        if (le32toh(wire.version) >= KUBESVC_SNAPSHOT_VERSION) /* else it cannot read ours */
            request->kind = REQUEST_MAP;
    }
    if (header.version == 1 && header.type == KUBESVC_REQUEST_INSPECT) {
        request->kind = REQUEST_INSPECT;
        request->words_size = (uint16_t)length;
        memcpy(request->words, data, length);
    }
    return 0;
}
