/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The configuration: defaults, then the file, then its drop-ins, then the command line. It is read
 * as a whole at every reload and never changed, so that two of them can be compared.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "config_dropins.h"
#include "config_fields.h"
#include "config_file.h"
#include "config_sources.h"
#include "config_values.h"
#include "lib/util/log.h"
#include <kubesvc/limits.h>

#define DEFAULT_STATE "/var/lib/kubesvc"
#define DEFAULT_SERVICE_RANGE "127.96.0.0/16"
#define DEFAULT_POD_RANGE "127.244.0.0/16"
#define USER_RANGES 95u /* below that of the system's Services */
#define DEFAULT_FILE_SIZE (UINT64_C(512) << 20)
#define DEFAULT_NDOTS 5

static GArray *new_ranges(const char *text)
{
    GArray *ranges = g_array_new(FALSE, FALSE, sizeof(struct address_range));
    struct address_range range;

    if (address_range_parse(&range, text))
        g_array_append_val(ranges, range);
    return ranges;
}

/* A user's daemon and the system's do not know of each other, so their ranges must not overlap.
 * Users of a host usually have consecutive uids. The network of 127.0.0.0/8 that holds localhost is
 * left out, and pods stay above 127.128.0.0, as by default: below it, glibc would sort their
 * addresses by their common prefix with 127.0.0.1. */
static void take_user_ranges(struct config *config)
{
    unsigned n = (unsigned)(getuid() % USER_RANGES);
    g_autofree char *services = g_strdup_printf("127.%u.0.0/16", 1 + n);
    g_autofree char *pods = g_strdup_printf("127.%u.0.0/16", 128 + n);

    g_array_unref(config->service_cidrs);
    g_array_unref(config->pod_cidrs);
    config->service_cidrs = new_ranges(services);
    config->pod_cidrs = new_ranges(pods);
    config->origins[CONFIG_SERVICE_CIDRS] = config->origins[CONFIG_POD_CIDRS] =
        (struct config_origin){.option = "--user-ranges"};
}

static struct config *config_new(void)
{
    static const char *const directories[] = {"/etc/kubesvc/manifests", "/run/kubesvc-manifests"};
    struct config *config = g_new0(struct config, 1);

    config->zone = g_strdup(KUBESVC_DEFAULT_ZONE);
    config->ns = g_strdup("default");
    config->manifests = g_ptr_array_new_with_free_func(config_directory_free);
    config->service_cidrs = new_ranges(DEFAULT_SERVICE_RANGE);
    config->pod_cidrs = new_ranges(DEFAULT_POD_RANGE);
    config->node_ips = g_array_new(FALSE, FALSE, sizeof(struct address));
    config->allocate = true;
    config->pods = KUBESVC_PODS_VERIFIED;
    config->ndots = DEFAULT_NDOTS;
    config->maps = true;
    config_dns_init(&config->dns);
    config->nameservers = g_ptr_array_new_with_free_func(g_free);
    config->sources = g_ptr_array_new_with_free_func(config_source_free);
    config->max_file_size = DEFAULT_FILE_SIZE;
    config->files = g_ptr_array_new_with_free_func(g_free);
    config->socket = g_strdup(KUBESVC_SOCKET_PATH);
    config->state = g_strdup(DEFAULT_STATE);
    for (size_t i = 0; i < G_N_ELEMENTS(directories); i++)
        g_ptr_array_add(config->manifests, config_directory_new(g_strdup(directories[i])));
    return config;
}

struct config *config_free(struct config *config)
{
    if (!config)
        return NULL;
    g_free(config->zone);
    g_strfreev(config->zones);
    g_free(config->ns);
    g_ptr_array_unref(config->manifests);
    g_array_unref(config->service_cidrs);
    g_array_unref(config->pod_cidrs);
    g_array_unref(config->node_ips);
    g_strfreev(config->namespaces);
    g_strfreev(config->search);
    g_ptr_array_unref(config->nameservers);
    config_dns_clear(&config->dns);
    g_ptr_array_unref(config->sources);
    g_free(config->socket);
    g_free(config->state);
    g_ptr_array_unref(config->files);
    g_free(config);
    return NULL;
}

/* A path of the command line is relative to the directory the daemon was started in. */
static const char *parse_any_path(const char *text, char **pathp)
{
    if (*text == '\0')
        return "must be a path";
    *pathp = g_canonicalize_filename(text, NULL);
    return NULL;
}

static bool parse_option(GPtrArray *diagnostics, const char *option, const char *text,
                         config_parse parse, char **valuep)
{
    char *value = NULL;
    const char *wrong = parse(text, &value);

    if (wrong) {
        struct diagnostic *diagnostic =
            diagnostic_new(DIAGNOSTIC_ERROR, 0, 0, "bad-value", option, "%s", wrong);

        diagnostic->path = g_strdup("command line");
        g_ptr_array_add(diagnostics, diagnostic);
        return false;
    }
    g_free(*valuep);
    *valuep = value;
    return true;
}

static bool take_manifests(struct config *config, const GPtrArray *paths, GPtrArray *diagnostics)
{
    bool good = true;

    if (!paths || paths->len == 0)
        return true;
    g_ptr_array_set_size(config->manifests, 0);
    config->origins[CONFIG_MANIFESTS] = (struct config_origin){.option = "--manifests"};
    for (guint i = 0; i < paths->len; i++) {
        struct config_directory *directory = config_directory_new(NULL);

        g_ptr_array_add(config->manifests, directory);
        good &= parse_option(diagnostics, "--manifests", paths->pdata[i], parse_any_path,
                             &directory->path);
    }
    return good;
}

static bool take_options(struct config *config, const struct config_options *options,
                         GPtrArray *diagnostics)
{
    const struct {
        enum config_key key;
        const char *option, *text;
        config_parse parse;
        char **valuep;
    } texts[] = {
        {CONFIG_SOCKET, "--socket", options->socket, parse_any_path, &config->socket},
        {CONFIG_STATE, "--state", options->state, parse_any_path, &config->state},
        {CONFIG_NAMESPACE, "--namespace", options->ns, config_parse_namespace, &config->ns},
        {CONFIG_ZONE, "--zone", options->zone, config_parse_zone, &config->zone},
    };
    bool good = take_manifests(config, options->manifests, diagnostics);

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        if (!texts[i].text)
            continue;
        config->origins[texts[i].key] = (struct config_origin){.option = texts[i].option};
        good &= parse_option(diagnostics, texts[i].option, texts[i].text, texts[i].parse,
                             texts[i].valuep);
    }
    return good;
}

static int read_dropins(struct config *config, const char *path, GPtrArray *diagnostics)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    int result = config_dropins_find(paths, path, diagnostics);

    for (guint i = 0; i < paths->len; i++) {
        const char *dropin = paths->pdata[i];
        guint before = diagnostics->len;
        int r = config_file_read(config, dropin, diagnostics);

        if (r == 0)
            continue;
        if (r < 0)
            g_ptr_array_add(diagnostics, diagnostic_new(DIAGNOSTIC_ERROR, 0, 0, "unreadable", NULL,
                                                        "cannot be read: %s", g_strerror(-r)));
        for (guint j = before; j < diagnostics->len; j++)
            ((struct diagnostic *)diagnostics->pdata[j])->path = g_strdup(dropin);
        result = CONFIG_BAD;
    }
    return result;
}

/* The file and its drop-ins: errors in one of them do not hide errors in another. */
static int read_files(struct config *config, const struct config_options *options,
                      GPtrArray *diagnostics)
{
    if (!options->path)
        return 0;
    int r = config_file_read(config, options->path, diagnostics);
    if (r == -ENOENT && !options->path_given)
        r = 0;
    int dropins = read_dropins(config, options->path, diagnostics);
    return r != 0 ? r : dropins;
}

static void complain(const struct config_origin *at, const char *path, const char *rule,
                     const char *wrong, GPtrArray *diagnostics)
{
    struct diagnostic *diagnostic =
        diagnostic_new(DIAGNOSTIC_ERROR, at->value_line, at->value_column, rule, NULL, "%s", wrong);

    if (g_strcmp0(at->path, path) != 0)
        diagnostic->path = g_strdup(at->path);
    g_ptr_array_add(diagnostics, diagnostic);
}

/* Adds a directory's zone; what is wrong with it, to be freed, or NULL. With a zone inside another
 * one, a name below both would be one of either. */
static char *add_zone(GPtrArray *known, char *zone)
{
    for (guint i = 0; i < known->len; i++) {
        const char *other = known->pdata[i];

        if (strcmp(zone, other) == 0)
            return NULL;
        if (config_lies_in(zone, other) || config_lies_in(other, zone))
            return g_strdup_printf("the zones %s and %s overlap: neither may be part of the other",
                                   other, zone);
    }
    if (known->len > KUBESVC_ZONES_MAX)
        return g_strdup_printf("there are more than %u zones besides the main one",
                               KUBESVC_ZONES_MAX);
    g_ptr_array_add(known, zone);
    return NULL;
}

/* The zones of the directories; what is wrong with them, to be freed, or NULL. */
static char *take_zones(struct config *config)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    char *wrong = NULL;

    g_ptr_array_add(known, config->zone);
    for (guint i = 0; i < config->manifests->len && !wrong; i++) {
        struct config_directory *directory = config->manifests->pdata[i];

        if (g_strcmp0(directory->zone, config->zone) == 0)
            g_clear_pointer(&directory->zone, g_free);
        if (directory->zone)
            wrong = add_zone(known, directory->zone);
    }
    g_ptr_array_add(known, NULL);
    config->zones = g_strdupv((char **)known->pdata);
    return wrong;
}

bool config_has_zone_of(const struct config *config, const char *ns)
{
    const char *at = ns ? strchr(ns, '@') : NULL;

    return !at || g_strv_contains((const char *const *)config->zones, at + 1);
}

/* Checks that need the complete configuration. */
static int finish(struct config *config, const char *path, GPtrArray *diagnostics)
{
    const struct config_origin *pods = &config->origins[CONFIG_POD_CIDRS];
    const char *wrong_ranges = config_check_ranges(config);
    g_autofree char *wrong_zones = take_zones(config);
    guint before = diagnostics->len;

    for (guint i = 0; i < config->manifests->len; i++) {
        struct config_directory *directory = config->manifests->pdata[i];

        if (!directory->allocate_given)
            directory->allocate = config->allocate;
    }
    if (wrong_zones)
        complain(&config->origins[CONFIG_MANIFESTS], path, "bad-zones", wrong_zones, diagnostics);
    else if (!config_has_zone_of(config, config->dns.ns))
        complain(&config->origins[CONFIG_DNS], path, "bad-zones",
                 "namespace is in a zone that no directory has", diagnostics);
    if (wrong_ranges)
        complain(pods->path ? pods : &config->origins[CONFIG_SERVICE_CIDRS], path,
                 "overlapping-ranges", wrong_ranges, diagnostics);
    return diagnostics->len > before ? CONFIG_BAD : 0;
}

int config_load(struct config **configp, const struct config_options *options,
                GPtrArray *diagnostics)
{
    struct config *config = config_new();

    if (options->user_ranges)
        take_user_ranges(config);
    int r = read_files(config, options, diagnostics);
    if (r >= 0 && !take_options(config, options, diagnostics))
        r = CONFIG_BAD;
    if (r == 0)
        r = finish(config, options->path, diagnostics);
    if (r != 0) {
        config_free(config);
        return r;
    }
    *configp = config;
    return 0;
}

int config_load_texts(struct config **configp, const struct config_options *options,
                      GPtrArray *errors)
{
    g_autoptr(GPtrArray) diagnostics =
        g_ptr_array_new_with_free_func((GDestroyNotify)diagnostic_free);
    int r = config_load(configp, options, diagnostics);

    for (guint i = 0; i < diagnostics->len; i++)
        g_ptr_array_add(errors, diagnostic_format(diagnostics->pdata[i], options->path));
    if (r >= 0)
        return r;
    g_ptr_array_add(errors,
                    g_strdup_printf("%s: cannot be read: %s", options->path, g_strerror(-r)));
    return CONFIG_BAD;
}

int config_load_logged(struct config **configp, const struct config_options *options,
                       GPtrArray *errors)
{
    int r = config_load_texts(configp, options, errors);

    for (guint i = 0; i < errors->len; i++)
        log_error("%s", (const char *)errors->pdata[i]);
    return r;
}

bool config_allocates(const struct config *config)
{
    for (guint i = 0; i < config->manifests->len; i++)
        if (((const struct config_directory *)config->manifests->pdata[i])->allocate)
            return true;
    return false;
}
