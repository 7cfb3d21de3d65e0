/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The socket file: created, replaced when stale, left alone when another process uses it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/serve/listening_socket.h"

static char *directory, *path, *lock;

static int setup(void **state)
{
    (void)state;
    directory = g_dir_make_tmp("kubesvc-XXXXXX", NULL);
    path = g_build_filename(directory, "run", "socket", NULL);
    lock = g_strconcat(path, ".lock", NULL);
    return 0;
}

/* Fails if anything was left behind. */
static int teardown(void **state)
{
    g_autofree char *run = g_path_get_dirname(path);

    (void)state;
    (void)rmdir(run);
    assert_int_equal(rmdir(directory), 0);
    g_free(directory);
    g_free(path);
    g_free(lock);
    return 0;
}

static struct listening_socket *listen_there(void)
{
    struct listening_socket *listening;

    assert_int_equal(listening_socket_new(&listening, path, -1), 0);
    return listening;
}

static int try_to_listen(void)
{
    struct listening_socket *listening = NULL;
    int r = listening_socket_new(&listening, path, -1);

    if (r == 0)
        listening_socket_free(listening);
    return r;
}

/* A socket file, bound by hand; `type` 0: no process is behind it any more. */
static int bind_there(int type)
{
    g_autofree char *run = g_path_get_dirname(path);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type ? type : SOCK_STREAM, 0);

    (void)mkdir(run, 0755);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    if (type)
        return fd;
    close(fd);
    return -1;
}

static bool answers(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    bool connected;

    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return connected;
}

static void test_modes_do_not_depend_on_the_umask(void **state)
{
    g_autofree char *run = g_path_get_dirname(path);
    mode_t before = umask(077);
    struct listening_socket *listening = listen_there();
    struct stat found;

    (void)state;
    umask(before);
    assert_int_equal(stat(run, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0755);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0666);
    assert_int_equal(stat(lock, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    assert_true(answers());
    listening_socket_free(listening);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(access(lock, F_OK), -1);
}

static void test_second_daemon_is_told(void **state)
{
    struct listening_socket *listening = listen_there();

    (void)state;
    assert_int_equal(try_to_listen(), LISTENING_SOCKET_BUSY);
    assert_true(answers());
    assert_int_equal(unlink(lock), 0); /* by a tidy administrator: still answered, still busy */
    assert_int_equal(try_to_listen(), LISTENING_SOCKET_BUSY);
    assert_true(answers());
    listening_socket_free(listening);
    assert_int_equal(try_to_listen(), 0);
}

static void test_stale_socket_is_replaced(void **state)
{
    struct listening_socket *listening;

    (void)state;
    bind_there(0);
    assert_false(answers());
    listening = listen_there();
    assert_true(answers());
    listening_socket_free(listening);
}

static void test_socket_of_another_program_is_left(void **state)
{
    int fd = bind_there(SOCK_STREAM);

    (void)state;
    assert_int_equal(listen(fd, 0), 0);
    assert_true(answers());
    for (int i = 0; i < 3; i++) /* also when its backlog is full */
        assert_int_equal(try_to_listen(), LISTENING_SOCKET_BUSY);
    close(fd);
    assert_int_equal(unlink(path), 0);
    fd = bind_there(SOCK_DGRAM);
    assert_int_equal(try_to_listen(), LISTENING_SOCKET_BUSY);
    close(fd);
    assert_int_equal(try_to_listen(), 0);
}

static void test_other_files_are_left(void **state)
{
    g_autofree char *run = g_path_get_dirname(path);

    (void)state;
    assert_int_equal(mkdir(run, 0755), 0);
    assert_true(g_file_set_contents(path, "precious", -1, NULL));
    assert_int_equal(try_to_listen(), -EEXIST);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("elsewhere", path), 0);
    assert_int_equal(try_to_listen(), -EEXIST);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("elsewhere", lock), 0);
    assert_int_equal(try_to_listen(), -ELOOP);
    assert_int_equal(unlink(lock), 0);
}

static void test_what_replaced_it_is_not_removed(void **state)
{
    struct listening_socket *listening = listen_there();

    (void)state;
    assert_int_equal(unlink(path), 0);
    bind_there(0);
    listening_socket_free(listening);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(unlink(path), 0);
}

/* Another user who can put a socket there could answer instead. */
static void test_exposed_directories_are_refused(void **state)
{
    g_autofree char *run = g_path_get_dirname(path);

    (void)state;
    assert_int_equal(mkdir(run, 0755), 0);
    for (mode_t mode = 0; mode <= 0777; mode++) {
        mode_t own = mode | 0700;

        assert_int_equal(chmod(run, own), 0);
        assert_int_equal(try_to_listen(), own & 022 ? LISTENING_SOCKET_EXPOSED : 0);
    }
    assert_int_equal(chmod(run, 01777),
                     0); /* like /tmp: that others cannot remove it is too late */
    assert_int_equal(try_to_listen(), LISTENING_SOCKET_EXPOSED);
    assert_int_equal(chmod(run, 0755), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(run, 65534, 65534), 0);
        assert_int_equal(try_to_listen(), LISTENING_SOCKET_EXPOSED);
        assert_int_equal(chown(run, 0, 65534), 0);
    }
    assert_int_equal(try_to_listen(), 0);
}

static void test_impossible_paths(void **state)
{
    g_autofree char *real = g_steal_pointer(&path);

    (void)state;
    path = g_strdup_printf("%s/%0200d", directory, 0);
    assert_int_equal(try_to_listen(), -ENAMETOOLONG);
    g_free(path);
    path = g_build_filename(directory, "no", "such", "socket", NULL);
    assert_int_equal(try_to_listen(), -ENOENT);
    g_free(path);
    path = g_strdup("");
    assert_int_equal(try_to_listen(), -EINVAL);
    g_free(path);
    path = g_steal_pointer(&real);
}

/* The longest path there is: 107 bytes and a NUL. */
static void test_longest_path(void **state)
{
    struct sockaddr_un address;
    size_t length = sizeof address.sun_path - 1 - strlen(directory) - 1;
    g_autofree char *name = g_strnfill(length, 's');

    (void)state;
    g_free(path);
    path = g_build_filename(directory, name, NULL);
    assert_int_equal(strlen(path), 107);
    assert_int_equal(try_to_listen(), 0);
    g_free(path);
    path = g_build_filename(directory, "run", "socket", NULL);
}

/* Many start at once on a stale socket: one gets it, the others learn that it is busy, and it keeps
 * answering. */
static void test_race(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        int start[2], done[2], busy = 0, won = 0;
        char byte;

        bind_there(0);
        assert_int_equal(pipe(start), 0);
        assert_int_equal(pipe(done), 0);
        for (int i = 0; i < 8; i++) {
            if (fork() > 0)
                continue;
            close(start[1]);
            close(done[1]);
            {
                struct listening_socket *listening = NULL;
                bool released = read(start[0], &byte, 1) == 0;
                int r = released ? listening_socket_new(&listening, path, -1) : -EIO;

                /* The winner stays until all have tried. */
                if (r == 0 && (read(done[0], &byte, 1) != 0 || !answers()))
                    r = -EIO;
                listening_socket_free(listening);
                _exit(r == 0 ? 0 : r == LISTENING_SOCKET_BUSY ? 1 : 2);
            }
        }
        close(start[0]);
        close(done[0]);
        close(start[1]);
        for (int i = 0; i < 8; i++) {
            int status;

            if (i == 7)
                close(done[1]);
            assert_true(wait(&status) > 0);
            assert_true(WIFEXITED(status));
            won += WEXITSTATUS(status) == 0;
            busy += WEXITSTATUS(status) == 1;
        }
        assert_int_equal(won, 1);
        assert_int_equal(busy, 7);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_modes_do_not_depend_on_the_umask),
        TEST(test_second_daemon_is_told),
        TEST(test_stale_socket_is_replaced),
        TEST(test_socket_of_another_program_is_left),
        TEST(test_other_files_are_left),
        TEST(test_what_replaced_it_is_not_removed),
        TEST(test_exposed_directories_are_refused),
        TEST(test_impossible_paths),
        TEST(test_longest_path),
        TEST(test_race),
    };

    return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
