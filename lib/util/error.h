/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's error convention, written down once.
 *
 * A function that can fail returns int. Negative: a fatal errno (-EIO, ...), of the environment or
 * of the programmer; it is passed up unchanged until somebody can decide. Zero or positive: a
 * result of the function's own, documented with it; bad input is such a result, never fatal. Memory
 * comes from GLib, which ends the process when there is none left; so allocation has no error path.
 * The supervisor restarts the daemon, and meanwhile the module hands names on.
 */
#pragma once

#define MUST_USE __attribute__((warn_unused_result))
