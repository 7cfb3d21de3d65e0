/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is logged of failures: the server's words, and none that are different each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "cluster/status_text.h"

static void the_message_of_a_status(void **state)
{
    static const char body[] = "{\"kind\":\"Status\",\"message\":\"services is forbidden\"}";
    g_autofree char *known = status_text(403, body, strlen(body));
    g_autofree char *cut = status_text(403, body, strlen(body) - 1);
    g_autofree char *page = status_text(502, "<html>", strlen("<html>"));

    (void)state;
    assert_string_equal(known, "HTTP 403: services is forbidden");
    assert_string_equal(cut, "HTTP 403");
    assert_string_equal(page, "HTTP 502");
}

static void equal_failures_have_equal_texts(void **state)
{
    static const char *const rows[][2] = {
        {"Failed to connect to api port 6443 after 131072 ms: Connection refused",
         "Failed to connect to api port 6443: Connection refused"},
        {"Failed to connect to api port 6443 via 10.0.0.1:3128 after 3 ms: Could not connect",
         "Failed to connect to api port 6443 via 10.0.0.1:3128: Could not connect"},
        {"Connection timed out after 10001 milliseconds", "Connection timed out"},
        {"Operation timed out after 30001 milliseconds with 0 bytes received",
         "Operation timed out"},
        {"Operation timed out after 30001 milliseconds with 512 out of 4096 bytes received",
         "Operation timed out"},
        {"HTTP/2 stream 9 was not closed cleanly before end of the underlying stream",
         "HTTP/2 stream was not closed cleanly before end of the underlying stream"},
        {"SSL certificate problem: certificate has expired",
         "SSL certificate problem: certificate has expired"},
        {"certificate subject name '\xff' does not match",
         "certificate subject name '\xff' does not match"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = transport_text(rows[i][0]);

        assert_string_equal(text, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_message_of_a_status),
        cmocka_unit_test(equal_failures_have_equal_texts),
    };

    return cmocka_run_group_tests_name("status_text", tests, NULL, NULL);
}
