/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One lookup: a question that was found to be worth asking -> its outcome, and the answer in the
 * caller's buffer. It is answered from the snapshot that the process has mapped, or by the daemon
 * over its socket; which of the two is decided here and nowhere else.
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
    struct pack_counts counts; /* `form` is the caller's */
    struct pack_layout layout;
    bool reserved; /* the name must not be asked of public DNS */
    bool by_map;   /* the outcome is the mapped snapshot's, not that of the daemon itself */
};

/* FOUND: names and addresses lie in the buffer as counts and layout say. */
enum outcome host_lookup_run(struct host_lookup *lookup);

/* What a status means for this lookup. */
enum outcome host_lookup_outcome(const struct host_lookup *lookup, enum kubesvc_status status);

/* Plans where an answer with these counts goes; the one address of a reverse answer is the question
 * itself. */
void host_lookup_plan(struct host_lookup *lookup, uint32_t names, uint32_t names_size,
                      uint32_t inet, uint32_t inet6);
