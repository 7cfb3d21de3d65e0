/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pieces of a ruleset: what one Service needs in the table.
 */
#pragma once

#include <glib.h>

#include "forward.h"

enum item_kind {
    ITEM_SET,     /* `key` is its name, and it is declared as `value` */
    ITEM_CHAIN,   /* `key` is its name, `value` its rules, each with its newline */
    ITEM_ELEMENT, /* `key` of the set or map `set`; `value` of a map, else "" */
    ITEM_FLOW,    /* of UDP: `key` leads to `value`; not part of the table */
};

struct item {
    enum item_kind kind;
    const char *set; /* of an element, static; else "" */
    char *key;       /* of an element or flow, or the name of a set or chain */
    char *value;
    struct address address; /* of a flow */
    uint16_t port;
};

/* GPtrArray of struct item *, which frees them. */
GPtrArray *items_of(const struct forward_service *service);
