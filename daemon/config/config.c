/*
 * The configuration: defaults, then the file, then the command line. It is read anew as a whole at
 * every reload and never changed, so that two of them can be compared.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "config_file.h"
#include "config_values.h"
#include <kubesvc/limits.h>

#define DEFAULT_STATE "/var/lib/kubesvc"
#define DEFAULT_SERVICE_RANGE "127.96.0.0/16"
#define DEFAULT_POD_RANGE "127.244.0.0/16"
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

static struct config *config_new(void)
{
    static const char *const directories[] = {"/etc/kubesvc/manifests", "/run/kubesvc-manifests"};
    struct config *config = g_new0(struct config, 1);

    config->zone = g_strdup(KUBESVC_DEFAULT_ZONE);
    config->namespace = g_strdup("default");
    config->manifests = g_ptr_array_new_with_free_func(config_directory_free);
    config->service_cidrs = new_ranges(DEFAULT_SERVICE_RANGE);
    config->pod_cidrs = new_ranges(DEFAULT_POD_RANGE);
    config->node_ips = g_array_new(FALSE, FALSE, sizeof(struct address));
    config->allocate = true;
    config->pods = KUBESVC_PODS_VERIFIED;
    config->ndots = DEFAULT_NDOTS;
    config->nameservers = g_ptr_array_new_with_free_func(g_free);
    config->max_file_size = DEFAULT_FILE_SIZE;
    config->socket = g_strdup(KUBESVC_SOCKET_PATH);
    config->state = g_strdup(DEFAULT_STATE);
    for (size_t i = 0; i < G_N_ELEMENTS(directories); i++)
        g_ptr_array_add(config->manifests,
                        config_directory_new(g_strdup(directories[i]), config->allocate));
    return config;
}

struct config *config_free(struct config *config)
{
    if (!config)
        return NULL;
    g_free(config->zone);
    g_free(config->namespace);
    g_ptr_array_unref(config->manifests);
    g_array_unref(config->service_cidrs);
    g_array_unref(config->pod_cidrs);
    g_array_unref(config->node_ips);
    g_strfreev(config->namespaces);
    g_strfreev(config->search);
    g_ptr_array_unref(config->nameservers);
    g_free(config->socket);
    g_free(config->state);
    g_free(config);
    return NULL;
}

/* A path of the command line is relative to where the daemon was started. */
static const char *parse_any_path(const char *text, char **pathp)
{
    if (*text == '\0')
        return "must be a path";
    *pathp = g_canonicalize_filename(text, NULL);
    return NULL;
}

static bool take_option(GPtrArray *diagnostics, const char *option, const char *text,
                        const char *(*parse)(const char *, char **), char **valuep)
{
    char *value = NULL;
    const char *wrong;

    if (!text)
        return true;
    wrong = parse(text, &value);
    if (wrong) {
        g_ptr_array_add(diagnostics,
                        diagnostic_new(DIAGNOSTIC_ERROR, 0, 0, "bad-value", option, "%s", wrong));
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
    for (guint i = 0; i < paths->len; i++) {
        struct config_directory *directory = config_directory_new(NULL, config->allocate);

        g_ptr_array_add(config->manifests, directory);
        good &= take_option(diagnostics, "--manifests", paths->pdata[i], parse_any_path,
                            &directory->path);
    }
    return good;
}

static bool take_options(struct config *config, const struct config_options *options,
                         GPtrArray *diagnostics)
{
    bool good = take_manifests(config, options->manifests, diagnostics);

    good &= take_option(diagnostics, "--socket", options->socket, parse_any_path, &config->socket);
    good &= take_option(diagnostics, "--state", options->state, parse_any_path, &config->state);
    good &= take_option(diagnostics, "--namespace", options->namespace, config_parse_namespace,
                        &config->namespace);
    good &= take_option(diagnostics, "--zone", options->zone, config_parse_name, &config->zone);
    return good;
}

int config_load(struct config **configp, const struct config_options *options,
                GPtrArray *diagnostics)
{
    struct config *config = config_new();
    int r;

    r = options->path ? config_file_read(config, options->path, diagnostics) : 0;
    if (r == -ENOENT && !options->path_given)
        r = 0;
    if (r >= 0 && !take_options(config, options, diagnostics))
        r = CONFIG_BAD;
    if (r != 0) {
        config_free(config);
        return r;
    }
    *configp = config;
    return 0;
}

bool config_allocates(const struct config *config)
{
    for (guint i = 0; i < config->manifests->len; i++)
        if (((const struct config_directory *)config->manifests->pdata[i])->allocate)
            return true;
    return false;
}
