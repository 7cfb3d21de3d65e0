/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a lookup gets its answer. A process that looks up one name asks the socket; from its second
 * lookup on it maps the daemon's snapshot and needs no round trip. A snapshot whose daemon has died
 * or hangs is only the last resort: the socket is asked first, and if nothing answers, the snapshot
 * is better than nothing.
 */
#include "host_lookup.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mapped.h"
#include "mapping.h"
#include "retry.h"

/* An answer is requested again if it was withheld although it fits. */
#define ASK_MAX 2

/* Cannot answer now: a name of ours stops the chain as a temporary failure; any other goes to the
 * next service. */
static enum outcome deferred(const struct host_lookup *lookup)
{
    return lookup->reserved ? OUTCOME_TRY_AGAIN : OUTCOME_NOT_OURS;
}

static enum outcome outcome_of_result(const struct host_lookup *lookup,
                                      enum connection_result result)
{
    switch (result) {
    case CONNECTION_SLOW: return deferred(lookup);
    case CONNECTION_REFUSED: return lookup->reserved ? OUTCOME_TRY_AGAIN : OUTCOME_ABSENT;
    case CONNECTION_EXHAUSTED: return OUTCOME_EXHAUSTED;
    default: return OUTCOME_ABSENT;
    }
}

enum outcome host_lookup_outcome(const struct host_lookup *lookup, enum kubesvc_status status)
{
    switch (status) {
    case KUBESVC_STATUS_FOUND: return OUTCOME_FOUND;
    case KUBESVC_STATUS_NO_DATA: return OUTCOME_NO_DATA;
    case KUBESVC_STATUS_NOT_FOUND: return OUTCOME_NOT_FOUND;
    case KUBESVC_STATUS_NOT_OURS: return OUTCOME_NOT_OURS;
    case KUBESVC_STATUS_TRY_AGAIN: return deferred(lookup);
    }
    return outcome_of_result(lookup, CONNECTION_REFUSED);
}

static int lookup_family(const struct host_lookup *lookup)
{
    return lookup->question.family == KUBESVC_FAMILY_INET6 ? AF_INET6 : AF_INET;
}

void host_lookup_plan(struct host_lookup *lookup, uint32_t names, uint32_t names_size,
                      uint32_t inet, uint32_t inet6)
{
    bool reverse = lookup->question.type == KUBESVC_REQUEST_ADDRESS;

    lookup->counts.names = names;
    lookup->counts.names_size = names_size;
    lookup->counts.inet = reverse ? lookup_family(lookup) == AF_INET : inet;
    lookup->counts.inet6 = reverse ? lookup_family(lookup) == AF_INET6 : inet6;
    lookup->layout = pack_layout_new(&lookup->counts);
}

/* --- Through the socket --- */

static enum connection_result receive(struct host_lookup *lookup, struct connection *connection)
{
    char *names = lookup->buffer.start + lookup->layout.names;
    char *addresses = lookup->buffer.start + lookup->layout.addresses;
    enum connection_result result =
        connection_receive(connection, names, lookup->counts.names_size);

    if (result != CONNECTION_OK)
        return result;
    if (!pack_names_are_valid(names, &lookup->counts))
        return CONNECTION_REFUSED;
    if (lookup->question.type != KUBESVC_REQUEST_ADDRESS)
        return connection_receive(connection, addresses, lookup->layout.addresses_size);
    memcpy(addresses, lookup->question.address, lookup->layout.addresses_size);
    return CONNECTION_OK;
}

/* A withheld answer does not advance the daemon's rotation, an answer thrown away for lack of room
 * does: so the first request allows for the longest name, and if a shorter one makes the addresses
 * fit after all, they are requested again. */
static enum connection_result ask(struct host_lookup *lookup, struct connection *connection,
                                  enum outcome *outcome)
{
    uint32_t room = pack_room(lookup->buffer, lookup->counts.form, lookup_family(lookup));

    for (int asked = 0; asked < ASK_MAX; asked++) {
        struct query_answer answer;
        enum connection_result result = query_ask(connection, &lookup->question, room, &answer);

        if (result != CONNECTION_OK)
            return result;
        lookup->reserved = lookup->reserved || answer.ours;
        *outcome = host_lookup_outcome(lookup, answer.status);
        if (*outcome != OUTCOME_FOUND)
            return CONNECTION_OK;
        host_lookup_plan(lookup, answer.names, answer.names_size, answer.inet, answer.inet6);
        if (lookup->layout.size > lookup->buffer.size) {
            *outcome = OUTCOME_TOO_SMALL;
            return CONNECTION_OK;
        }
        if (!answer.withheld)
            return receive(lookup, connection);
        connection_close(connection);
        room = answer.inet + answer.inet6;
    }
    return CONNECTION_REFUSED;
}

/* --- Through the mapping --- */

/* When the daemon may next be asked for its snapshot (a timestamp of connection.h). Set on success
 * too: in a process with another clock (time_namespaces(7)) no snapshot looks fresh. 0: at any
 * time. The thread that advances the timestamp is the one that asks. */
static _Atomic uint32_t map_after;

static bool may_map(void)
{
    static _Atomic bool looked_up_before;
    uint32_t after = atomic_load_explicit(&map_after, memory_order_relaxed);
    uint32_t now = connection_stamp();

    if (!atomic_load_explicit(&looked_up_before, memory_order_relaxed)) {
        atomic_store_explicit(&looked_up_before, true, memory_order_relaxed);
        return false;
    }
    /* A timestamp further ahead is an old one: half of the 32-bit range has passed. */
    if (after != 0 && after - now <= KUBESVC_MAP_UNSUPPORTED_MS)
        return false;
    return atomic_compare_exchange_strong_explicit(&map_after, &after, now + KUBESVC_MAP_RETRY_MS,
                                                   memory_order_relaxed, memory_order_relaxed);
}

/* Makes the snapshot of the running daemon the current one. */
static enum connection_result map(struct connection *connection, bool *mapped)
{
    bool supported;
    int fd;
    enum connection_result result = query_map(connection, &fd, &supported);

    connection_close(connection);
    *mapped = fd >= 0 && mapping_set(fd);
    if (fd >= 0)
        close(fd);
    if (!supported)
        atomic_store_explicit(&map_after, connection_stamp() + KUBESVC_MAP_UNSUPPORTED_MS,
                              memory_order_relaxed);
    return result;
}

static void leave(struct mapping **mapping)
{
    if (*mapping)
        mapping_leave(*mapping);
}

static bool answer_fresh(struct host_lookup *lookup, enum outcome *outcome)
{
    __attribute__((cleanup(leave))) struct mapping *mapping = mapping_enter();

    return mapping && mapping_state(mapping) == MAPPING_FRESH &&
           mapped_answer(mapping, lookup, outcome);
}

/* --- Choosing --- */

/* Does the daemon behind the snapshot run? */
static bool is_alive(enum mapping_state state)
{
    return state == MAPPING_FRESH || state == MAPPING_WATCHED;
}

/* Asks the daemon, first for a snapshot if one is wanted. If the snapshot cannot be had, the
 * question itself may still be answered. */
static enum connection_result ask_daemon(struct host_lookup *lookup, struct connection *connection,
                                         bool wants_map, enum outcome *outcome)
{
    bool mapped = false;

    if (wants_map && may_map() && map(connection, &mapped) == CONNECTION_URGED)
        return CONNECTION_URGED;
    if (mapped && answer_fresh(lookup, outcome))
        return CONNECTION_OK;
    return ask(lookup, connection, outcome);
}

/* A lookup called again with a larger buffer continues where it was, and contacts the daemon only
 * once the buffer can be large enough. */
static enum connection_result ask_daemon_whole(struct host_lookup *lookup, enum mapping_state state,
                                               enum outcome *outcome)
{
    bool wants_map = !is_alive(state);
    uint32_t key = retry_key(&lookup->question, lookup->counts.form);
    struct guard guard;
    struct connection connection = connection_new(&guard);
    size_t needed = retry_take(key, &connection.deadline);
    enum connection_result result = CONNECTION_OK;

    if (state == MAPPING_STALE && needed == 0) /* once for a lookup */
        connection.deadline -= KUBESVC_DEADLINE_MS - KUBESVC_STALE_DEADLINE_MS;
    *outcome = OUTCOME_TOO_SMALL;
    if (needed <= lookup->buffer.size) {
        do {
            guard_enter(&guard);
            result = ask_daemon(lookup, &connection, wants_map, outcome);
            connection_close(&connection);
            guard_leave(&guard);
        } while (result == CONNECTION_URGED);
        needed = lookup->layout.size;
    }
    if (result == CONNECTION_OK && *outcome == OUTCOME_TOO_SMALL)
        retry_put(key, connection.deadline, needed);
    return result;
}

enum outcome host_lookup_run(struct host_lookup *lookup)
{
    __attribute__((cleanup(leave))) struct mapping *mapping = mapping_enter();
    enum mapping_state state = mapping ? mapping_state(mapping) : MAPPING_GONE;
    enum outcome outcome;

    if (state == MAPPING_FRESH && mapped_answer(mapping, lookup, &outcome))
        return outcome;
    /* Names of its zones do not go to the next service while a daemon loads, hangs or is dead. So
     * even the snapshot of a daemon that was stopped is kept until there is another one. */
    lookup->reserved = lookup->reserved || (mapping && mapped_is_in_zone(mapping, lookup));
    enum connection_result result = ask_daemon_whole(lookup, state, &outcome);

    if (result == CONNECTION_OK)
        return outcome;
    if (mapping && result == CONNECTION_ABSENT) {
        state = mapping_state(mapping); /* the daemon may have been stopped meanwhile */
        if (is_alive(state)) {
            result = CONNECTION_REFUSED; /* a chroot or a sandbox hides its socket */
        } else {
            mapping_drop(mapping); /* the service manager has removed the socket */
            state = MAPPING_GONE;
        }
    }
    if (state != MAPPING_GONE && state != MAPPING_LOST && mapped_answer(mapping, lookup, &outcome))
        return outcome;
    return outcome_of_result(lookup, result);
}

bool host_lookup_is_in_zone(const struct host_lookup *lookup)
{
    __attribute__((cleanup(leave))) struct mapping *mapping = mapping_enter();

    return mapping && mapping_state(mapping) != MAPPING_GONE && mapped_is_in_zone(mapping, lookup);
}
