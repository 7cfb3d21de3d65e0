/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which client has to go. (That one user cannot lock others out is tested with real clients, in
 * test_server_limits.c.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>

#include "daemon/serve/quota.h"

static struct client *client_of(struct quota *quota, uid_t uid)
{
    struct client *client = client_new(open("/dev/null", O_RDWR | O_CLOEXEC));

    quota_add(quota, quota_user(quota, uid), client);
    return client;
}

static void drop(struct quota *quota, struct client *client)
{
    quota_remove(quota, client);
    client_free(client);
}

/* The acceptor asks for a client to evict whenever descriptors run out, and users are remembered
 * longer than their clients stay. */
static void users_without_clients_have_none_to_drop(void **state)
{
    struct quota *quota = quota_new(10, 1000);

    (void)state;
    assert_null(quota_oldest(quota));
    assert_non_null(quota_user(quota, 1000));
    assert_null(quota_oldest(quota));
    drop(quota, client_of(quota, 1001));
    assert_null(quota_oldest(quota));
    assert_null(quota_excess(quota));
    quota_free(quota);
}

static void the_longest_waiting_of_the_largest_user_goes_first(void **state)
{
    struct quota *quota = quota_new(10, 1000);
    struct client *modest = client_of(quota, 1000);
    struct client *greedy[] = {client_of(quota, 1001), client_of(quota, 1001)};

    (void)state;
    assert_ptr_equal(quota_oldest(quota), greedy[0]);
    quota_update(quota, greedy[0]);
    assert_ptr_equal(quota_oldest(quota), greedy[1]);
    drop(quota, greedy[1]);
    drop(quota, greedy[0]);
    assert_ptr_equal(quota_oldest(quota), modest);
    drop(quota, modest);
    quota_free(quota);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_without_clients_have_none_to_drop),
        cmocka_unit_test(the_longest_waiting_of_the_largest_user_goes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
