/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The module's side of the protocol: builds requests from questions, and rejects any answer that
 * does not fit its question and the protocol's limits.
 */
#include "query.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/resolve/name.h"
#include <kubesvc/snapshot.h>

#define REQUEST_SIZE_MAX                                                                           \
    (sizeof(struct kubesvc_header) + sizeof(struct kubesvc_name_request) + KUBESVC_NAMESPACE_MAX + \
     KUBESVC_NAME_MAX + 1)

struct query_request {
    size_t size;
    uint8_t bytes[REQUEST_SIZE_MAX];
};

static void request_append(struct query_request *request, const void *data, size_t size)
{
    memcpy(request->bytes + request->size, data, size);
    request->size += size;
}

uint8_t query_namespace(char ns[static KUBESVC_NAMESPACE_MAX])
{
    const char *value = secure_getenv("KUBESVC_NAMESPACE");

    if (!value)
        return 0;
    size_t length = strlen(value);
    const char *at = memchr(value, '@', length);

    if (length > KUBESVC_NAMESPACE_MAX || !name_is_namespace(value, length) ||
        memchr(value, '_', length) || (at ? at : value + length)[-1] == '-')
        return 0;
    for (size_t i = 0; i < length; i++)
        ns[i] = name_fold(value[i]);
    return (uint8_t)length;
}

static void request_append_name(struct query_request *request,
                                const struct query_question *question, uint32_t room)
{
    struct kubesvc_name_request body = {
        .room = htole32(room),
        .family = (uint8_t)question->family,
        .namespace_length = question->namespace_length,
        .name_length = (uint8_t)question->name_length,
    };

    request_append(request, &body, sizeof(body));
    request_append(request, question->ns, body.namespace_length);
    request_append(request, question->name, body.name_length);
}

static void request_append_address(struct query_request *request,
                                   const struct query_question *question)
{
    struct kubesvc_address_request body = {.family = (uint8_t)question->family};

    memcpy(body.address, question->address, sizeof(body.address));
    request_append(request, &body, sizeof(body));
}

static void request_begin(struct query_request *request)
{
    request->size = sizeof(struct kubesvc_header);
}

static void request_end(struct query_request *request, enum kubesvc_request_type type)
{
    struct kubesvc_header header = {
        .magic = htole32(KUBESVC_MAGIC),
        .version = KUBESVC_PROTOCOL_VERSION,
        .type = (uint8_t)type,
        .length = htole32((uint32_t)(request->size - sizeof(header))),
    };

    memcpy(request->bytes, &header, sizeof(header));
}

static void request_make(struct query_request *request, const struct query_question *question,
                         uint32_t room)
{
    request_begin(request);
    if (question->type == KUBESVC_REQUEST_NAME)
        request_append_name(request, question, room);
    else
        request_append_address(request, question);
    request_end(request, question->type);
}

static void request_make_map(struct query_request *request)
{
    struct kubesvc_map_request body = {.version = htole32(KUBESVC_SNAPSHOT_VERSION)};

    request_begin(request);
    request_append(request, &body, sizeof(body));
    request_end(request, KUBESVC_REQUEST_MAP);
}

/* Do these address counts answer this question? */
static bool counts_fit_question(const struct query_answer *answer,
                                const struct query_question *question)
{
    uint64_t addresses = (uint64_t)answer->inet + answer->inet6;

    if (question->type == KUBESVC_REQUEST_ADDRESS)
        return addresses == 0;
    return addresses >= 1 && addresses <= KUBESVC_ADDRESSES_MAX &&
           (answer->inet == 0 || question->family != KUBESVC_FAMILY_INET6) &&
           (answer->inet6 == 0 || question->family != KUBESVC_FAMILY_INET);
}

/* The strings themselves, and the meaning of an unknown status, are checked by the callers. */
static bool answer_is_sound(const struct query_answer *answer,
                            const struct query_question *question, uint32_t payload)
{
    uint64_t addresses_size = 4 * (uint64_t)answer->inet + 16 * (uint64_t)answer->inet6;

    if (answer->status == KUBESVC_STATUS_FOUND) {
        if (answer->names < 1 || answer->names > KUBESVC_NAMES_MAX ||
            answer->names_size > KUBESVC_NAMES_SIZE_MAX || !counts_fit_question(answer, question))
            return false;
    } else if (answer->withheld || answer->names || answer->names_size || addresses_size) {
        return false;
    }
    return payload == sizeof(struct kubesvc_answer) + answer->names_size +
                          (answer->withheld ? 0 : addresses_size);
}

static enum connection_result query_receive_answer(struct connection *connection,
                                                   const struct query_question *question,
                                                   uint32_t payload, struct query_answer *answer)
{
    struct kubesvc_answer wire;

    if (payload < sizeof(wire))
        return CONNECTION_REFUSED;
    enum connection_result result = connection_receive(connection, &wire, sizeof(wire));

    if (result != CONNECTION_OK)
        return result;
    *answer = (struct query_answer){
        .status = wire.status,
        .withheld = wire.flags & KUBESVC_ANSWER_WITHHELD,
        .ours = wire.flags & KUBESVC_ANSWER_OURS,
        .names = le16toh(wire.names),
        .names_size = le32toh(wire.names_size),
        .inet = le32toh(wire.inet),
        .inet6 = le32toh(wire.inet6),
    };
    return answer_is_sound(answer, question, payload) ? CONNECTION_OK : CONNECTION_REFUSED;
}

/* Reads frames until one is not PENDING. UNSUPPORTED carries the daemon's own version. */
static enum connection_result query_receive_head(struct connection *connection,
                                                 const struct query_question *question,
                                                 struct query_answer *answer)
{
    for (;;) {
        struct kubesvc_header header;
        enum connection_result result = connection_receive(connection, &header, sizeof(header));

        if (result != CONNECTION_OK)
            return result;
        if (le32toh(header.magic) != KUBESVC_MAGIC || header.version != KUBESVC_PROTOCOL_VERSION)
            return CONNECTION_REFUSED;
        if (header.type == KUBESVC_RESPONSE_ANSWER)
            return query_receive_answer(connection, question, le32toh(header.length), answer);
        if (header.type != KUBESVC_RESPONSE_PENDING || header.length != 0)
            return CONNECTION_REFUSED;
        result = connection_extend(connection);
        if (result != CONNECTION_OK)
            return result;
    }
}

/* The rest of a response to MAP, whose descriptor came with its first bytes. */
static enum connection_result query_receive_map(struct connection *connection,
                                                const struct kubesvc_header *header,
                                                bool *supported)
{
    uint8_t payload[sizeof(struct kubesvc_answer)];
    uint32_t length = le32toh(header->length);

    if (le32toh(header->magic) != KUBESVC_MAGIC)
        return CONNECTION_REFUSED;
    *supported = header->type != KUBESVC_RESPONSE_UNSUPPORTED;
    if (!*supported)
        return CONNECTION_OK;
    if (header->version != KUBESVC_PROTOCOL_VERSION || length > sizeof(payload) ||
        (header->type != KUBESVC_RESPONSE_MAP && header->type != KUBESVC_RESPONSE_ANSWER))
        return CONNECTION_REFUSED;
    return connection_receive(connection, payload, length);
}

enum connection_result query_map(struct connection *connection, int *fd, bool *supported)
{
    struct kubesvc_header header;
    struct query_request request;

    *fd = -1;
    *supported = true;
    enum connection_result result = connection_connect(connection);

    if (result != CONNECTION_OK)
        return result;
    request_make_map(&request);
    result = connection_send(connection, request.bytes, request.size);
    if (result == CONNECTION_OK)
        result = connection_receive_descriptor(connection, &header, sizeof(header), fd);
    if (result == CONNECTION_OK)
        result = query_receive_map(connection, &header, supported);
    if (*fd >= 0 && (result != CONNECTION_OK || header.type != KUBESVC_RESPONSE_MAP)) {
        close(*fd);
        *fd = -1;
    }
    return result;
}

enum connection_result query_ask(struct connection *connection,
                                 const struct query_question *question, uint32_t room,
                                 struct query_answer *answer)
{
    struct query_request request;
    enum connection_result result = connection_connect(connection);

    if (result != CONNECTION_OK)
        return result;
    request_make(&request, question, room);
    result = connection_send(connection, request.bytes, request.size);
    return result == CONNECTION_OK ? query_receive_head(connection, question, answer) : result;
}
