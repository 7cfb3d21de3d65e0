/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cache of ld.so(8), with one more library in it: so a program finds a library that is not
 * installed without LD_LIBRARY_PATH, which it would hand on to others, and setuid programs ignore.
 */
#pragma once

#include <glib.h>
#include <stddef.h>

/* The content of an /etc/ld.so.cache in which the library `name` is at `path`, whatever the
 * content `bytes` has of it; for programs that use the C library at `libc`, which must be in the
 * cache under its name. NULL: `bytes` is of no format known here, or lacks that C library. */
GBytes *library_cache_add(GBytes *bytes, const char *name, const char *path, const char *libc);
