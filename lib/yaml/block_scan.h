/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the block reader reads a line of: spaces, comments and scalars. Every line ends with '\n',
 * so that nothing reads beyond it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tree.h"

struct block_cursor {
    const char *at;   /* the next character */
    const char *line; /* the first one of its line */
    uint32_t number;  /* of the line */
};

enum block_event_type { EVENT_SCALAR, EVENT_MAP, EVENT_LIST, EVENT_END };

struct block_event {
    const char *text; /* scalar: in the document */
    uint32_t length;
    struct position position;
    enum block_event_type type;
    bool plain;
};

static inline bool block_is_blank(char c)
{
    return c == ' ' || c == '\n';
}

static inline struct position block_position(const struct block_cursor *cursor)
{
    return (struct position){.line = cursor->number,
                             .column = (uint32_t)(cursor->at - cursor->line) + 1};
}

static inline void block_skip_spaces(struct block_cursor *cursor)
{
    while (*cursor->at == ' ')
        cursor->at++;
}

/* Does nothing follow on the line but a comment? */
static inline bool block_is_over(const struct block_cursor *cursor)
{
    const char *at = cursor->at;

    return *at == '\n' || (*at == '#' && (at == cursor->line || at[-1] == ' '));
}

/* On to the next line. False: something else than a comment follows on this one. */
static inline bool block_end_line(struct block_cursor *cursor)
{
    block_skip_spaces(cursor);
    if (!block_is_over(cursor))
        return false;
    while (*cursor->at != '\n')
        cursor->at++;
    cursor->line = ++cursor->at;
    cursor->number++;
    return true;
}

/* A quoted scalar, or a plain one up to ": ", " #" or the end of the line. False: it is none of
 * these, or may be something else. */
bool block_scan(struct block_cursor *cursor, struct block_event *event);

/* The same in brackets, where more characters have a meaning. */
bool block_scan_flow(struct block_cursor *cursor, struct block_event *event);
