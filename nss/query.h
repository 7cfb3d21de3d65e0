/*
 * One question to the daemon and its answer, as far as it can be read before anybody knows how much
 * room it takes. The caller then receives the names and the addresses where they are to stay.
 *
 * Nothing survives a query but one stamp for the whole process: when the daemon last let one time
 * out. No descriptor, lock, thread-local or allocation is kept (guest rules 46, 47, 50, 51).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kubesvc/protocol.h>

enum query_result {
    QUERY_ANSWERED,
    QUERY_ABSENT,    /* nobody there, or nobody who speaks the protocol as it is written */
    QUERY_SLOW,      /* no answer in time, or left alone because there was none lately */
    QUERY_EXHAUSTED, /* no descriptor or no memory */
};

struct query_question {
    enum kubesvc_request_type type;
    enum kubesvc_family family;
    const char *name; /* NAME: valid; `name_length` may count a final dot */
    size_t name_length;
    uint8_t address[16]; /* ADDRESS */
};

/* The head of an answer, checked: only FOUND has counts that are not 0, and they keep to the limits
 * of the protocol and to the family of the question. `status` may be none that we know. */
struct query_answer {
    enum kubesvc_status status;
    bool withheld; /* the addresses do not follow */
    uint32_t names;
    uint32_t names_size;
    uint32_t inet;
    uint32_t inet6;
};

struct query {
    int fd;           /* -1: not connected */
    int64_t deadline; /* CLOCK_MONOTONIC, milliseconds; for all that a lookup asks and receives */
    int64_t limit;    /* what PENDING may move the deadline to */
};

/* Starts the clock of one lookup. */
struct query query_new(void);

/* Connects, asks, and reads the head of the answer. A lookup may ask again: it hangs up first. */
enum query_result query_ask(struct query *query, const struct query_question *question,
                            uint32_t room, struct query_answer *answer);

/* Receives the next `size` bytes behind the head. */
enum query_result query_receive(struct query *query, void *to, size_t size);

/* Closes the connection if there is one; for __attribute__((cleanup)). */
void query_hang_up(struct query *query);
