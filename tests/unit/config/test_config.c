/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The configuration: defaults, the file, the options, and every way to get it wrong.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/config/config.h"
#include "daemon/config/config_values.h"
#include <kubesvc/limits.h>

struct scene {
    char *directory, *path;
    GPtrArray *diagnostics;
    struct config *config;
};

static int set_up(void **state)
{
    struct scene *scene = g_new0(struct scene, 1);

    scene->directory = g_strdup("/tmp/kubesvc-config-XXXXXX");
    assert_non_null(mkdtemp(scene->directory));
    scene->path = g_strdup_printf("%s/kubesvcd.yaml", scene->directory);
    scene->diagnostics =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))diagnostic_free);
    *state = scene;
    return 0;
}

static void remove_dropins(const struct scene *scene)
{
    g_autofree char *path = g_strconcat(scene->path, ".d", NULL);
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    const char *name;

    while (directory && (name = g_dir_read_name(directory))) {
        g_autofree char *file = g_build_filename(path, name, NULL);

        assert_int_equal(remove(file), 0);
    }
    (void)rmdir(path);
}

static int tear_down(void **state)
{
    struct scene *scene = *state;

    config_free(scene->config);
    g_ptr_array_unref(scene->diagnostics);
    (void)unlink(scene->path);
    remove_dropins(scene);
    assert_int_equal(rmdir(scene->directory), 0);
    g_free(scene->path);
    g_free(scene->directory);
    g_free(scene);
    return 0;
}

static int load(struct scene *scene, struct config_options options)
{
    options.path = scene->path;
    scene->config = config_free(scene->config);
    g_ptr_array_set_size(scene->diagnostics, 0);
    return config_load(&scene->config, &options, scene->diagnostics);
}

static int load_text(struct scene *scene, const char *text)
{
    assert_true(g_file_set_contents(scene->path, text, -1, NULL));
    return load(scene, (struct config_options){.path_given = true});
}

static void assert_good(struct scene *scene, const char *text)
{
    int r = load_text(scene, text);

    if (r != 0 && scene->diagnostics->len > 0) {
        g_autofree char *line = diagnostic_format(scene->diagnostics->pdata[0], scene->path);

        fail_msg("%s", line);
    }
    assert_int_equal(r, 0);
    assert_int_equal(scene->diagnostics->len, 0);
}

/* One error, there, of that rule, with that word in it. */
static void assert_bad(struct scene *scene, const char *text, unsigned line, unsigned column,
                       const char *rule, const char *word)
{
    const struct diagnostic *diagnostic;

    assert_int_equal(load_text(scene, text), CONFIG_BAD);
    assert_null(scene->config);
    assert_int_equal(scene->diagnostics->len, 1);
    diagnostic = scene->diagnostics->pdata[0];
    assert_string_equal(diagnostic->rule, rule);
    assert_int_equal(diagnostic->line, line);
    assert_int_equal(diagnostic->column, column);
    if (!strstr(diagnostic->message, word))
        fail_msg("%s: %s", text, diagnostic->message);
}

static const struct config_directory *directory(const struct scene *scene, guint i)
{
    return scene->config->manifests->pdata[i];
}

static void assert_range(const GArray *ranges, guint i, const char *text)
{
    struct address_range range;

    assert_true(i < ranges->len);
    assert_true(address_range_parse(&range, text));
    assert_memory_equal(&range, &g_array_index(ranges, struct address_range, i), sizeof range);
}

static void assert_defaults(const struct scene *scene)
{
    const struct config *config = scene->config;

    assert_string_equal(config->zone, "cluster.local");
    assert_string_equal(config->ns, "default");
    assert_int_equal(config->manifests->len, 2);
    assert_string_equal(directory(scene, 0)->path, "/etc/kubesvc/manifests");
    assert_string_equal(directory(scene, 1)->path, "/run/kubesvc-manifests");
    assert_null(directory(scene, 0)->ns);
    assert_false(directory(scene, 0)->recursive);
    assert_true(directory(scene, 0)->allocate);
    assert_int_equal(config->service_cidrs->len, 1);
    assert_range(config->service_cidrs, 0, "127.96.0.0/16");
    assert_int_equal(config->pod_cidrs->len, 1);
    assert_range(config->pod_cidrs, 0, "127.244.0.0/16");
    assert_int_equal(config->node_ips->len, 0);
    assert_true(config->allocate);
    assert_int_equal(config->pods, KUBESVC_PODS_VERIFIED);
    assert_null(config->namespaces);
    assert_false(config->fallthrough);
    assert_false(config->endpoint_pod_names);
    assert_false(config->ignore_empty_service);
    assert_null(config->search);
    assert_int_equal(config->ndots, 5);
    assert_int_equal(config->nameservers->len, 0);
    assert_int_equal(config->max_file_size, 512 << 20);
    assert_string_equal(config->socket, "/run/kubesvc/socket");
    assert_string_equal(config->state, "/var/lib/kubesvc");
}

/* A user's own daemon gives out addresses of its own. */
static void user_ranges(void **state)
{
    struct scene *scene = *state;
    g_autofree char *services = g_strdup_printf("127.%u.0.0/16", 1 + getuid() % 95);
    g_autofree char *pods = g_strdup_printf("127.%u.0.0/16", 128 + getuid() % 95);

    assert_int_equal(load(scene, (struct config_options){.user_ranges = true}), 0);
    assert_range(scene->config->service_cidrs, 0, services);
    assert_range(scene->config->pod_cidrs, 0, pods);

    assert_true(g_file_set_contents(scene->path, "podCIDRs: [10.9.0.0/16]\n", -1, NULL));
    assert_int_equal(load(scene, (struct config_options){.user_ranges = true}), 0);
    assert_range(scene->config->service_cidrs, 0, services);
    assert_int_equal(scene->config->pod_cidrs->len, 1);
    assert_range(scene->config->pod_cidrs, 0, "10.9.0.0/16");
}

static void defaults(void **state)
{
    static const char *const nothing[] = {
        "", "\n# only comments\n", "---\n", "{}\n", "~\n", "zone:\nsearch: null\nmanifests: ~\n"};
    struct scene *scene = *state;

    assert_int_equal(load(scene, (struct config_options){0}), 0);
    assert_defaults(scene);
    for (size_t i = 0; i < G_N_ELEMENTS(nothing); i++) {
        assert_good(scene, nothing[i]);
        assert_defaults(scene);
    }
}

static void everything(void **state)
{
    struct scene *scene = *state;

    assert_good(scene, "zone: Example.ORG.\n"
                       "namespace: moon\n"
                       "manifests:\n"
                       "  - /srv/a/../b\n"
                       "  - path: /srv/dump\n"
                       "    recursive: true\n"
                       "    namespace: sun\n"
                       "    allocate: true\n"
                       "serviceCIDRs: [10.96.0.0/16, 'fd00:96::/112']\n"
                       "podCIDRs:\n- 10.244.0.0/16\n- fd00:244::/64\n"
                       "nodeIPs: [192.0.2.1, '2001:db8::1']\n"
                       "allocate: no\n"
                       "pods: insecure\n"
                       "namespaces: [moon, sun]\n"
                       "fallthrough: on\n"
                       "endpointPodNames: true\n"
                       "ignoreEmptyService: true\n"
                       "search: [Moon.svc.example.org, example.org.]\n"
                       "ndots: 1\n"
                       "nameservers: [192.0.2.53, '192.0.2.53:5353', '2001:db8::53',\n"
                       "              '[2001:db8::53]', '[2001:db8::53]:5353']\n"
                       "maxFileSize: 16Mi\n"
                       "proxy: {services: all}\n");
    assert_string_equal(scene->config->zone, "example.org");
    assert_string_equal(scene->config->ns, "moon");
    assert_int_equal(scene->config->manifests->len, 2);
    assert_string_equal(directory(scene, 0)->path, "/srv/b");
    assert_false(directory(scene, 0)->allocate);
    assert_false(directory(scene, 0)->recursive);
    assert_string_equal(directory(scene, 1)->path, "/srv/dump");
    assert_true(directory(scene, 1)->recursive);
    assert_true(directory(scene, 1)->allocate);
    assert_string_equal(directory(scene, 1)->ns, "sun");
    assert_range(scene->config->service_cidrs, 1, "fd00:96::/112");
    assert_range(scene->config->pod_cidrs, 0, "10.244.0.0/16");
    assert_int_equal(scene->config->node_ips->len, 2);
    assert_false(scene->config->allocate);
    assert_int_equal(scene->config->pods, KUBESVC_PODS_INSECURE);
    assert_string_equal(scene->config->namespaces[1], "sun");
    assert_null(scene->config->namespaces[2]);
    assert_true(scene->config->fallthrough);
    assert_true(scene->config->endpoint_pod_names);
    assert_true(scene->config->ignore_empty_service);
    assert_string_equal(scene->config->search[0], "moon.svc.example.org");
    assert_string_equal(scene->config->search[1], "example.org");
    assert_null(scene->config->search[2]);
    assert_int_equal(scene->config->ndots, 1);
    assert_int_equal(scene->config->nameservers->len, 5);
    assert_string_equal(scene->config->nameservers->pdata[4], "[2001:db8::53]:5353");
    assert_int_equal(scene->config->max_file_size, 16 << 20);
    assert_true(scene->config->proxy_all);
}

static void small_things(void **state)
{
    struct scene *scene = *state;

    assert_good(scene, "podCIDRs: [240.0.0.0/8, '2000::/3', 'fd00::/8', 127.0.1.0/24]\n");
    assert_good(scene, "search: []\npodCIDRs: []\n");
    assert_non_null(scene->config->search);
    assert_null(scene->config->search[0]);
    assert_int_equal(scene->config->pod_cidrs->len, 0);
    assert_good(scene, "proxy: {}\n");
    assert_false(scene->config->proxy_all);
    assert_good(scene, "proxy: {services: allocated}\n");
    assert_false(scene->config->proxy_all);
    assert_good(scene, "maxFileSize: 1000\n");
    assert_int_equal(scene->config->max_file_size, 1000);
    assert_good(scene, "pods: disabled\nallocate: false\n");
    assert_int_equal(scene->config->pods, KUBESVC_PODS_DISABLED);
    assert_false(directory(scene, 1)->allocate);
}

static void mistakes(void **state)
{
    static const struct {
        const char *text;
        unsigned line, column;
        const char *rule, *word;
    } cases[] = {
        {"zone: a\nZones: b\n", 2, 1, "unknown-key", "did you mean zone?"},
        {"serviceCidr: []\n", 1, 1, "unknown-key", "did you mean serviceCIDRs?"},
        {"podcidrs: []\n", 1, 1, "unknown-key", "did you mean podCIDRs?"},
        {"completely: else\n", 1, 1, "unknown-key", "unknown key \"completely\""},
        {"zone: a\nndots: 1\nzone: b\n", 3, 1, "repeated-key", "zone"},
        {"zone: a..b\n", 1, 7, "bad-value", "zone must be a DNS name"},
        {"zone: .\n", 1, 7, "bad-value", "zone"},
        {"zone: -a\n", 1, 7, "bad-value", "zone"},
        {"zone: [a]\n", 1, 7, "wrong-type", "zone"},
        {"zone: 5\n", 1, 7, "wrong-type", "quote it"},
        {"namespace: A\n", 1, 12, "bad-value", "namespace"},
        {"namespace: a.b\n", 1, 12, "bad-value", "namespace"},
        {"manifests: /a\n", 1, 12, "wrong-type", "list"},
        {"manifests: [a]\n", 1, 13, "bad-value", "absolute"},
        {"manifests: []\n", 1, 12, "bad-value", "directory"},
        {"manifests:\n- recursive: true\n", 2, 3, "missing-key", "path"},
        {"manifests:\n- path: /a\n  recursiv: true\n", 3, 3, "unknown-key", "recursive?"},
        {"manifests:\n- path: /a\n  path: /b\n", 3, 3, "repeated-key", "path"},
        {"manifests:\n- path: /a\n  recursive: maybe\n", 3, 14, "wrong-type", "recursive"},
        {"serviceCIDRs: 10.0.0.0/8\n", 1, 15, "wrong-type", "list"},
        {"serviceCIDRs: [10.0.0.1/8]\n", 1, 16, "bad-value", "host bits"},
        {"podCIDRs: [10.0.0.0]\n", 1, 12, "bad-value", "ranges"},
        {"podCIDRs: [127.96.128.0/17]\n", 1, 11, "overlapping-ranges", "overlap"},
        {"serviceCIDRs: [127.128.0.0/9]\n", 1, 15, "overlapping-ranges", "overlap"},
        {"serviceCIDRs: [127.0.0.0/8]\n", 1, 16, "bad-value", "127.0.0.1, localhost"},
        {"podCIDRs: ['::/0']\n", 1, 12, "bad-value", "contain ::1, localhost"},
        {"podCIDRs: ['::1/128']\n", 1, 12, "bad-value", "contain ::1, localhost"},
        {"podCIDRs: ['0::/64']\n", 1, 12, "bad-value", "contain ::1, localhost"},
        {"podCIDRs: ['::/128']\n", 1, 12, "bad-value", "the unspecified address"},
        {"podCIDRs: ['0.0.0.0/0']\n", 1, 12, "bad-value", "127.0.0.1, localhost"},
        {"podCIDRs: ['::ffff:0:0/96']\n", 1, 12, "bad-value", "127.0.0.1, localhost"},
        {"podCIDRs: ['::fffe:0:0/95']\n", 1, 12, "bad-value", "IPv4-mapped"},
        {"podCIDRs: [0.1.0.0/16]\n", 1, 12, "bad-value", "0.0.0.0/8"},
        {"podCIDRs: [169.254.7.0/24]\n", 1, 12, "bad-value", "169.254.0.0/16, link-local"},
        {"podCIDRs: [10.0.0.0/8, 224.0.0.0/3]\n", 1, 24, "bad-value", "multicast"},
        {"podCIDRs: [239.1.0.0/16]\n", 1, 12, "bad-value", "224.0.0.0/4, multicast"},
        {"podCIDRs: [255.255.255.0/24]\n", 1, 12, "bad-value", "broadcast"},
        {"serviceCIDRs: ['fe80::/64']\n", 1, 16, "bad-value", "fe80::/10, link-local"},
        {"serviceCIDRs: ['f000::/4']\n", 1, 16, "bad-value", "link-local"},
        {"serviceCIDRs: ['ff00::/16']\n", 1, 16, "bad-value", "ff00::/8, multicast"},
        {"manifests: [{path: /a, zone: a b}]\n", 1, 30, "bad-value", "zone must be a DNS name"},
        {"zone: localhost\n", 1, 7, "bad-value", "this host"},
        {"zone: dev.LocalHost.\n", 1, 7, "bad-value", "this host"},
        {"zone: svc\n", 1, 7, "bad-value", "short ones"},
        {"zone: east.svc\n", 1, 7, "bad-value", "short ones"},
        {"zone: arpa\n", 1, 7, "bad-value", "names of addresses"},
        {"zone: ip6.arpa\n", 1, 7, "bad-value", "names of addresses"},
        {"manifests: [{path: /a, zone: 10.in-addr.arpa}]\n", 1, 30, "bad-value", "of addresses"},
        {"manifests: [{path: /a, zone: svc}]\n", 1, 30, "bad-value", "short ones"},
        {"manifests:\n- {path: /a, zone: east.cluster.local}\n", 2, 1, "bad-zones", "overlap"},
        {"manifests:\n- {path: /a, zone: local}\n", 2, 1, "bad-zones", "overlap"},
        {"zone: x\nmanifests: [{path: /a, zone: b}, {path: /c, zone: a.b}]\n", 2, 12, "bad-zones",
         "zones b and a.b overlap"},
        {"podCIDRs: [10.0.0.0/8, 10.1.0.0/16]\n", 1, 11, "overlapping-ranges", "podCIDRs"},
        {"nodeIPs: [host]\n", 1, 11, "bad-value", "nodeIPs"},
        {"allocate: maybe\n", 1, 11, "wrong-type", "allocate"},
        {"allocate: 'true'\n", 1, 11, "wrong-type", "allocate"},
        {"pods: all\n", 1, 7, "bad-value", "verified"},
        {"namespaces: [a, B]\n", 1, 17, "bad-value", "namespaces"},
        {"search: [a b]\n", 1, 10, "bad-value", "search"},
        {"ndots: 16\n", 1, 8, "bad-value", "ndots"},
        {"ndots: five\n", 1, 8, "wrong-type", "ndots"},
        {"nameservers: [example.org]\n", 1, 15, "bad-value", "nameservers"},
        {"nameservers: ['192.0.2.1:0']\n", 1, 15, "bad-value", "nameservers"},
        {"nameservers: ['192.0.2.1:65536']\n", 1, 15, "bad-value", "nameservers"},
        {"nameservers: ['[192.0.2.1]:53']\n", 1, 15, "bad-value", "nameservers"},
        {"nameservers: ['[2001:db8::1]53']\n", 1, 15, "bad-value", "nameservers"},
        {"nameservers: ['[2001:db8::1']\n", 1, 15, "bad-value", "nameservers"},
        {"maxFileSize: 0\n", 1, 14, "bad-value", "maxFileSize"},
        {"maxFileSize: 1KB\n", 1, 14, "bad-value", "maxFileSize"},
        {"maxFileSize: -1\n", 1, 14, "bad-value", "maxFileSize"},
        {"maxFileSize: 99999999999Gi\n", 1, 14, "bad-value", "maxFileSize"},
        {"proxy: all\n", 1, 8, "wrong-type", "proxy"},
        {"proxy: {services: some}\n", 1, 19, "bad-value", "allocated or all"},
        {"proxy: {service: all}\n", 1, 9, "unknown-key", "did you mean services?"},
        {"zone: a\n---\nzone: b\n", 3, 1, "second-document", "more than one"},
        {"- zone: a\n", 1, 1, "wrong-type", "mapping"},
        {"zone\n", 1, 1, "wrong-type", "mapping"},
        {"zone: a: b\n", 1, 8, "syntax", "mapping values"},
    };
    struct scene *scene = *state;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_bad(scene, cases[i].text, cases[i].line, cases[i].column, cases[i].rule,
                   cases[i].word);
}

static void all_mistakes_are_told(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(load_text(scene, "zone: '-'\nndots: x\nnodeIPs: [a, b]\n"), CONFIG_BAD);
    assert_int_equal(scene->diagnostics->len, 4);
}

static void options_win(void **state)
{
    struct scene *scene = *state;
    g_autoptr(GPtrArray) manifests = g_ptr_array_new();
    g_autofree char *here = g_get_current_dir(), *expected = g_build_filename(here, "b", NULL);
    struct config_options options = {.manifests = manifests,
                                     .socket = "/tmp/x/../socket",
                                     .state = "/tmp/state",
                                     .ns = "sun",
                                     .zone = "Other.",
                                     .path_given = true};

    g_ptr_array_add(manifests, (char[]){"/tmp/a/"});
    g_ptr_array_add(manifests, (char[]){"./b"});
    assert_true(g_file_set_contents(
        scene->path, "zone: a\nnamespace: b\nallocate: false\nmanifests: [/z]\nndots: 2\n", -1,
        NULL));
    assert_int_equal(load(scene, options), 0);
    assert_string_equal(scene->config->zone, "other");
    assert_string_equal(scene->config->ns, "sun");
    assert_string_equal(scene->config->socket, "/tmp/socket");
    assert_string_equal(scene->config->state, "/tmp/state");
    assert_int_equal(scene->config->ndots, 2);
    assert_int_equal(scene->config->manifests->len, 2);
    assert_string_equal(directory(scene, 0)->path, "/tmp/a");
    assert_string_equal(directory(scene, 1)->path, expected);
    assert_false(directory(scene, 0)->allocate);
}

static void bad_options(void **state)
{
    struct scene *scene = *state;
    g_autoptr(GPtrArray) manifests = g_ptr_array_new();
    static const char *const names[] = {"--manifests", "--socket", "--state", "--namespace",
                                        "--zone"};
    struct config_options options = {
        .manifests = manifests, .socket = "", .state = "", .ns = "A", .zone = "a b"};

    g_ptr_array_add(manifests, (char[]){""});
    assert_int_equal(load(scene, options), CONFIG_BAD);
    assert_int_equal(scene->diagnostics->len, G_N_ELEMENTS(names));
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        const struct diagnostic *diagnostic = scene->diagnostics->pdata[i];

        assert_string_equal(diagnostic->object, names[i]);
        assert_int_equal(diagnostic->line, 0);
    }
}

static void unreadable_files(void **state)
{
    struct scene *scene = *state;
    g_autofree char *large = g_strnfill(2 << 20, '\n');

    assert_int_equal(load(scene, (struct config_options){.path_given = true}), -ENOENT);
    assert_int_equal(mkdir(scene->path, 0700), 0);
    assert_int_equal(load(scene, (struct config_options){0}), -EISDIR);
    assert_int_equal(rmdir(scene->path), 0);
    assert_int_equal(load_text(scene, large), CONFIG_BAD);
    assert_true(scene->diagnostics->len > 0);
    if (geteuid() != 0) {
        assert_int_equal(chmod(scene->path, 0), 0);
        assert_int_equal(load(scene, (struct config_options){0}), -EACCES);
    }
}

static char *dropin_path(const struct scene *scene, const char *name)
{
    return g_strdup_printf("%s.d/%s", scene->path, name);
}

static void add_dropin(const struct scene *scene, const char *name, const char *text)
{
    g_autofree char *path = dropin_path(scene, name), *directory = g_path_get_dirname(path);

    (void)mkdir(directory, 0700);
    assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void assert_origin(const struct scene *scene, enum config_key key, const char *name,
                          unsigned line)
{
    const struct config_origin *origin = &scene->config->origins[key];
    g_autofree char *path = name ? g_strconcat(scene->path, name, NULL) : NULL;

    assert_null(origin->option);
    if (g_strcmp0(origin->path, path) != 0 || origin->line != line)
        fail_msg("%s is of %s:%u", config_key_name(key), origin->path, origin->line);
}

static void dropins_in_their_order(void **state)
{
    struct scene *scene = *state;
    const struct config *config;

    add_dropin(scene, "20-b.yaml",
               "zone: b.example\nnodeIPs: [192.0.2.2]\nsearch: [two.example]\n");
    add_dropin(scene, "100-c.yaml",
               "zone: c.example\n\nnamespace: c\nsearch: [a.example, b.example]\n");
    add_dropin(scene, "3-d.yaml", "# nothing\n");
    add_dropin(scene, "B.yaml", "ndots: 3\nendpointPodNames: false\n");
    add_dropin(scene, "a.yaml", "ndots: 4\n");
    /* skipped */
    add_dropin(scene, ".z.yaml", "ndots: 5\n");
    add_dropin(scene, "z.yml", "ndots: 6\n");
    add_dropin(scene, "z.yaml~", "[\n");
    add_dropin(scene, "z.yaml.dpkg-old", "[\n");
    assert_good(scene,
                "zone: a.example\nnodeIPs: [192.0.2.1]\npods: disabled\nendpointPodNames: true\n"
                "ignoreEmptyService: true\n");
    config = scene->config;
    assert_string_equal(config->zone, "b.example");
    assert_string_equal(config->ns, "c");
    assert_int_equal(config->pods, KUBESVC_PODS_DISABLED);
    assert_int_equal(config->ndots, 4);
    assert_false(config->endpoint_pod_names);
    assert_true(config->ignore_empty_service);
    assert_int_equal(config->node_ips->len, 1); /* lists are replaced */
    assert_string_equal(config->search[0], "two.example");
    assert_null(config->search[1]);
    assert_int_equal(config->files->len, 6);
    assert_origin(scene, CONFIG_ZONE, ".d/20-b.yaml", 1);
    assert_origin(scene, CONFIG_NAMESPACE, ".d/100-c.yaml", 3);
    assert_origin(scene, CONFIG_PODS, "", 3);
    assert_origin(scene, CONFIG_NDOTS, ".d/a.yaml", 1);
    assert_origin(scene, CONFIG_MAX_FILE_SIZE, NULL, 0);
}

/* `allocate` may come after the directories that follow it. */
static void dropins_and_directories(void **state)
{
    struct scene *scene = *state;

    add_dropin(scene, "a.yaml",
               "manifests:\n- /a\n- {path: /b, allocate: true}\n- {path: /c, allocate: false}\n");
    add_dropin(scene, "b.yaml", "allocate: false\n");
    assert_good(scene, "manifests: [/z]\n");
    assert_int_equal(scene->config->manifests->len, 3);
    assert_false(directory(scene, 0)->allocate);
    assert_true(directory(scene, 1)->allocate);
    assert_false(directory(scene, 2)->allocate);
    add_dropin(scene, "b.yaml", "allocate: true\n");
    assert_good(scene, "manifests: [/z]\nallocate: false\n");
    assert_true(directory(scene, 0)->allocate);
    assert_false(directory(scene, 2)->allocate);
}

static void dropins_without_a_file(void **state)
{
    struct scene *scene = *state;

    add_dropin(scene, "a.yaml", "zone: a.example\n");
    assert_int_equal(load(scene, (struct config_options){0}), 0);
    assert_string_equal(scene->config->zone, "a.example");
    assert_int_equal(load(scene, (struct config_options){.zone = "b.example"}), 0);
    assert_string_equal(scene->config->zone, "b.example");
    assert_string_equal(scene->config->origins[CONFIG_ZONE].option, "--zone");
    assert_int_equal(load(scene, (struct config_options){.path_given = true}), -ENOENT);
}

static void assert_diagnostic(const struct scene *scene, guint i, const char *place,
                              const char *rule)
{
    g_autofree char *expected = g_strconcat(scene->path, place, NULL), *text = NULL;

    assert_true(i < scene->diagnostics->len);
    text = diagnostic_format(scene->diagnostics->pdata[i], scene->path);
    if (!g_str_has_prefix(text, expected) || !g_str_has_suffix(text, rule))
        fail_msg("%s, not %s ... %s", text, expected, rule);
}

/* All of them are reported, each with its position. */
static void mistakes_in_dropins(void **state)
{
    struct scene *scene = *state;
    g_autofree char *path = dropin_path(scene, "d.yaml");

    add_dropin(scene, "a.yaml", "zone: a\nzoen: b\n");
    add_dropin(scene, "b.yaml", "ndots: [\n");
    add_dropin(scene, "c.yaml", "ndots: 1\n---\nndots: 2\n");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(load_text(scene, "pods: all\n"), CONFIG_BAD);
    assert_int_equal(scene->diagnostics->len, 5);
    assert_diagnostic(scene, 0, ":1:7: ", "[bad-value]");
    assert_diagnostic(scene, 1, ".d/a.yaml:2:1: ", "[unknown-key]");
    assert_diagnostic(scene, 2, ".d/b.yaml:2:1: ", "[syntax]");
    assert_diagnostic(scene, 3, ".d/c.yaml:3:1: ", "[second-document]");
    assert_diagnostic(scene, 4, ".d/d.yaml: ", "[unreadable]");
}

/* The file that is wrong together with another is named. */
static void ranges_of_several_files(void **state)
{
    struct scene *scene = *state;

    add_dropin(scene, "a.yaml", "podCIDRs: [10.0.0.0/8]\n");
    assert_int_equal(load_text(scene, "serviceCIDRs: [10.96.0.0/16]\n"), CONFIG_BAD);
    assert_int_equal(scene->diagnostics->len, 1);
    assert_diagnostic(scene, 0, ".d/a.yaml:1:11: ", "[overlapping-ranges]");
    add_dropin(scene, "a.yaml", "serviceCIDRs: [10.96.0.0/16]\n");
    assert_int_equal(load_text(scene, "podCIDRs: [10.0.0.0/8]\n"), CONFIG_BAD);
    assert_diagnostic(scene, 0, ":1:11: ", "[overlapping-ranges]");
    /* what a later file takes back is no mistake */
    add_dropin(scene, "b.yaml", "podCIDRs: [10.244.0.0/16]\n");
    assert_int_equal(load(scene, (struct config_options){.path_given = true}), 0);
}

static void zones(void **state)
{
    struct scene *scene = *state;
    g_autoptr(GString) many = g_string_new("manifests:\n"), text = g_string_new(NULL);
    g_autofree char *label = g_strnfill(61, 'a');

    assert_good(scene, "zone: Main.Example.\n"
                       "manifests:\n"
                       "- /a\n"
                       "- {path: /b, zone: EAST.example.}\n"
                       "- {path: /c, zone: west.example}\n"
                       "- {path: /d, zone: east.example}\n"
                       "- {path: /e, zone: main.example}\n");
    assert_null(directory(scene, 0)->zone);
    assert_string_equal(directory(scene, 1)->zone, "east.example");
    assert_string_equal(directory(scene, 2)->zone, "west.example");
    assert_string_equal(directory(scene, 3)->zone, "east.example");
    assert_null(directory(scene, 4)->zone); /* the main one */
    assert_int_equal(g_strv_length(scene->config->zones), 3);
    assert_string_equal(scene->config->zones[1], "east.example");
    assert_string_equal(scene->config->zones[2], "west.example");
    assert_good(scene, "manifests: [{path: /a, zone: east.example}]\n"
                       "dns: {namespace: moon@East.example}\n");
    assert_string_equal(scene->config->dns.ns, "moon@east.example");
    assert_good(scene, "dns: {namespace: moon@cluster.local}\n");
    assert_int_equal(g_strv_length(scene->config->zones), 1);
    assert_bad(scene, "zone: x\ndns: {namespace: moon@east.example}\n", 2, 6, "bad-zones", "zone");

    assert_good(scene, "zone: home.arpa\nmanifests: [{path: /a, zone: localhost.example}]\n");
    g_string_printf(text, "zone: %s.%s.%s.%.59s\n", label, label, label, label);
    assert_good(scene, text->str);
    g_string_printf(text, "zone: %s.%s.%s.%.60s\n", label, label, label, label);
    assert_bad(scene, text->str, 1, 7, "bad-value", "too long");

    for (unsigned i = 0; i < KUBESVC_ZONES_MAX; i++)
        g_string_append_printf(many, "- {path: /m, zone: z%u}\n", i);
    assert_good(scene, many->str);
    g_string_append(many, "- {path: /m, zone: more}\n");
    assert_bad(scene, many->str, 2, 1, "bad-zones", "more than 64 zones");
}

static void a_long_search_list(void **state)
{
    struct scene *scene = *state;
    g_autoptr(GString) text = g_string_new("search:\n");

    for (unsigned i = 0; i < KUBESVC_SEARCH_MAX; i++)
        g_string_append_printf(text, "- d%u.example\n", i);
    assert_good(scene, text->str);
    g_string_append(text, "- more.example\n");
    add_dropin(scene, "without.yaml", "ndots: 1\n");
    assert_bad(scene, text->str, 2, 1, "too-many", "more than 32 domains");
}

static void directories_that_are_none(void **state)
{
    struct scene *scene = *state;
    g_autofree char *path = g_strconcat(scene->path, ".d", NULL);

    assert_true(g_file_set_contents(path, "", -1, NULL));
    assert_int_equal(load_text(scene, "zone: a\n"), CONFIG_BAD);
    assert_diagnostic(scene, 0, ".d: error: cannot be read: ", "[unreadable]");
    assert_int_equal(unlink(path), 0);
    for (unsigned i = 0; i <= 1000; i++) {
        g_autofree char *name = g_strdup_printf("%u.yaml", i);

        add_dropin(scene, name, "");
    }
    assert_int_equal(load_text(scene, "zone: a\n"), CONFIG_BAD);
    assert_diagnostic(scene, 0, ".d: error: ", "[too-many]");
}

static void suggestions(void **state)
{
    static const char *const words[] = {"namespace", "namespaces", "ndots", NULL};
    static const char *const expected[][2] = {
        {"namespac", "; did you mean namespace?"},
        {"nameSpaces", "; did you mean namespaces?"},
        {"ndot", "; did you mean ndots?"},
        {"nameservers", ""},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", ""},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autofree char *suggestion = config_suggest(expected[i][0], words);

        assert_string_equal(suggestion, expected[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(user_ranges, set_up, tear_down),
        cmocka_unit_test_setup_teardown(everything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(small_things, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mistakes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_mistakes_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(options_win, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_options, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unreadable_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dropins_in_their_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dropins_and_directories, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dropins_without_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mistakes_in_dropins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ranges_of_several_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(zones, set_up, tear_down),
        cmocka_unit_test_setup_teardown(directories_that_are_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_search_list, set_up, tear_down),
        cmocka_unit_test(suggestions),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
