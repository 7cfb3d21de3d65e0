/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hosts line as glibc reads it, and whether it asks us in a place where that helps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/nsswitch.h"

static void places(void **state)
{
    static const struct {
        const char *text;
        enum nsswitch_place place;
        const char *before;
    } cases[] = {
        {"hosts: files kubesvc [NOTFOUND=return] dns", NSSWITCH_GOOD, NULL},
        {"hosts:files kubesvc[!UNAVAIL=return]dns", NSSWITCH_GOOD, NULL},
        {"  HOSTS :\tfiles\tkubesvc # dns", NSSWITCH_GOOD, NULL},
        {"hosts: files [SUCCESS=merge] kubesvc", NSSWITCH_GOOD, NULL},
        {"hosts: files [NOTFOUND=return NOTFOUND=continue] kubesvc", NSSWITCH_GOOD, NULL},
        {"hosts: files kubesvc dns", NSSWITCH_NO_RETURN, "dns"},
        {"hosts: files kubesvc [UNAVAIL=return] dns", NSSWITCH_NO_RETURN, "dns"},
        {"hosts: files dns", NSSWITCH_ABSENT, NULL},
        {"hosts: files kubesvc2", NSSWITCH_ABSENT, NULL},
        {"hosts: files [NOTFOUND=return] dns", NSSWITCH_ABSENT, NULL},
        {"hosts: # kubesvc", NSSWITCH_ABSENT, NULL},
        {"hosts:", NSSWITCH_ABSENT, NULL},
        {"", NSSWITCH_ABSENT, NULL},
        {"passwd: kubesvc\nhostsx: kubesvc\n", NSSWITCH_ABSENT, NULL},
        {"hosts: files [NOTFOUND=return] kubesvc", NSSWITCH_CUT_OFF, "files"},
        {"hosts: dns [!success=RETURN] kubesvc", NSSWITCH_CUT_OFF, "dns"},
        {"hosts: dns kubesvc", NSSWITCH_LATE, "dns"},
        {"hosts: mdns4_minimal [NOTFOUND=return] kubesvc", NSSWITCH_LATE, "mdns4_minimal"},
        {"hosts: resolve kubesvc [NOTFOUND=return] dns", NSSWITCH_LATE, "resolve"},
        {"hosts: dns\nhosts: kubesvc\n", NSSWITCH_GOOD, NULL}, /* the last line counts */
        {"hosts: kubesvc\nhosts: dns\n", NSSWITCH_ABSENT, NULL},
        /* lines that glibc would complain about must not be read beyond their end */
        {"hosts: [", NSSWITCH_ABSENT, NULL},
        {"hosts: files [NOTFOUND", NSSWITCH_ABSENT, NULL},
        {"hosts: kubesvc [=return] [] ] dns", NSSWITCH_NO_RETURN, "]"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *before;
        struct nsswitch *nsswitch = nsswitch_parse(cases[i].text);
        if (nsswitch_place(nsswitch, &before) != cases[i].place ||
            g_strcmp0(before, cases[i].before) != 0)
            fail_msg("%s: %d %s", cases[i].text, nsswitch_place(nsswitch, &before), before);
        nsswitch_free(nsswitch);
    }
}

static void services(void **state)
{
    struct nsswitch *nsswitch = nsswitch_parse("# x\n\nhosts: files a[!UNAVAIL=return] b");
    const struct nsswitch_service *service = nsswitch->services->pdata[1];
    (void)state;
    assert_int_equal(nsswitch->line, 3);
    assert_int_equal(nsswitch->services->len, 3);
    assert_string_equal(service->name, "a");
    assert_true(service->stops[NSSWITCH_SUCCESS]);
    assert_true(service->stops[NSSWITCH_NOTFOUND]);
    assert_true(service->stops[NSSWITCH_TRYAGAIN]);
    assert_false(service->stops[NSSWITCH_UNAVAIL]);
    nsswitch_free(nsswitch);

    nsswitch = nsswitch_parse("passwd: files\n");
    assert_int_equal(nsswitch->line, 0);
    assert_int_equal(nsswitch->services->len, 2); /* the default */
    nsswitch_free(nsswitch);
    assert_null(nsswitch_free(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places),
        cmocka_unit_test(services),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
