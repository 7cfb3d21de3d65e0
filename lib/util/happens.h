/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What valgrind's drd cannot see: that what precedes an atomic store with release order happens
 * before what follows the load that finds it, and which words are stored to and loaded atomically
 * on purpose. Empty but in a build for drd (`make DRD=1`). ThreadSanitizer needs none of it.
 */
#pragma once

#ifdef KUBESVC_DRD
#include <valgrind/drd.h>
#define HAPPENS_BEFORE(object) ANNOTATE_HAPPENS_BEFORE(object) /* before the store */
#define HAPPENS_AFTER(object) ANNOTATE_HAPPENS_AFTER(object)   /* after the load */
#define ATOMIC_WORDS(first, size) ANNOTATE_BENIGN_RACE_SIZED(first, size, "atomic")
#else
#define HAPPENS_BEFORE(object) ((void)0)
#define HAPPENS_AFTER(object) ((void)0)
#define ATOMIC_WORDS(first, size) ((void)0)
#endif
