/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reading of one file, from open to end: a regular file whose content was the
 * same before and after, or a reason why not.
 */
#pragma once

#include "fingerprint.h"
#include "lib/manifest/manifest.h"
#include "lib/util/error.h"
#include "writer.h"

struct reading;

/* Results of reading_new and reading_run, besides those of manifest_reader_run. */
enum {
    READING_SPECIAL = 16, /* not a regular file: it was not opened */
    READING_CHANGED,      /* it was written to during the reading */
};

/* Opens `path`, which is reported as `source`. `goes_on` is called between two pieces of the file;
 * false: stop. 0, READING_SPECIAL or negative errno; *readingp is set in the first case only. */
MUST_USE int reading_new(struct reading **readingp, const char *path, struct source *source,
                         const struct manifest_options *options, bool (*goes_on)(void *userdata),
                         void *userdata);
struct reading *reading_free(struct reading *reading); /* returns NULL */

/* MANIFEST_DONE, MANIFEST_BAD, READING_CHANGED, or negative errno; -ECANCELED: stopped. */
MUST_USE int reading_run(struct reading *reading);

/* After MANIFEST_DONE, after MANIFEST_BAD; see manifest.h. */
GPtrArray *reading_take_objects(struct reading *reading);
GPtrArray *reading_take_diagnostics(struct reading *reading);

/* Does a process have the file open for writing? */
enum writer reading_writer(const struct reading *reading);

/* The fingerprint of what was read, taken at opening. */
const struct fingerprint *reading_fingerprint(const struct reading *reading);
