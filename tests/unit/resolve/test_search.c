/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The search list in the world of world.h, question by question, with the status that design
 * section "Names" gives each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/resolve/search.h"
#include "tests/unit/world.h"

#define FOUND KUBESVC_STATUS_FOUND
#define NO_DATA KUBESVC_STATUS_NO_DATA
#define NOT_FOUND KUBESVC_STATUS_NOT_FOUND
#define NOT_OURS KUBESVC_STATUS_NOT_OURS
#define TRY_AGAIN KUBESVC_STATUS_TRY_AGAIN

struct search_case {
    const char *name, *ns;
    int family; /* 4, 6, or 0 for both */
    enum kubesvc_status status;
    const char *addresses, *names; /* of FOUND: IPv4 first; canonical name last */
};

/* What lies outside: nothing but the names that world.h points to. */
static void outside(void *userdata, const char *target, enum kubesvc_family family,
                    struct external_answer *answer)
{
    static const uint8_t inet[] = {192, 0, 2, 53};
    static const uint8_t inet6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    static const char *const aliases[] = {"cdn.example.net", "not a name", "edge.example.org"};
    unsigned *questions = userdata;

    if (questions != NULL)
        (*questions)++;
    *answer = (struct external_answer){.state = EXTERNAL_NODATA};
    if (strcmp(target, "broken.example.com") == 0 ||
        (strcmp(target, "half.example.com") == 0 && family == KUBESVC_FAMILY_INET6))
        answer->state = EXTERNAL_FAILED;
    else if (strcmp(target, "slow.example.com") == 0)
        answer->state = EXTERNAL_PENDING;
    else if (strcmp(target, "www.example.com") == 0 || strcmp(target, "half.example.com") == 0)
        *answer = (struct external_answer){
            .state = EXTERNAL_FOUND,
            .addresses = family == KUBESVC_FAMILY_INET ? inet : inet6,
            .n_addresses = 1,
            .aliases = aliases,
            .n_aliases = target[0] == 'w' ? 3 : 0,
        };
}

static enum kubesvc_family family_of(int family)
{
    return family == 4   ? KUBESVC_FAMILY_INET
           : family == 6 ? KUBESVC_FAMILY_INET6
                         : KUBESVC_FAMILY_ANY;
}

static void ask(const struct snapshot_view *view, const char *name, const char *ns, int family,
                struct search_result *result)
{
    const struct search_question question = {
        .name = name,
        .name_length = strlen(name),
        .ns = ns,
        .namespace_length = ns != NULL ? strlen(ns) : 0,
        .family = family_of(family),
    };

    const struct resolver_names names = result->names;

    memset(result, 0xa5, sizeof *result);
    result->names = names;
    search_name(view, &question, outside, NULL, result);
}

static void check_case(const struct snapshot_view *view, const struct search_case *expected)
{
    char storage[KUBESVC_NAMES_SIZE_MAX];
    struct search_result result = {.names = RESOLVER_NAMES(storage)};

    ask(view, expected->name, expected->ns, expected->family, &result);
    assert_false(result.pending);
    if (result.status != expected->status)
        fail_msg("%s from %s: status %d", expected->name, expected->ns, result.status);
    if (expected->status == FOUND) {
        g_autofree char *inet =
            world_format(AF_INET, result.inet.addresses, result.inet.n_addresses);
        g_autofree char *inet6 =
            world_format(AF_INET6, result.inet6.addresses, result.inet6.n_addresses);
        g_autofree char *both =
            g_strconcat(inet, *inet != '\0' && *inet6 != '\0' ? " " : "", inet6, NULL);
        g_autofree char *names = world_names(&result.names);

        if (strcmp(both, expected->addresses) != 0)
            fail_msg("%s from %s: %s", expected->name, expected->ns, both);
        assert_string_equal(names, expected->names);
    } else {
        assert_int_equal(result.names.count, 0);
        assert_int_equal(result.inet.n_addresses, 0);
        assert_int_equal(result.inet6.n_addresses, 0);
    }
}

#define CHECK(options, cases) check_cases(options, cases, sizeof(cases) / sizeof((cases)[0]))

static void check_cases(const struct world_options *options, const struct search_case *cases,
                        size_t n)
{
    struct snapshot_writer *writer = world_new(options);
    struct snapshot_view view;

    assert_true(snapshot_writer_view(writer, &view));
    for (size_t i = 0; i < n; i++)
        check_case(&view, &cases[i]);
    snapshot_writer_free(writer);
}

static const struct world_options plain = {.pods = KUBESVC_PODS_VERIFIED};

static void a_namespace_of_another_zone(void **state)
{
    static const struct search_case cases[] = {
        {"svc1", "testns@east.example", 4, FOUND, "10.8.0.1", "svc1.testns.svc.east.example"},
        {"svc1.testns", "east-only@east.example", 4, FOUND, "10.8.0.1",
         "svc1.testns.svc.east.example"},
        {"svc1.testns.svc", "x@east.example", 4, FOUND, "10.8.0.1", "svc1.testns.svc.east.example"},
        {"hl.east-only", "testns@east.example", 4, FOUND, "172.8.0.2",
         "hl.east-only.svc.east.example"},
        /* whole names are the same from everywhere */
        {"svc1.testns.svc.cluster.local", "testns@east.example", 4, FOUND, "10.0.0.1",
         "svc1.testns.svc.cluster.local"},
        {"svc1.testns.svc.east.example", "testns", 4, FOUND, "10.8.0.1",
         "svc1.testns.svc.east.example"},
        /* short ones are not */
        {"db", "prod@east.example", 4, NOT_OURS, NULL, NULL},
        {"db.prod", "testns@east.example", 4, NOT_OURS, NULL, NULL},
        {"hl.east-only", "testns", 4, NOT_OURS, NULL, NULL},
        {"svc1", "testns@west.example", 4, NOT_OURS, NULL, NULL},
        {"svc1", "testns@south.example", 4, NOT_OURS, NULL, NULL},
        {"svc1", "testns@cluster.local", 4, FOUND, "10.0.0.1", "svc1.testns.svc.cluster.local"},
        /* and what is below a zone is not for other services to answer */
        {"nothing.testns.svc.east.example", "testns", 4, NOT_FOUND, NULL, NULL},
        {"a.b.west.example", "testns", 4, NOT_FOUND, NULL, NULL},
        {"west.example", "testns", 4, NO_DATA, NULL, NULL},
        {"a..b.east.example", "testns", 4, NOT_FOUND, NULL, NULL},
        {"a.b.south.example", "testns", 4, NOT_OURS, NULL, NULL},
    };

    (void)state;
    CHECK(&plain, cases);
}

static void the_list_is_walked(void **state)
{
    static const struct search_case cases[] = {
        {"db", "dev", 4, FOUND, "10.96.1.1", "db.dev.svc.cluster.local"},
        {"db", "prod", 4, FOUND, "10.244.4.10 10.244.4.11", "db.prod.svc.cluster.local"},
        {"db", "empty", 4, NOT_OURS, NULL, NULL},
        {"db.prod", "dev", 4, FOUND, "10.244.4.10 10.244.4.11", "db.prod.svc.cluster.local"},
        {"db.prod.svc", "dev", 4, FOUND, "10.244.4.10 10.244.4.11", "db.prod.svc.cluster.local"},
        {"db.prod.svc.cluster.local", "dev", 4, FOUND, "10.244.4.10 10.244.4.11",
         "db.prod.svc.cluster.local"},
        {"db.prod.svc.cluster.local.", "dev", 4, FOUND, "10.244.4.10 10.244.4.11",
         "db.prod.svc.cluster.local"},
        {"db-0.db.prod", "dev", 4, FOUND, "10.244.4.10", "db-0.db.prod.svc.cluster.local"},
        {"db-0.db.prod.svc.cluster.local", "dev", 4, FOUND, "10.244.4.10",
         "db-0.db.prod.svc.cluster.local"},
        {"_http._tcp.svc1", "testns", 4, FOUND, "10.0.0.1",
         "_http._tcp.svc1.testns.svc.cluster.local"},
        {"10-90-0-1.p.pod", "dev", 4, FOUND, "10.90.0.1", "10-90-0-1.p.pod.cluster.local"},
        {"DB.Prod", "dev", 4, FOUND, "10.244.4.10 10.244.4.11", "DB.Prod.svc.cluster.local"},
        {"api", "dev", 4, NOT_OURS, NULL, NULL},
        {"svc1", "", 4, FOUND, "10.0.0.1", "svc1.testns.svc.cluster.local"},
        {"a23456789012345678901234567890123456789012345678901234567890123", "dev", 4, FOUND,
         "10.96.1.63",
         "a23456789012345678901234567890123456789012345678901234567890123.dev.svc.cluster.local"},
        /* an endpoint of the own namespace shadows another namespace's Service */
        {"db.prod", "shadow", 4, FOUND, "10.244.66.6", "db.prod.shadow.svc.cluster.local"},
        {"db.prod.svc.cluster.local.", "shadow", 4, FOUND, "10.244.4.10 10.244.4.11",
         "db.prod.svc.cluster.local"},
    };

    (void)state;
    CHECK(&plain, cases);
}

static void families(void **state)
{
    static const struct search_case cases[] = {
        {"x.mix", "split", 6, FOUND, "fd00::1", "x.mix.split.svc.cluster.local"},
        {"x.mix", "split", 4, FOUND, "10.20.0.9", "x.mix.svc.cluster.local"},
        {"x.mix", "split", 0, FOUND, "fd00::1", "x.mix.split.svc.cluster.local"},
        {"svc-dual-stack", "testns", 0, FOUND, "10.0.0.3 10::3",
         "svc-dual-stack.testns.svc.cluster.local"},
        {"svc-dual-stack", "testns", 4, FOUND, "10.0.0.3",
         "svc-dual-stack.testns.svc.cluster.local"},
        {"svc-dual-stack", "testns", 6, FOUND, "10::3", "svc-dual-stack.testns.svc.cluster.local"},
        {"hdls1", "testns", 0, FOUND,
         "172.0.0.2 172.0.0.3 172.0.0.4 172.0.0.5 5678:abcd::1 5678:abcd::2",
         "hdls1.testns.svc.cluster.local"},
        {"svc1", "testns", 0, FOUND, "10.0.0.1", "svc1.testns.svc.cluster.local"},
        {"10-90-0-1.p.pod", "dev", 0, FOUND, "10.90.0.1", "10-90-0-1.p.pod.cluster.local"},
        {"fd00-90--6.q.pod", "dev", 0, FOUND, "fd00:90::6", "fd00-90--6.q.pod.cluster.local"},
    };

    (void)state;
    CHECK(&plain, cases);
}

static void names_that_exist_without_data(void **state)
{
    static const struct search_case cases[] = {
        {"svc1", "testns", 6, NO_DATA, NULL, NULL},
        {"svc1.testns", "dev", 6, NO_DATA, NULL, NULL},
        {"svc1.testns.svc", "dev", 6, NO_DATA, NULL, NULL},
        {"svc1.testns.svc.cluster.local.", "dev", 6, NO_DATA, NULL, NULL},
        {"172-0-0-2.hdls1", "testns", 6, NO_DATA, NULL, NULL},
        {"172-0-0-2.hdls1.testns.svc.cluster.local", "dev", 6, NO_DATA, NULL,
         NULL}, /* as is first */
        {"10-90-0-1.p.pod", "dev", 6, NO_DATA, NULL, NULL},
        {"unallocated", "testns", 0, NO_DATA, NULL, NULL},
        {"cluster.local", "dev", 4, NO_DATA, NULL, NULL},
        {"cluster.local.", "dev", 4, NO_DATA, NULL, NULL},
        {"svc.cluster.local.", "dev", 0, NO_DATA, NULL, NULL},
        {"pod.cluster.local", "dev", 4, NO_DATA, NULL, NULL},
        {"prod.svc.cluster.local", "dev", 4, NO_DATA, NULL, NULL},
        {"prod.svc", "dev", 4, NO_DATA, NULL, NULL},
    };

    (void)state;
    CHECK(&plain, cases);
}

static void names_of_ours_that_do_not_exist(void **state)
{
    static const struct search_case cases[] = {
        {"nosuch.prod.svc.cluster.local", "dev", 4, NOT_FOUND, NULL, NULL},
        {"nosuch.prod.svc.cluster.local.", "dev", 0, NOT_FOUND, NULL, NULL},
        {"a.b.c.d.e.cluster.local", "dev", 4, NOT_FOUND, NULL, NULL},
        {"foo.cluster.local", "dev", 4, NOT_FOUND, NULL, NULL},
        {"nosuch.prod.svc", "dev", 4, NOT_FOUND, NULL, NULL},
        {"nosuch.svc", "dev", 4, NOT_FOUND, NULL, NULL},
        {"db.prod.svc.", "dev", 4, NOT_FOUND, NULL, NULL}, /* absolute, and no such zone */
        {"prod.svc.", "dev", 4, NOT_FOUND, NULL, NULL},
        {"x.10-90-0-1.p.pod.cluster.local", "dev", 4, NOT_FOUND, NULL, NULL},
        {"db.prod.svc.cluster.local.dev.svc.cluster.local.", "dev", 4, NOT_FOUND, NULL, NULL},
        {"svc1.unexposedns.svc", "dev", 4, NOT_FOUND, NULL, NULL},
        /* short names of Services that have nothing to answer */
        {"gone", "dev", 4, NOT_FOUND, NULL, NULL},
        {"gone.dev", "prod", 0, NOT_FOUND, NULL, NULL},
        {"ignored", "testns", 4, NOT_FOUND, NULL, NULL},
        {"literal", "ext", 6, NOT_FOUND, NULL, NULL},
    };

    (void)state;
    CHECK(&plain, cases);
}

static void names_of_others(void **state)
{
    static const struct search_case cases[] = {
        {"prod", "dev", 4, NOT_OURS, NULL, NULL},
        {"svc", "dev", 4, NOT_OURS, NULL, NULL},
        {"pod", "dev", 0, NOT_OURS, NULL, NULL},
        {"p.pod", "dev", 4, NOT_OURS, NULL, NULL},
        {"kubernetes", "dev", 4, NOT_OURS, NULL, NULL},
        {"db.", "dev", 4, NOT_OURS, NULL, NULL},
        {"svc.", "dev", 4, NOT_OURS, NULL, NULL},
        {"db.prod.", "dev", 4, NOT_OURS, NULL, NULL},
        {"svc1.unexposedns", "dev", 4, NOT_OURS, NULL, NULL},
        {"nosuch.gone", "dev", 4, NOT_OURS, NULL, NULL},
        {"www.example.com", "dev", 4, NOT_OURS, NULL, NULL},
        {"www.example.com.", "dev", 0, NOT_OURS, NULL, NULL},
        {"a.b.c.d.e.f.example.com", "dev", 0, NOT_OURS, NULL, NULL},
        {"localhost", "dev", 4, NOT_OURS, NULL, NULL},
        {"LocalHost.", "dev", 0, NOT_OURS, NULL, NULL},
        {"notcluster.local.", "dev", 4, NOT_OURS, NULL, NULL},
        {"db.prod.svc.xcluster.local.", "dev", 4, NOT_OURS, NULL, NULL},
        {"db.prodsvc", "dev", 4, NOT_OURS, NULL, NULL},
    };

    (void)state;
    CHECK(&plain, cases);
}

static void names_that_nobody_may_ask(void **state)
{
    static const struct search_case cases[] = {
        {"", "dev", 4, NOT_OURS, NULL, NULL},
        {".", "dev", 4, NOT_OURS, NULL, NULL},
        {"..", "dev", 4, NOT_OURS, NULL, NULL},
        {"-db", "dev", 4, NOT_OURS, NULL, NULL},
        {"*", "dev", 4, NOT_OURS, NULL, NULL},
        {"db..prod", "dev", 4, NOT_OURS, NULL, NULL},
        {"db prod", "dev", 4, NOT_OURS, NULL, NULL},
        {"d\xc3\xbc", "dev", 4, NOT_OURS, NULL, NULL},
        {"a234567890123456789012345678901234567890123456789012345678901234", "dev", 4, NOT_OURS,
         NULL, NULL},
        {"..svc1.testns.svc.cluster.local.", "testns", 4, NOT_FOUND, NULL, NULL},
        {"*.svc", "testns", 4, NOT_FOUND, NULL, NULL},
    };

    (void)state;
    CHECK(&plain, cases);
}

static void names_at_the_limit(void **state)
{
    struct snapshot_writer *writer = world_new(&plain);
    struct snapshot_view view;
    char storage[KUBESVC_NAMES_SIZE_MAX];
    struct search_result result = {.names = RESOLVER_NAMES(storage)};
    char name[256];

    (void)state;
    assert_true(snapshot_writer_view(writer, &view));
    for (unsigned length = 1; length < sizeof name - 1; length++) {
        memset(name, 'a', length);
        for (unsigned i = 50; i < length; i += 50)
            name[i - 1] = '.';
        name[length] = '\0';
        ask(&view, name, "dev", 0, &result);
        assert_int_equal(result.status, NOT_OURS);
        ask(&view, name, name, 0, &result); /* a hostile namespace */
        assert_int_equal(result.status, NOT_OURS);
    }
    snapshot_writer_free(writer);
}

static void few_dots_needed(void **state)
{
    static const struct world_options options = {.pods = KUBESVC_PODS_VERIFIED, .ndots = 1};
    static const struct search_case cases[] = {
        {"db.prod", "dev", 4, FOUND, "10.244.4.10 10.244.4.11", "db.prod.svc.cluster.local"},
        {"db.prod", "dev", 6, NO_DATA, NULL, NULL},
        {"gone.dev", "dev", 6, NOT_FOUND, NULL, NULL},
        {"www.example.com", "dev", 4, NOT_OURS, NULL, NULL},
        {"db.prod.svc", "dev", 4, FOUND, "10.244.4.10 10.244.4.11", "db.prod.svc.cluster.local"},
        {"db.prod.svc.cluster.local", "dev", 6, NO_DATA, NULL, NULL},
        {"nosuch.prod.svc.cluster.local", "dev", 6, NOT_FOUND, NULL, NULL},
    };

    (void)state;
    CHECK(&options, cases);
}

static void a_list_of_our_own(void **state)
{
    static const char *const search[] = {"prod.svc.cluster.local", "example.com", "cluster.local",
                                         NULL};
    static const struct world_options options = {.search = search};
    static const struct search_case cases[] = {
        {"api", "dev", 4, FOUND, "10.96.1.2", "api.prod.svc.cluster.local"},
        {"db", "dev", 4, FOUND, "10.244.4.10 10.244.4.11", "db.prod.svc.cluster.local"},
        {"db.prod.svc", "dev", 4, FOUND, "10.244.4.10 10.244.4.11", "db.prod.svc.cluster.local"},
        {"db.prod", "dev", 4, NOT_OURS, NULL, NULL},
        {"svc1", "testns", 4, NOT_OURS, NULL, NULL},
    };

    (void)state;
    CHECK(&options, cases);
}

/* However long a damaged snapshot says that its list is. */
static void a_list_without_end(void **state)
{
    const char *search[KUBESVC_SEARCH_MAX + 2] = {NULL};
    const struct world_options options = {.search = search};
    static const struct search_case in_it[] = {
        {"api", "dev", 4, FOUND, "10.96.1.2", "api.prod.svc.cluster.local"},
    };
    static const struct search_case behind_it[] = {
        {"api", "dev", 4, NOT_OURS, NULL, NULL},
    };

    (void)state;
    for (unsigned i = 0; i < KUBESVC_SEARCH_MAX; i++)
        search[i] = "example.com";
    search[KUBESVC_SEARCH_MAX] = "prod.svc.cluster.local";
    CHECK(&options, behind_it);
    search[KUBESVC_SEARCH_MAX - 1] = "prod.svc.cluster.local";
    CHECK(&options, in_it);
}

/* Under the zone and tried as it is first: what the list says later does not change a failure. */
static void the_first_failure_stands(void **state)
{
    static const char *const search[] = {"split.svc.mix", NULL};
    static const struct world_options options = {.zone = "mix", .search = search, .ndots = 1};
    static const struct search_case cases[] = {
        {"x.mix", "dev", 4, NOT_FOUND, NULL, NULL}, /* the list: an endpoint without IPv4 */
        {"x.mix", "dev", 6, FOUND, "fd00::1", "x.mix.split.svc.mix"},
    };

    (void)state;
    CHECK(&options, cases);
}

static void short_names_turned_off(void **state)
{
    static const char *const search[] = {NULL};
    static const struct world_options options = {.search = search};
    static const struct search_case cases[] = {
        {"db", "dev", 4, NOT_OURS, NULL, NULL},
        {"db.prod", "dev", 4, NOT_OURS, NULL, NULL},
        {"db.prod.svc", "dev", 4, NOT_FOUND, NULL, NULL},
        {"db.prod.svc.cluster.local", "dev", 4, FOUND, "10.244.4.10 10.244.4.11",
         "db.prod.svc.cluster.local"},
    };

    (void)state;
    CHECK(&options, cases);
}

static void fallthrough(void **state)
{
    static const struct world_options options = {.flags = KUBESVC_SETTINGS_FALLTHROUGH};
    static const struct search_case cases[] = {
        {"db.prod.svc", "dev", 4, FOUND, "10.244.4.10 10.244.4.11", "db.prod.svc.cluster.local"},
        {"nosuch.prod.svc", "dev", 4, NOT_FOUND, NULL, NULL},
        {"nosuch.nowhere.svc", "dev", 4, NOT_OURS, NULL, NULL},
        {"nosuch.nowhere.svc.", "dev", 4, NOT_OURS, NULL, NULL},
        {"nowhere.svc", "dev", 4, NOT_OURS, NULL, NULL},
        {"nosuch.nowhere.svc.cluster.local", "dev", 4, NOT_OURS, NULL, NULL},
        {"nosuch.nowhere.svc.cluster.local.", "dev", 0, NOT_OURS, NULL, NULL},
        {"a.b.nosuch.nowhere.svc.cluster.local", "dev", 0, NOT_OURS, NULL, NULL},
        {"nosuch.prod.svc.cluster.local", "dev", 4, NOT_FOUND, NULL, NULL},
        {"foo.cluster.local", "dev", 4, NOT_FOUND, NULL, NULL},
        {"prod.svc", "dev", 4, NO_DATA, NULL, NULL},
        {"svc1", "nowhere", 4, NOT_OURS, NULL, NULL},
    };

    (void)state;
    CHECK(&options, cases);
}

static void nothing_is_loaded(void **state)
{
    static const struct world_options options = {.flags = KUBESVC_SETTINGS_EMPTY};
    static const struct search_case cases[] = {
        {"db.prod.svc.cluster.local", "dev", 4, NOT_OURS, NULL, NULL},
        {"db.prod.svc", "dev", 0, NOT_OURS, NULL, NULL},
        {"cluster.local", "dev", 4, NOT_OURS, NULL, NULL},
        {"db", "dev", 4, NOT_OURS, NULL, NULL},
        {"*.prod.svc.", "dev", 4, NOT_FOUND, NULL, NULL}, /* nor would a nameserver be asked */
        {"*.prod", "dev", 4, NOT_OURS, NULL, NULL},
    };

    (void)state;
    CHECK(&options, cases);
}

static void targets(void **state)
{
    static const struct search_case cases[] = {
        {"to-vip", "ext", 0, FOUND, "10.96.3.1 fd00:3::1",
         "to-vip.ext.svc.cluster.local vip.ext.svc.cluster.local"},
        {"to-hl", "ext", 6, NO_DATA, NULL, NULL},
        {"www", "ext", 4, FOUND, "192.0.2.53",
         "www.ext.svc.cluster.local www.example.com cdn.example.net edge.example.org"},
        {"www", "ext", 6, FOUND, "2001:db8::1",
         "www.ext.svc.cluster.local www.example.com cdn.example.net edge.example.org"},
        {"www", "ext", 0, FOUND, "192.0.2.53 2001:db8::1",
         "www.ext.svc.cluster.local www.example.com cdn.example.net edge.example.org"},
        {"to-www", "ext", 4, FOUND, "192.0.2.53",
         "to-www.ext.svc.cluster.local www.ext.svc.cluster.local www.example.com cdn.example.net "
         "edge.example.org"},
        {"half", "ext", 0, FOUND, "192.0.2.53", "half.ext.svc.cluster.local half.example.com"},
        {"half", "ext", 6, TRY_AGAIN, NULL, NULL},
        {"broken", "ext", 4, TRY_AGAIN, NULL, NULL},
        {"broken.ext.svc.cluster.local.", "dev", 0, TRY_AGAIN, NULL, NULL},
        {"unknown", "ext", 4, NO_DATA, NULL, NULL},
        {"unknown.ext.svc.cluster.local.", "ext", 0, NO_DATA, NULL, NULL},
        {"to-short", "ext", 4, NO_DATA, NULL, NULL},
        {"c1", "ext", 4, NO_DATA, NULL, NULL},
    };

    (void)state;
    CHECK(&plain, cases);
}

static void a_slow_target_is_waited_for(void **state)
{
    static const int both[] = {4, 6, 0};
    struct snapshot_writer *writer = world_new(&plain);
    struct snapshot_view view;
    char storage[KUBESVC_NAMES_SIZE_MAX];
    struct search_result result = {.names = RESOLVER_NAMES(storage)};

    (void)state;
    assert_true(snapshot_writer_view(writer, &view));
    for (size_t i = 0; i < 3; i++) {
        ask(&view, "slow", "ext", both[i], &result);
        assert_true(result.pending);
    }
    snapshot_writer_free(writer);
}

static void both_families_are_asked_at_once(void **state)
{
    static const struct search_question question = {
        .name = "slow",
        .name_length = 4,
        .ns = "ext",
        .namespace_length = 3,
        .family = KUBESVC_FAMILY_ANY,
    };
    struct snapshot_writer *writer = world_new(&plain);
    struct snapshot_view view;
    char storage[KUBESVC_NAMES_SIZE_MAX];
    struct search_result result = {.names = RESOLVER_NAMES(storage)};
    unsigned questions = 0;

    (void)state;
    assert_true(snapshot_writer_view(writer, &view));
    search_name(&view, &question, outside, &questions, &result);
    assert_true(result.pending);
    assert_int_equal(questions, 2);
    snapshot_writer_free(writer);
}

static void many_aliases(void *userdata, const char *target, enum kubesvc_family family,
                         struct external_answer *answer)
{
    static const char *const aliases[] = {"a.example", "b.example", "c.example", "d.example",
                                          "e.example", "f.example", "g.example", "h.example",
                                          "i.example", "j.example", "k.example", "l.example",
                                          "m.example", "n.example", "o.example", "last.example"};

    outside(userdata, target, family, answer);
    answer->aliases = aliases;
    answer->n_aliases = sizeof aliases / sizeof aliases[0];
}

static void the_canonical_name_is_kept(void **state)
{
    static const struct search_question question = {
        .name = "www",
        .name_length = 3,
        .ns = "ext",
        .namespace_length = 3,
        .family = KUBESVC_FAMILY_ANY,
    };
    struct snapshot_writer *writer = world_new(&plain);
    struct snapshot_view view;
    char storage[KUBESVC_NAMES_SIZE_MAX];
    struct search_result result = {.names = RESOLVER_NAMES(storage)};

    (void)state;
    assert_true(snapshot_writer_view(writer, &view));
    search_name(&view, &question, many_aliases, NULL, &result);
    assert_int_equal(result.status, FOUND);
    assert_int_equal(result.names.count, KUBESVC_NAMES_MAX);
    assert_string_equal(result.names.text + result.names.size - sizeof "last.example",
                        "last.example");
    snapshot_writer_free(writer);
}

static void addresses(void **state)
{
    struct snapshot_writer *writer = world_new(&plain);
    struct address known = world_parse("10.0.0.1"), bare = world_parse("10.90.0.8"),
                   foreign = world_parse("192.0.2.1");
    struct snapshot_view view;
    char storage[KUBESVC_NAMES_SIZE_MAX];
    struct search_result result = {.names = RESOLVER_NAMES(storage)};

    (void)state;
    assert_true(snapshot_writer_view(writer, &view));
    search_address(&view, KUBESVC_FAMILY_INET6, known.bytes, &result);
    assert_int_equal(result.status, FOUND);
    assert_int_equal(result.names.count, 1);
    assert_string_equal(result.names.text, "svc1.testns.svc.cluster.local");
    memmove(known.bytes, known.bytes + 12, 4);
    search_address(&view, KUBESVC_FAMILY_INET, known.bytes, &result);
    assert_int_equal(result.status, FOUND);
    search_address(&view, KUBESVC_FAMILY_INET6, bare.bytes, &result);
    assert_int_equal(result.status, NOT_FOUND);
    assert_int_equal(result.names.count, 0);
    search_address(&view, KUBESVC_FAMILY_INET6, foreign.bytes, &result);
    assert_int_equal(result.status, NOT_OURS);
    snapshot_writer_free(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_is_walked),
        cmocka_unit_test(a_namespace_of_another_zone),
        cmocka_unit_test(families),
        cmocka_unit_test(names_that_exist_without_data),
        cmocka_unit_test(names_of_ours_that_do_not_exist),
        cmocka_unit_test(names_of_others),
        cmocka_unit_test(names_that_nobody_may_ask),
        cmocka_unit_test(names_at_the_limit),
        cmocka_unit_test(few_dots_needed),
        cmocka_unit_test(a_list_of_our_own),
        cmocka_unit_test(a_list_without_end),
        cmocka_unit_test(the_first_failure_stands),
        cmocka_unit_test(short_names_turned_off),
        cmocka_unit_test(fallthrough),
        cmocka_unit_test(nothing_is_loaded),
        cmocka_unit_test(targets),
        cmocka_unit_test(a_slow_target_is_waited_for),
        cmocka_unit_test(both_families_are_asked_at_once),
        cmocka_unit_test(the_canonical_name_is_kept),
        cmocka_unit_test(addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
