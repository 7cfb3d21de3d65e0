/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which names in a directory are manifests, and which are skipped: dot files, leftovers of editors
 * and package managers, and other extensions.
 */
#pragma once

#include <stdbool.h>

/* Why a file of this name is skipped. */
enum manifest_name_kind {
    MANIFEST_NAME_READ, /* it is not skipped */
    MANIFEST_NAME_HIDDEN,
    MANIFEST_NAME_LEFTOVER, /* of an editor or a package manager */
    MANIFEST_NAME_OTHER,    /* neither .yaml, .yml nor .json */
};

enum manifest_name_kind manifest_name_kind(const char *name);

/* Is a file of this name read? (A path given in the configuration is read whatever its name.) */
bool manifest_name_is_read(const char *name);

/* Does a recursive scan enter a directory of this name? */
bool manifest_name_is_entered(const char *name);
