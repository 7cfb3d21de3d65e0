/*
 * The connection of one lookup to the daemon, and the clock that all of it runs against.
 *
 * Nothing survives a lookup but one stamp for the whole process: when the daemon last let one time
 * out. No descriptor, lock, thread-local or allocation is kept (guest rules 46, 47, 50, 51).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum channel_result {
    CHANNEL_OK,
    CHANNEL_ABSENT,    /* no socket that this process may connect to: no daemon is meant to run */
    CHANNEL_REFUSED,   /* no daemon behind the socket, or none that speaks the protocol */
    CHANNEL_SLOW,      /* no answer in time, or left alone because there was none lately */
    CHANNEL_EXHAUSTED, /* no descriptor or no memory */
};

struct channel {
    int fd;           /* -1: not connected */
    int64_t deadline; /* CLOCK_MONOTONIC, milliseconds; for all that a lookup sends and receives */
    int64_t limit;    /* what PENDING may move the deadline to */
};

/* Starts the clock of one lookup. */
struct channel channel_new(void);

/* Milliseconds of CLOCK_MONOTONIC, in the 32 bits that every processor can store at once without a
 * helper library; never 0. */
uint32_t channel_stamp(void);

/* Connects; CHANNEL_SLOW at once for a second after a time-out. A lookup may connect again: it
 * closes first. */
enum channel_result channel_connect(struct channel *channel);

enum channel_result channel_send(struct channel *channel, const void *data, size_t size);

/* Receives exactly `size` bytes. */
enum channel_result channel_receive(struct channel *channel, void *to, size_t size);

/* The same, with the descriptor that came with the first of them: the caller's from now on, -1 for
 * none, also after a failure. */
enum channel_result channel_receive_descriptor(struct channel *channel, void *to, size_t size,
                                               int *fd);

/* PENDING says that the daemon waits for somebody itself. False: for too long. */
bool channel_extend(struct channel *channel);

/* Closes the connection if there is one; for __attribute__((cleanup)). */
void channel_close(struct channel *channel);
