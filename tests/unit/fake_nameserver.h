/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A nameserver on a loopback port for tests, run by the test's own event loop: the first label of
 * the question selects its answer, and it counts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct fake_nameserver {
    int fd;
    uint16_t port;
    unsigned questions;
    sd_event_source *source;
    uint8_t address[4]; /* what it answers to A questions */
    int listening;      /* of TCP; bound to the port, but not listening until requested */
    sd_event_source *stream_source, *unanswered;
    unsigned streams; /* questions by TCP, which `questions` does not count */
};

/*
 * First labels: `dead...` is not answered; `late` only every second time; `fail` SERVFAIL; `none`
 * NXDOMAIN, `empty` NODATA, both with a SOA of minimum 1; `far` is an alias of `near`, with its
 * address; `loop` is an alias of itself; `odd` is an alias of a name with a space. Everything else
 * has one address; its TTL is the number that the label ends with, else 60. By UDP: `big` is cut
 * off; of `forged`, answers to other questions come first; `LOUD` comes back in small letters;
 * `bare` is not understood (FORMERR without the question).
 */
void fake_nameserver_start(struct fake_nameserver *fake, sd_event *event);

/* The same on port 53 of a loopback address; false: this user may not. */
bool fake_nameserver_start_at(struct fake_nameserver *fake, sd_event *event, const char *address);

/* Listens on its port by TCP as well: one question of each connection is answered, that of
 * `dead` never and that of `cut` with half a message. */
void fake_nameserver_start_tcp(struct fake_nameserver *fake, sd_event *event);
void fake_nameserver_stop(struct fake_nameserver *fake);
