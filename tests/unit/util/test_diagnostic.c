/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Diagnostics and the log: what their lines look like, and that no text can forge one.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

/* What log_line writes to a stderr that is `out`, the other end of which is `in`. */
static char *logged_to(int in, int out, const char *text)
{
    int kept = dup(STDERR_FILENO);
    g_autofree char *buffer = g_malloc0(65536);
    size_t size = 0;

    assert_int_equal(dup2(out, STDERR_FILENO), STDERR_FILENO);
    log_warning("%s", text);
    assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
    close(kept);
    while (size == 0 || buffer[size - 1] != '\n') { /* a terminal passes a line on in parts */
        ssize_t n = read(in, buffer + size, 65535 - size);

        assert_true(n > 0);
        size += (size_t)n;
    }
    return g_steal_pointer(&buffer);
}

static char *logged(const char *text)
{
    int ends[2];
    char *result;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    result = logged_to(ends[0], ends[1], text);
    close(ends[0]);
    close(ends[1]);
    return result;
}

static void log_lines(void **state)
{
    g_autofree char *plain = logged("a.yaml: \xc3\xa4"), *forged = logged("x\n<3>y\x1b[2J\t\x7f");
    g_autofree char *c1 = logged("a\xc2\x9b"
                                 "31m"),
                    *turned = logged("\xe2\x80\xae"
                                     "b");
    g_autofree char *broken = logged("\xe4 \x9b"
                                     "0m");
    g_autofree char *long_text = g_strnfill(60000, '\n'), *cut = logged(long_text);

    (void)state;
    assert_string_equal(plain, "a.yaml: \xc3\xa4\n");
    assert_string_equal(forged, "x\\x0a<3>y\\x1b[2J\\x09\\x7f\n");
    assert_string_equal(c1, "a\\xc2\\x9b31m\n");
    assert_string_equal(turned, "\\xe2\\x80\\xaeb\n");
    assert_string_equal(broken, "\\xe4 \\x9b0m\n");
    assert_true(strlen(cut) < 9000);
    assert_int_equal(cut[strlen(cut) - 1], '\n');
    assert_ptr_equal(strchr(cut, '\n'), cut + strlen(cut) - 1);
}

/* As systemd starts a service: stderr is a stream socket, which the variable describes. */
static void log_severity_for_the_journal(void **state)
{
    int ends[2];
    struct stat status;
    g_autofree char *stream = NULL, *journal = NULL, *other = NULL, *redirected = NULL;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(fstat(ends[1], &status), 0);
    stream = g_strdup_printf("%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    g_setenv("JOURNAL_STREAM", stream, TRUE);
    journal = logged_to(ends[0], ends[1], "a");
    redirected = logged("a");
    g_setenv("JOURNAL_STREAM", "1:2", TRUE);
    other = logged_to(ends[0], ends[1], "a");
    g_unsetenv("JOURNAL_STREAM");
    close(ends[0]);
    close(ends[1]);
    assert_string_equal(journal, "<4>a\n");
    assert_string_equal(redirected, "a\n");
    assert_string_equal(other, "a\n");
}

static void log_plain_to_terminals_and_files(void **state)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave, file, reader;
    g_autofree char *path = NULL, *terminal = NULL, *kept = NULL;

    (void)state;
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(slave >= 0);
    terminal = logged_to(master, slave, "a");
    close(slave);
    close(master);
    assert_string_equal(terminal, "a\r\n");

    file = g_file_open_tmp(NULL, &path, NULL);
    reader = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0 && reader >= 0);
    assert_int_equal(unlink(path), 0);
    kept = logged_to(reader, file, "a");
    close(reader);
    close(file);
    assert_string_equal(kept, "a\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats),
        cmocka_unit_test(equality),
        cmocka_unit_test(log_lines),
        cmocka_unit_test(log_severity_for_the_journal),
        cmocka_unit_test(log_plain_to_terminals_and_files),
    };

    return cmocka_run_group_tests_name("diagnostic", tests, NULL, NULL);
}
