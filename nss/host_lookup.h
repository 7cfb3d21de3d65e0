/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One lookup: a question worth asking -> its outcome, and the answer in the caller's buffer. It is
 * answered from the snapshot mapped by the process, or by the daemon over its socket; the choice is
 * made only here.
 */
#pragma once

#include "pack.h"
#include "query.h"

enum outcome {
    OUTCOME_FOUND,
    OUTCOME_NO_DATA,
    OUTCOME_NOT_FOUND,
    OUTCOME_NOT_OURS,
    OUTCOME_ABSENT,
    OUTCOME_TRY_AGAIN,
    OUTCOME_EXHAUSTED,
    OUTCOME_TOO_SMALL,
    OUTCOME_BAD_FAMILY,
    OUTCOME_BAD_LENGTH,
};

struct host_lookup {
    struct query_question question;
    struct pack_buffer buffer;
    struct pack_counts counts; /* `form` is set by the caller */
    struct pack_layout layout;
    bool reserved; /* the name must not be asked of public DNS */
    bool by_map;   /* the outcome comes from the mapped snapshot, not from the daemon itself */
};

/* FOUND: names and addresses are in the buffer as counts and layout say. */
enum outcome host_lookup_run(struct host_lookup *lookup);

/* Is the lookup's name, which may be invalid, in a zone of the mapped snapshot? No if that daemon
 * was stopped. */
bool host_lookup_is_in_zone(const struct host_lookup *lookup);

/* What a status means for this lookup. */
enum outcome host_lookup_outcome(const struct host_lookup *lookup, enum kubesvc_status status);

/* Plans the layout of an answer with these counts; the one address of a reverse answer is the
 * question itself. */
void host_lookup_plan(struct host_lookup *lookup, uint32_t names, uint32_t names_size,
                      uint32_t inet, uint32_t inet6);
