/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kubeconfigs: what is taken out of them, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "cluster/kubeconfig.h"

static int read_text(struct kubeconfig *kubeconfig, const char *context, const char *cluster,
                     const char *user)
{
    g_autofree char *directory = g_dir_make_tmp("kubeconfig-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "config", NULL);
    g_autofree char *text =
        g_strdup_printf("apiVersion: v1\nkind: Config\ncurrent-context: x\n"
                        "clusters:\n- name: c\n  cluster: {%s}\n"
                        "users:\n- name: u\n  user: {%s}\n"
                        "contexts:\n- name: x\n  context: {cluster: c, user: u}\n",
                        cluster, user);
    int r;

    assert_true(g_file_set_contents(path, text, -1, NULL));
    r = kubeconfig_read(kubeconfig, path, context);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
    return r;
}

static void test_server(void **state)
{
    static const struct {
        const char *url, *host, *path;
        unsigned port;
        bool secure;
    } cases[] = {
        {"https://10.0.0.1:6443", "10.0.0.1", "", 6443, true},
        {"https://api.example", "api.example", "", 443, true},
        {"https://api.example/k8s/clusters/c-1/", "api.example", "/k8s/clusters/c-1", 443, true},
        {"http://[::1]:8080", "::1", "", 8080, false},
        {"10.0.0.1", "10.0.0.1", "", 443, true},
    };
    struct kubeconfig kubeconfig;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *cluster = g_strdup_printf("server: '%s'", cases[i].url);

        assert_int_equal(read_text(&kubeconfig, NULL, cluster, "token: t"), 0);
        assert_string_equal(kubeconfig.host, cases[i].host);
        assert_int_equal(kubeconfig.port, cases[i].port);
        assert_string_equal(kubeconfig.path, cases[i].path);
        assert_int_equal(kubeconfig.secure, cases[i].secure);
        assert_string_equal(secret_get(&kubeconfig.token, 1, false)->str, "t");
        kubeconfig_clear(&kubeconfig);
    }
}

static void test_proxy(void **state)
{
    static const struct {
        const char *url, *proxy, *peer;
        unsigned port;
    } cases[] = {
        {"socks5://proxy.example", "socks5h://proxy.example:1080/", "proxy.example", 1080},
        {"socks5h://proxy.example:9050", "socks5h://proxy.example:9050/", "proxy.example", 9050},
        {"http://u:p@proxy.example", "http://u:p@proxy.example:80/", "proxy.example", 80},
        {"https://[::1]", "https://[::1]:443/", "::1", 443},
        {"http://10.0.0.1:3128", "http://10.0.0.1:3128/", "10.0.0.1", 3128},
    };
    struct kubeconfig kubeconfig;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *cluster =
            g_strdup_printf("server: 'https://a', proxy-url: '%s'", cases[i].url);

        assert_int_equal(read_text(&kubeconfig, "x", cluster, ""), 0);
        assert_string_equal(kubeconfig.proxy, cases[i].proxy);
        assert_string_equal(kubeconfig.peer, cases[i].peer);
        assert_int_equal(kubeconfig.peer_port, cases[i].port);
        kubeconfig_clear(&kubeconfig);
    }
}

static void test_inline_certificates(void **state)
{
    static const char pem[] = "-----BEGIN CERTIFICATE-----\n";
    g_autofree char *data = g_base64_encode((const guchar *)pem, sizeof pem - 1);
    g_autofree char *cluster =
        g_strdup_printf("server: 'https://a', certificate-authority-data: %s", data);
    g_autofree char *user =
        g_strdup_printf("client-certificate-data: %s, client-key-data: %s", data, data);
    struct kubeconfig kubeconfig;

    (void)state;
    assert_int_equal(read_text(&kubeconfig, NULL, cluster, user), 0);
    assert_string_equal(secret_get(&kubeconfig.ca, 1, false)->str, pem);
    assert_string_equal(secret_get(&kubeconfig.key, 1, false)->str, pem);
    kubeconfig_clear(&kubeconfig);
}

static void test_refused(void **state)
{
    static const struct {
        const char *context, *cluster, *user;
    } cases[] = {
        {"y", "server: 'https://a'", "token: t"},
        {NULL, "", "token: t"},
        {NULL, "server: 'ftp://a'", "token: t"},
        {NULL, "server: 'https://a?b=c'", "token: t"},
        {NULL, "server: 'https://a', proxy-url: 'gopher://b'", "token: t"},
        {NULL, "server: 'https://a', certificate-authority-data: 'bm9uZQ=='", "token: t"},
        {NULL, "server: 'https://a'", "client-certificate: a.pem"},
        {NULL, "server: 'https://a'", "exec: {command: aws}"},
        {NULL, "server: 'https://a'", "auth-provider: {name: gcp}"},
        {NULL, "server: 'https://a'", "token: t, as: root"},
    };
    struct kubeconfig kubeconfig;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_true(read_text(&kubeconfig, cases[i].context, cases[i].cluster, cases[i].user) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server),
        cmocka_unit_test(test_proxy),
        cmocka_unit_test(test_inline_certificates),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
