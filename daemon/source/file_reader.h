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

struct file_reader;

/* Results of file_reader_new and file_reader_run, besides those of manifest_reader_run. */
enum {
    FILE_READER_SPECIAL = MANIFEST_BAD + 1, /* not a regular file: it was not opened */
    FILE_READER_CHANGED,                    /* it was written to during the reading */
};

/* Opens `path`, which is reported as `source`. `goes_on` is called between two pieces of the file;
 * false: stop. 0, FILE_READER_SPECIAL or negative errno; *readingp is set in the first case only.
 */
MUST_USE int file_reader_new(struct file_reader **readingp, const char *path, struct source *source,
                             const struct manifest_options *options,
                             bool (*goes_on)(void *userdata), void *userdata);
struct file_reader *file_reader_free(struct file_reader *reading); /* returns NULL */

/* MANIFEST_DONE, MANIFEST_BAD, FILE_READER_CHANGED, or negative errno; -ECANCELED: stopped. */
MUST_USE int file_reader_run(struct file_reader *reading);

/* After MANIFEST_DONE, after MANIFEST_BAD; see manifest.h. */
GPtrArray *file_reader_take_objects(struct file_reader *reading);
GPtrArray *file_reader_take_diagnostics(struct file_reader *reading);

/* Does a process have the file open for writing? */
enum writer file_reader_writer(const struct file_reader *reading);

/* The fingerprint of what was read, taken at opening. */
const struct fingerprint *file_reader_fingerprint(const struct file_reader *reading);
