/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names that runtimes give to the pods of an object, and which object a name can belong to.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "holder.h"

/* Every name of an object that can have a pod of this name begins as it does, for one of these
 * lengths, and ends there unless that is SIGHTING_STEM_MAX: longer names are cut for their pods.
 * Returns how many lengths there are. */
#define SIGHTING_STEM_MAX 58u
unsigned sighting_stems(const struct sighting *sighting, const char *node,
                        size_t lengths[static SIGHTING_STEMS_MAX]);

/* Which of the object's pods has the name: its index, from 0. */
#define SIGHTING_NO_SEAT (-1)  /* none */
#define SIGHTING_ANY_SEAT (-2) /* any: controllers draw these names */
int64_t sighting_seat(const struct sighting *sighting, const struct holder *holder,
                      const char *node);
