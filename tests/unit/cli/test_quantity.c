/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Quantities, and texts that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>

#include "cli/quantity.h"

static void values(void **state)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"0", 0},       {"1", 1},           {"1.5", 1.5}, {"-2", -2},  {"+2", 2},
        {"250m", 0.25}, {"64Mi", 67108864}, {"1k", 1000}, {"1G", 1e9}, {"2Gi", 2147483648},
        {"1e3", 1000},  {"1E-2", 0.01},     {"1E", 1e18}, {".5", 0.5}, {"5.", 5},
        {"1e+2", 100},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        double value = -1;
        assert_true(quantity_parse(cases[i].text, &value));
        assert_float_equal(value, cases[i].value, 1e-9);
    }
}

static void none(void **state)
{
    static const char *const cases[] = {"",   ".",  "m",   "1 m",  "1mi",   "1.2.3", "0x10",
                                        "1e", "e3", "--1", "1e 3", "1e999", "inf",   "nan"};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        double value;
        if (quantity_parse(cases[i], &value))
            fail_msg("%s", cases[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values), cmocka_unit_test(none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
