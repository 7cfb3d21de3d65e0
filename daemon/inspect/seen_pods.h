/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Counts the pods that runtimes report. A pod on several networks, or in several directories, has
 * several sightings and is still one pod.
 */
#pragma once

#include <glib.h>

#include "lib/model/cluster_read.h"

struct seen_pods {
    guint n, n_taken; /* and those of them that belong to an object */
};

/* Of one runtime, or of one source, as in struct sighting. */
struct seen_pods seen_pods_of_runtime(const struct cluster *cluster, enum runtime runtime);
struct seen_pods seen_pods_of_source(const struct cluster *cluster, const void *source);
