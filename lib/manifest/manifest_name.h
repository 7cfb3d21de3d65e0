/*
 * Which names in a directory are manifests, and which are passed over: dot files, editors' and
 * package managers' leftovers, and everything with another ending.
 */
#pragma once

#include <stdbool.h>

/* Is a file of this name read? (A path that the configuration names itself is read whatever its
 * name.) */
bool manifest_name_is_read(const char *name);

/* Is a directory of this name entered by a recursive look? */
bool manifest_name_is_entered(const char *name);
