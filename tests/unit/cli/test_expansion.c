/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * $(NAME), with the cases of Kubernetes' own tests of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "cli/expansion.h"

static const char *find(void *userdata, const char *name)
{
    static const struct {
        const char *name, *value;
    } known[] = {
        {"VAR_A", "A"}, {"VAR_B", "B"}, {"VAR_C", "C"}, {"VAR_REF", "$(VAR_A)"}, {"VAR_EMPTY", ""},
    };
    (void)userdata;
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].value;
    return NULL;
}

static void expands(void **state)
{
    static const char *const cases[][2] = {
        {"$(VAR_A)", "A"},
        {"___$(VAR_B)___", "___B___"},
        {"___$(VAR_C)", "___C"},
        {"$(VAR_A)-$(VAR_A)", "A-A"},
        {"$(VAR_A)_1", "A_1"},
        {"$(VAR_REF)", "$(VAR_A)"},
        {"%%$(VAR_REF)--$(VAR_REF)%%", "%%$(VAR_A)--$(VAR_A)%%"},
        {"foo$(VAR_EMPTY)bar", "foobar"},
        {"foo$(VAR_UNKNOWN)bar", "foo$(VAR_UNKNOWN)bar"},
        {"foo\\$(VAR_A)bar", "foo\\Abar"},
        {"f000-$VAR_A", "f000-$VAR_A"},
        {"foo\\\\$(VAR_A)bar", "foo\\\\Abar"},
        {"$$(VAR_A)", "$(VAR_A)"},
        {"$$$(VAR_A)", "$A"},
        {"$$$$(VAR_A)", "$$(VAR_A)"},
        {"$VAR_A)", "$VAR_A)"},
        {"${VAR_A}", "${VAR_A}"},
        {"$(VAR_B)______$(A", "B______$(A"},
        {"$$", "$"},
        {"$$$$$$$(VAR_A)", "$$$A"},
        {"$(VAR_A$(VAR_B)", "$(VAR_A$(VAR_B)"},
        {"$", "$"},
        {"$(", "$("},
        {"$()", "$()"},
        {"$a$(VAR_A)$b", "$aA$b"},
        {"foobarrou ($$", "foobarrou ($"},
        {"(VAR_A)", "(VAR_A)"},
        {"$$VAR_A", "$VAR_A"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = expansion_expand(cases[i][0], find, NULL);
        assert_string_equal(got, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(expands)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
