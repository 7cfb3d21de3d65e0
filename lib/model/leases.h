/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Address leases: which object holds which invented address. The same key keeps its address for as
 * long as the range allows; a freed address stays remembered with its key and is reused last,
 * oldest first (rule 105). Knows no file: a callback persists each change.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/util/address.h"

enum lease_use { LEASE_POD, LEASE_SERVICE, LEASE_USES };

enum lease_event {
    LEASE_TAKEN,   /* the key holds the address */
    LEASE_FREED,   /* the key is gone; its address is remembered */
    LEASE_DROPPED, /* the key no longer holds the address */
};

/* A key holds at most one of each family; it may have others, freed: in ranges that were configured
 * before, and may be again. */
struct lease {
    struct address address; /* first: what it is found by */
    uint64_t freed;         /* order in which leases were freed, 0: held */
    bool claimed;           /* requested since the start of the daemon */
    bool outside;           /* freed, and outside the ranges */
    uint8_t use;            /* enum lease_use */
    GList link;             /* while freed, among all that are */
    struct lease *next;     /* of the same key, use and family */
    const char *key;        /* "namespace/Kind/name[/ordinal]" */
};

/* Freed leases of one use and family, within the ranges and outside; the oldest are forgotten. */
#define LEASES_REMEMBERED_MAX 131072u

#define LEASE_KEY_MAX 1023u

struct leases_callbacks {
    /* An address changed hands; must be persisted before it is published. */
    void (*changed)(void *userdata, enum lease_event event, const struct lease *lease);
    /* Does an object state this address? Then it is never leased. */
    bool (*stated)(void *userdata, const struct address *address);
    void *userdata;
};

struct leases;

struct leases *leases_new(const struct leases_callbacks *callbacks);
struct leases *leases_free(struct leases *leases); /* returns NULL */

/* Sets the ranges of one use, struct address_range, copied. Leases outside them are freed at the
 * next request, and come back with their range. */
void leases_set_ranges(struct leases *leases, enum lease_use use, const GArray *ranges);

/* The family of the first range, 0 without any. */
int leases_first_family(const struct leases *leases, enum lease_use use);

/* The persisted history, in order; reports no change. Of contradictions the later one counts. */
void leases_restore(struct leases *leases, enum lease_event event, enum lease_use use,
                    const struct address *address, const char *key);

/* The address that a key holds in one family; false if none. */
bool leases_find(const struct leases *leases, enum lease_use use, int family, const char *key,
                 struct address *address);

/* The address of a key in one family, leased if necessary. False: no range of that family, or all
 * of its addresses are held. */
bool leases_take(struct leases *leases, enum lease_use use, int family, const char *key,
                 struct address *address);

/* Keys that were refused, in either family, and have not been released since. */
uint64_t leases_exhausted(const struct leases *leases, enum lease_use use);

/* If an address has become free since a refusal: the keys refused in that use and family (char *,
 * owned by the array; possibly duplicates), which should ask again and are no longer recorded. Else
 * empty. */
GPtrArray *leases_take_waiters(struct leases *leases);

/* A stated address is no longer stated: it may be leased again. */
void leases_note_freed(struct leases *leases, const struct address *address);

/* The key is gone. Does nothing if it holds nothing. */
void leases_release(struct leases *leases, enum lease_use use, int family, const char *key);

/* Is the address leased, or was it, so that its holder should get it back? */
bool leases_hold(const struct leases *leases, const struct address *address);

/* An object now states this address. Returns the key that held it, to be freed with g_free, or
 * NULL. */
char *leases_evict(struct leases *leases, const struct address *address);

/* Frees restored leases that have not been requested; call after the first full load. */
void leases_release_unclaimed(struct leases *leases);

/* Every lease: freed ones first, in the order they were freed. */
void leases_each(const struct leases *leases,
                 void (*each)(void *userdata, const struct lease *lease), void *userdata);

/* How many leases there are, held and remembered. */
uint64_t leases_size(const struct leases *leases);

/* Addresses held and addresses in all ranges of a use (saturating). */
void leases_count(const struct leases *leases, enum lease_use use, uint64_t *held, uint64_t *size);
