/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which names in a directory are manifests, and which are passed over: dot files, editors' and
 * package managers' leftovers, and everything with another ending.
 */
#pragma once

#include <stdbool.h>

/* Why a file of this name is passed over. */
enum manifest_name_kind {
    MANIFEST_NAME_READ, /* it is not */
    MANIFEST_NAME_HIDDEN,
    MANIFEST_NAME_LEFTOVER, /* of an editor or a package manager */
    MANIFEST_NAME_OTHER,    /* neither .yaml, .yml nor .json */
};

enum manifest_name_kind manifest_name_kind(const char *name);

/* Is a file of this name read? (A path that the configuration names itself is read whatever its
 * name.) */
bool manifest_name_is_read(const char *name);

/* Is a directory of this name entered by a recursive look? */
bool manifest_name_is_entered(const char *name);
