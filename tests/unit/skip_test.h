/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cmocka's skip() takes no reason. run.py reads this one, and counts a test that skips without one
 * as failed: what is not tested must be a fact about the machine, and named.
 */
#pragma once

#define skip_test(why)                                                                             \
    do {                                                                                           \
        print_message("# skip: %s\n", why);                                                        \
        skip();                                                                                    \
    } while (0)
