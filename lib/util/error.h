/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's error convention.
 *
 * A function that can fail returns int. Negative: a fatal errno (-EIO, ...), of the environment or
 * of the programmer; it is passed up unchanged to a caller that can decide. Zero or positive: a
 * result of the function's own, documented with it; bad input is such a result, never fatal. Memory
 * comes from GLib, which aborts the process when it runs out; so allocation has no error path. The
 * service manager restarts the daemon, and meanwhile the module hands names to the next service.
 */
#pragma once

#define MUST_USE __attribute__((warn_unused_result))
