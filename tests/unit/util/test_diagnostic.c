/*
 * Diagnostics and the log: what their lines look like, and that no text can forge one.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/util/diagnostic.h"
#include "lib/util/log.h"

static void assert_format(struct diagnostic *diagnostic, const char *expected)
{
    g_autofree char *text = diagnostic_format(diagnostic, "/a.yaml");

    assert_string_equal(text, expected);
    diagnostic_free(diagnostic);
}

static void formats(void **state)
{
    (void)state;
    assert_format(
        diagnostic_new(DIAGNOSTIC_ERROR, 7, 9, "invalid-name", "Service moon/x", "%d%%", 5),
        "/a.yaml:7:9: error: Service moon/x: 5% [invalid-name]");
    assert_format(diagnostic_new(DIAGNOSTIC_WARNING, 7, 0, NULL, NULL, "odd"),
                  "/a.yaml:7: warning: odd");
    assert_format(diagnostic_new(DIAGNOSTIC_ERROR, 0, 0, "bad-value", "--zone", "must be a name"),
                  "/a.yaml: error: --zone: must be a name [bad-value]");
    diagnostic_free(NULL);
}

static void equality(void **state)
{
    struct diagnostic *all[] = {
        diagnostic_new(DIAGNOSTIC_ERROR, 1, 1, "r", "o", "m"),
        diagnostic_new(DIAGNOSTIC_WARNING, 1, 1, "r", "o", "m"),
        diagnostic_new(DIAGNOSTIC_ERROR, 2, 1, "r", "o", "m"),
        diagnostic_new(DIAGNOSTIC_ERROR, 1, 2, "r", "o", "m"),
        diagnostic_new(DIAGNOSTIC_ERROR, 1, 1, "s", "o", "m"),
        diagnostic_new(DIAGNOSTIC_ERROR, 1, 1, "r", NULL, "m"),
        diagnostic_new(DIAGNOSTIC_ERROR, 1, 1, "r", "o", "n"),
    };
    struct diagnostic *again = diagnostic_new(DIAGNOSTIC_ERROR, 1, 1, "r", "o", "m");

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        assert_int_equal(diagnostic_equal(all[i], again), i == 0);
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        diagnostic_free(all[i]);
    diagnostic_free(again);
}

/* What log_line writes to a stderr that is a pipe. */
static char *logged(const char *text)
{
    int ends[2], kept = dup(STDERR_FILENO);
    g_autofree char *buffer = g_malloc0(65536);
    ssize_t n;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    log_warning("%s", text);
    assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
    close(kept);
    close(ends[1]);
    n = read(ends[0], buffer, 65535);
    close(ends[0]);
    assert_true(n > 0);
    return g_steal_pointer(&buffer);
}

static void log_lines(void **state)
{
    g_autofree char *plain = logged("a.yaml: \xc3\xa4"), *forged = logged("x\n<3>y\x1b[2J\t\x7f");
    g_autofree char *long_text = g_strnfill(60000, '\n'), *cut = logged(long_text);

    (void)state;
    assert_string_equal(plain, "<4>a.yaml: \xc3\xa4\n");
    assert_string_equal(forged, "<4>x\\x0a<3>y\\x1b[2J\\x09\\x7f\n");
    assert_true(strlen(cut) < 9000);
    assert_int_equal(cut[strlen(cut) - 1], '\n');
    assert_ptr_equal(strchr(cut, '\n'), cut + strlen(cut) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats),
        cmocka_unit_test(equality),
        cmocka_unit_test(log_lines),
    };

    return cmocka_run_group_tests_name("diagnostic", tests, NULL, NULL);
}
