/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Work in a child process, because it runs code that is not ours and may crash or hang: the modules
 * of libc.
 */
#pragma once

#include <stdio.h>

/* What `work` has written to `out`; free with g_free. NULL if it did not come to its end: *failurep
 * then says why, behind "it" or so, such as "was killed by signal 7 (Bus error)"; free with g_free.
 */
char *child_output(void (*work)(FILE *out, const void *userdata), const void *userdata,
                   char **failurep);
