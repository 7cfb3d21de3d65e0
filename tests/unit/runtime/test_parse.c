/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files of runtimes: those of tests/runtimes as written by podman 4.3.1 and 5.4.2, CRI-O 1.37,
 * libcni and kubelet, and incomplete or invalid ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/runtime/parse.h"

#define FILES "tests/runtimes"

static void free_sighting(gpointer sighting)
{
    sighting_free(sighting);
}

static GPtrArray *sightings_new_list(void)
{
    return g_ptr_array_new_with_free_func(free_sighting);
}

/* "  NAMESPACE NAME NETWORK ADDRESS...\n" for each. */
static char *text_of(const GPtrArray *sightings)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < sightings->len; i++) {
        const struct sighting *sighting = sightings->pdata[i];
        g_string_append_printf(text, "  %s %s %s", sighting->ns ? sighting->ns : "-",
                               sighting->name, sighting->network ? sighting->network : "-");
        for (unsigned j = 0; j < sighting->n_addresses; j++) {
            char address[ADDRESS_TEXT_MAX];
            address_format(&sighting->addresses[j], address);
            g_string_append_printf(text, " %s", address);
        }
        g_string_append(text, sighting->secondary ? " secondary\n" : "\n");
    }
    return g_string_free(text, FALSE);
}

static int parse(const char *path, const struct runtime_text *text, GPtrArray *sightings,
                 char **problemp)
{
    g_autofree char *name = g_path_get_basename(path);
    if (g_str_has_prefix(path, "cni") || g_str_has_prefix(path, "containerd") ||
        g_str_has_prefix(path, "crio"))
        return libcni_parse(text, NULL, sightings, problemp);
    if (g_str_has_prefix(path, "kubelet"))
        return kubelet_parse("ns", "pod", text, sightings, problemp);
    return aardvark_parse(name, text, sightings, problemp);
}

static void check(const char *path, const char *expected)
{
    g_autofree char *full = g_build_filename(FILES, path, NULL), *content = NULL, *problem = NULL;
    g_autoptr(GPtrArray) sightings = sightings_new_list();
    gsize length;
    assert_true(g_file_get_contents(full, &content, &length, NULL));
    const struct runtime_text text = {.text = content, .length = length};
    assert_int_equal(parse(path, &text, sightings, &problem), PARSE_DONE);
    g_autofree char *got = text_of(sightings);
    assert_string_equal(got, expected);
}

static void files_are_read_as_expected(void **state)
{
    (void)state;
    g_autofree char *expected = NULL;
    g_autoptr(GString) lines = g_string_new(NULL);
    assert_true(g_file_get_contents(FILES "/expected", &expected, NULL, NULL));
    g_auto(GStrv) all = g_strsplit(expected, "\n", -1);
    unsigned n = 0;
    for (char **line = all; *line; n++) {
        const char *path = *line++;
        g_string_truncate(lines, 0);
        for (; *line && **line == ' '; line++)
            g_string_append_printf(lines, "%s\n", *line);
        if (*path && *path != '#')
            check(path, lines->str);
    }
    assert_in_range(n, 13, 100);
}

struct sample {
    const char *text;
    int result;
    const char *expected; /* as text_of, if it is DONE */
};

static void check_samples(const char *path, const struct sample *samples, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_autoptr(GPtrArray) sightings = sightings_new_list();
        g_autofree char *problem = NULL;
        const struct runtime_text text = {.text = samples[i].text,
                                          .length = strlen(samples[i].text)};
        print_message("%s %zu\n", path, i);
        assert_int_equal(parse(path, &text, sightings, &problem), samples[i].result);
        assert_int_equal(problem != NULL, samples[i].result == PARSE_BAD);
        g_autofree char *got = text_of(sightings);
        if (samples[i].result == PARSE_DONE)
            assert_string_equal(got, samples[i].expected);
    }
}

static void aardvark_is_strict(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"", PARSE_PARTIAL, NULL},
        {"10.89.0.1", PARSE_PARTIAL, NULL},
        {"10.89.0.1\n", PARSE_DONE, ""},
        {"10.89.0.1\nid 10.89.0.2  web,c\nid2 10.89.0.", PARSE_PARTIAL, NULL},
        {"10.89.0.1\r\nid 10.89.0.2  web,c\r\n", PARSE_DONE, "  - web net 10.89.0.2\n"},
        {"10.89.0.1,fd00::1 192.0.2.53,192.0.2.54\nid  fd00::2 web 192.0.2.53\n", PARSE_DONE,
         "  - web net fd00::2\n"},
        {"10.89.0.1\nid   web\n", PARSE_DONE, ""}, /* no address of either family */
        {"10.89.0.1\n\nid 10.89.0.2,10.89.0.3  web_1.x,c\n", PARSE_DONE,
         "  - web_1.x net 10.89.0.2\n"},                      /* one of each family */
        {"10.89.0.1\nid 10.89.0.2 web,c\n", PARSE_BAD, NULL}, /* spaces are not collapsed */
        {"10.89.0.1\nid 10.89.0.2  \n", PARSE_BAD, NULL},
        {"10.89.0.1\nid 10.89.0.2  ,c\n", PARSE_BAD, NULL},
        {"10.89.0.1\n 10.89.0.2  web\n", PARSE_BAD, NULL},
        {"10.89.0.1\nid 10.89.0.256  web\n", PARSE_BAD, NULL},
        {"4711\n", PARSE_BAD, NULL},
        {"hello world\n", PARSE_BAD, NULL},
    };
    check_samples("net", samples, G_N_ELEMENTS(samples));
    g_autofree char *inside = aardvark_network("a.b%int"), *plain = aardvark_network("podman1");
    assert_string_equal(inside, "a.b");
    assert_string_equal(plain, "podman1");
    assert_null(aardvark_network("aardvark.pid"));
    assert_null(aardvark_network("aardvark.lock"));
    assert_null(aardvark_network(".podnet.swp"));
}

static void many_lines_are_read(void **state)
{
    (void)state;
    g_autoptr(GString) text = g_string_new("10.0.0.1\n");
    for (unsigned i = 0; i < 1000; i++)
        g_string_append_printf(text, "id%u 10.0.%u.%u  web-%u,c,id%u\n", i, 1 + i / 250, i % 250, i,
                               i);
    g_autoptr(GPtrArray) sightings = sightings_new_list();
    g_autofree char *problem = NULL;
    assert_int_equal(aardvark_parse("net",
                                    &(struct runtime_text){.text = text->str, .length = text->len},
                                    sightings, &problem),
                     PARSE_DONE);
    assert_int_equal(sightings->len, 1000);
    assert_string_equal(((struct sighting *)sightings->pdata[999])->name, "web-999");
}

#define CNI(args, result)                                                                          \
    "{\"kind\":\"cniCacheV1\",\"ifName\":\"eth0\",\"networkName\":\"n\",\"cniArgs\":" args         \
    ",\"result\":" result "}"
#define POD "[[\"K8S_POD_NAMESPACE\",\"shop\"],[\"K8S_POD_NAME\",\"web\"]]"

static void libcni_is_strict(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"", PARSE_PARTIAL, NULL},
        {"{\"kind\":\"cniCacheV1\",\"result\":{\"ips\":[", PARSE_PARTIAL, NULL},
        {CNI(POD, "{\"ips\":[{\"address\":\"10.0.0.2/24\"}]}") "\n", PARSE_DONE,
         "  shop web n 10.0.0.2\n"},
        {CNI(POD, "{\"ip6\":{\"ip\":\"fd00::2/64\"}}"), PARSE_DONE, "  shop web n fd00::2\n"},
        {CNI(POD, "{\"ips\":[]}"), PARSE_DONE, ""},
        {CNI(POD, "null"), PARSE_DONE, ""},
        {CNI(POD, "{\"ips\":[{\"address\":\"127.0.0.1/8\"},{\"address\":\"::1/128\"}]}"),
         PARSE_DONE, ""},
        {CNI(POD, "{\"ips\":[{\"address\":3}]}"), PARSE_BAD, NULL},
        {CNI(POD, "{\"ip4\":{}}"), PARSE_BAD, NULL},
        {CNI("null", "{\"ips\":[{\"address\":\"10.0.0.2/24\"}]}"), PARSE_DONE, ""},
        {CNI("[[\"K8S_POD_NAME\",\"web\"],3,[]]", "{}"), PARSE_DONE, ""},
        {CNI(POD, "{\"ips\":[{\"address\":\"ten\"}]}"), PARSE_BAD, NULL},
        {CNI(POD, "{\"ips\":[3]}"), PARSE_BAD, NULL},
        {"{\"kind\":\"cniCacheV2\"}", PARSE_BAD, NULL},
        {"{\"kind\":[\"cniCacheV1\"]}", PARSE_BAD, NULL},
        {"[{}", PARSE_BAD, NULL},
        {"a: {}", PARSE_BAD, NULL},
    };
    check_samples("cni", samples, G_N_ELEMENTS(samples));
}

/* The configuration of the network comes before what is wanted, and is long; "@" stands for it. */
static void libcni_has_long_texts(void **state)
{
    (void)state;
    static const char known[] = "{\"kind\":\"cniCacheV1\",\"ifName\":\"eth0\",\"config\":",
                      rest[] = ",\"networkName\":\"n\",\"cniArgs\":" POD
                               ",\"result\":{\"ips\":[{\"address\":\"10.0.0.2/24\"}]}}";
    static const struct {
        const char *config;
        int result;
    } samples[] = {
        {"\"@\"", PARSE_DONE},
        {"[\"@\",\"@\",{\"@\":\"@\"}]", PARSE_DONE},
        {"\"@\\\"\",\"x\":\"@\"", PARSE_DONE},
        {"\"@\\\\\",\"x\":\"@\"", PARSE_DONE},
        {"\"@\"}", PARSE_BAD},
        {"\"@", PARSE_BAD},
        {"\"@\"\"@\"", PARSE_BAD},
        {"\"@\\\"", PARSE_BAD},
        {"@", PARSE_BAD},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(samples); i++) {
        g_autoptr(GString) text = g_string_new(samples[i].config);
        g_autofree char *config = g_strnfill(1500, 'a'), *problem = NULL;
        g_autoptr(GPtrArray) sightings = sightings_new_list();
        g_string_replace(text, "@", config, 0);
        g_string_prepend(text, known);
        g_string_append(text, rest);
        const struct runtime_text content = {.text = text->str, .length = text->len};
        assert_int_equal(libcni_parse(&content, NULL, sightings, &problem), samples[i].result);
        g_autofree char *got = text_of(sightings);
        if (samples[i].result == PARSE_DONE)
            assert_string_equal(got, "  shop web n 10.0.0.2\n");
    }
}

static void libcni_of_other_networks_is_left_out(void **state)
{
    (void)state;
    static const char text[] = CNI(POD, "{\"ips\":[{\"address\":\"10.0.0.2/24\"}]}");
    char *other[] = {(char[]){"other"}, NULL}, *both[] = {(char[]){"other"}, (char[]){"n"}, NULL};
    const struct runtime_text content = {.text = text, .length = strlen(text)};
    g_autoptr(GPtrArray) sightings = sightings_new_list();
    g_autofree char *problem = NULL;
    assert_int_equal(libcni_parse(&content, other, sightings, &problem), PARSE_DONE);
    assert_int_equal(sightings->len, 0);
    assert_int_equal(libcni_parse(&content, both, sightings, &problem), PARSE_DONE);
    assert_int_equal(sightings->len, 1);
}

/* yajl frees by recursion, and brackets in texts must not hide how deep it goes. */
static void libcni_is_not_nested_without_end(void **state)
{
    (void)state;
    static const char *const pieces[] = {"[", "[\"}\",", "[\"]\\\"]\",", "/*\"*/["};
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autoptr(GString) text = g_string_new("{\"kind\":\"cniCacheV1\",\"a\":");
        for (unsigned j = 0; j < 400000; j++)
            g_string_append(text, pieces[i]);
        g_string_append_c(text, '0');
        for (unsigned j = 0; j < 400000; j++)
            g_string_append_c(text, ']');
        g_string_append(text, "}\n");
        const struct runtime_text content = {.text = text->str, .length = text->len};
        g_autoptr(GPtrArray) sightings = sightings_new_list();
        g_autofree char *problem = NULL;
        assert_int_equal(libcni_parse(&content, NULL, sightings, &problem), PARSE_BAD);
    }
}

#define HEAD "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\nfe00::0\tip6-localnet\n"

static void kubelet_is_strict(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"", PARSE_PARTIAL, NULL},
        {HEAD "10.0.0.2\twe", PARSE_PARTIAL, NULL},
        {HEAD, PARSE_DONE, ""},
        {HEAD "10.0.0.2\tweb\n", PARSE_DONE, "  ns pod - 10.0.0.2\n"},
        {HEAD "10.0.0.2\tweb\nfd00::2\tweb\n", PARSE_DONE, "  ns pod - 10.0.0.2 fd00::2\n"},
        /* they would lead clients to themselves, or to many */
        {HEAD "0.0.0.0\tweb\n", PARSE_DONE, ""},
        {HEAD "224.0.0.1\tweb\n::\tweb\n10.0.0.2\tweb\n", PARSE_DONE, "  ns pod - 10.0.0.2\n"},
        /* what the pod's containers have added is not its own */
        {HEAD "10.0.0.2\tweb\nfd00::9\tother\n", PARSE_DONE, "  ns pod - 10.0.0.2\n"},
        {HEAD "10.0.0.2\tweb.db\tweb\nfd00::9\tweb\n", PARSE_DONE, "  ns pod - 10.0.0.2\n"},
        {HEAD "\n# Entries added by HostAliases.\n10.0.0.9\tx\n", PARSE_DONE, ""},
        {"# Kubernetes-managed hosts file (host network).\n10.0.0.2\tnode\n", PARSE_DONE, ""},
        {"127.0.0.1\tlocalhost\n10.0.0.2\tnode\n", PARSE_BAD, NULL},
    };
    check_samples("kubelet", samples, G_N_ELEMENTS(samples));
}

/* When it was written says nothing about the pod: a container may have. */
static void kubelet_is_believed_if_untouched(void **state)
{
    (void)state;
    static const char hosts[] = HEAD "10.0.0.2\tweb\n";
    for (int untouched = 0; untouched < 2; untouched++) {
        const struct runtime_text text = {hosts, sizeof hosts - 1, 9, 7, untouched};
        g_autoptr(GPtrArray) sightings = sightings_new_list();
        g_autofree char *problem = NULL;
        assert_int_equal(kubelet_parse("ns", "pod", &text, sightings, &problem), PARSE_DONE);
        const struct sighting *sighting = sightings->pdata[0];
        assert_int_equal(sighting->since, 7);
        assert_int_equal(sighting->attested, untouched);
    }
}

static void a_hosts_file_may_begin_with_anything(void **state)
{
    (void)state;
    static const char zero[] = "\0\n", line[] = "\n";
    const struct runtime_text texts[] = {{.text = zero, .length = 2}, {.text = line, .length = 1}};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GPtrArray) sightings = sightings_new_list();
        g_autofree char *problem = NULL;
        assert_int_equal(kubelet_parse("ns", "pod", &texts[i], sightings, &problem), PARSE_BAD);
    }
}

static void directories_of_logs_are_split(void **state)
{
    (void)state;
    g_auto(GStrv) parts = kubelet_split("kube-system_etcd-node.example_0123-ab");
    assert_string_equal(parts[KUBELET_NAMESPACE], "kube-system");
    assert_string_equal(parts[KUBELET_NAME], "etcd-node.example");
    assert_string_equal(parts[KUBELET_UID], "0123-ab");
    static const char *const none[] = {"", "_", "__", "a_b", "_a_b", "a__b", "a_b_"};
    for (size_t i = 0; i < G_N_ELEMENTS(none); i++)
        assert_null(kubelet_split(none[i]));
}

static void quadlet_names_manifests(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
        bool problem;
    } samples[] = {
        {"", "", false},
        {"Yaml=a.yaml\n[Kube]\nYaml=b.yaml", "/q/b.yaml", false},
        {"[Kube]\nYaml=../b.yaml\r\nYaml=/c.yaml\n", "/b.yaml /c.yaml", false},
        {"[Kube]\nYaml=a\nYaml=\nYaml=b\n", "/q/b", false},
        {"[Kube]\n;Yaml=a\nYamls=b\n[Unit]\nYaml=c\n", "", false},
        {"[Kube]\nYaml=%h/a\nYaml=b\n", "/q/b", true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(samples); i++) {
        g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *problem = NULL;
        const struct runtime_text text = {.text = samples[i].text,
                                          .length = strlen(samples[i].text)};
        assert_int_equal(quadlet_parse("/q", &text, paths, &problem), PARSE_DONE);
        assert_int_equal(problem != NULL, samples[i].problem);
        g_ptr_array_add(paths, NULL);
        g_autofree char *joined = g_strjoinv(" ", (char **)paths->pdata);
        assert_string_equal(joined, samples[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_as_expected),
        cmocka_unit_test(aardvark_is_strict),
        cmocka_unit_test(many_lines_are_read),
        cmocka_unit_test(libcni_is_strict),
        cmocka_unit_test(libcni_has_long_texts),
        cmocka_unit_test(libcni_of_other_networks_is_left_out),
        cmocka_unit_test(libcni_is_not_nested_without_end),
        cmocka_unit_test(kubelet_is_strict),
        cmocka_unit_test(kubelet_is_believed_if_untouched),
        cmocka_unit_test(a_hosts_file_may_begin_with_anything),
        cmocka_unit_test(directories_of_logs_are_split),
        cmocka_unit_test(quadlet_names_manifests),
    };
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
