/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading kubeconfig files. All kinds of credentials but those that a sandboxed service cannot or
 * must not use: commands to run, provider plugins and impersonation are errors that name the way
 * out. Unknown keys are other clients' business.
 */
#include "kubeconfig.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/log.h"
#include "lib/yaml/document.h"

#define FILE_SIZE_MAX (4u << 20) /* bytes */
#define WAY_OUT "; use the token of a ServiceAccount instead, see kubesvc-cluster(8) under RBAC"

struct kubeconfig_reading {
    struct kubeconfig *kubeconfig;
    const char *context; /* requested, or NULL */
    char *directory;     /* of the file */
};

/* The mapping under `key` of the element with that name. */
static const struct yaml_node *find_named(struct fields *fields, const struct yaml_node *root,
                                          const char *list_key, const char *key, const char *name)
{
    const struct yaml_node *list = fields_list(fields, root, list_key);
    const struct yaml_node *iterator = list ? list->first : NULL, *element;

    while ((element = fields_next_map(fields, &iterator, list_key))) {
        const char *found = fields_string(fields, element, "name");

        if (found && strcmp(found, name) == 0)
            return fields_map(fields, element, key);
    }
    return NULL;
}

static char *resolve_path(const struct kubeconfig_reading *reading, const char *path)
{
    return g_path_is_absolute(path) ? g_strdup(path)
                                    : g_build_filename(reading->directory, path, NULL);
}

/* KEY-data wins over KEY, as for kubectl. */
static void read_secret(const struct kubeconfig_reading *reading, struct fields *fields,
                        const struct yaml_node *map, const char *key, struct secret *secret)
{
    g_autofree char *data_key = g_strdup_printf("%s-data", key);
    const char *data = fields_string(fields, map, data_key), *path;
    gsize size;

    if (data) {
        guchar *bytes = g_base64_decode(data, &size);

        secret->data = g_string_new_len((const char *)bytes, (gssize)size);
        explicit_bzero(bytes, size);
        g_free(bytes);
        if (!strstr(secret->data->str, "-----BEGIN "))
            fields_error(fields, yaml_node_get(map, data_key)->position, "bad-value",
                         "%s must be PEM in base64", data_key);
        return;
    }
    path = fields_string(fields, map, key);
    if (path)
        secret->path = resolve_path(reading, path);
}

static char *url_part(CURLU *url, CURLUPart part, unsigned flags)
{
    char *text = NULL, *copy;

    if (curl_url_get(url, part, &text, flags) != CURLUE_OK)
        return NULL;
    copy = g_strdup(text);
    curl_free(text);
    return copy;
}

/* Without the brackets of an IPv6 address. */
static char *url_host(CURLU *url)
{
    char *host = url_part(url, CURLUPART_HOST, 0);
    size_t length = host ? strlen(host) : 0;

    if (length > 2 && host[0] == '[') {
        memmove(host, host + 1, length - 2);
        host[length - 2] = '\0';
    }
    return host;
}

static unsigned url_port(CURLU *url)
{
    g_autofree char *port = url_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);

    return port ? (unsigned)strtoul(port, NULL, 10) : 0;
}

static bool set_server(struct kubeconfig *kubeconfig, CURLU *url, const char *text)
{
    g_autofree char *scheme = NULL, *query = NULL;
    size_t length;

    if (curl_url_set(url, CURLUPART_URL, text, CURLU_DEFAULT_SCHEME) != CURLUE_OK)
        return false;
    scheme = url_part(url, CURLUPART_SCHEME, 0);
    query = url_part(url, CURLUPART_QUERY, 0);
    if (query || (g_strcmp0(scheme, "https") != 0 && g_strcmp0(scheme, "http") != 0))
        return false;
    kubeconfig->secure = strcmp(scheme, "https") == 0;
    kubeconfig->host = url_host(url);
    kubeconfig->port = url_port(url);
    kubeconfig->path = url_part(url, CURLUPART_PATH, 0);
    length = kubeconfig->path ? strlen(kubeconfig->path) : 0;
    while (length > 0 && kubeconfig->path[length - 1] == '/')
        kubeconfig->path[--length] = '\0';
    kubeconfig->server = g_strdup(text);
    return kubeconfig->host && kubeconfig->port > 0;
}

/* With the port, for which libcurl has other defaults than kubectl. */
static bool set_proxy(struct kubeconfig *kubeconfig, CURLU *url, const char *text)
{
    static const char *const schemes[] = {"http", "https", "socks5", "socks5h", NULL};
    g_autofree char *scheme = NULL, *port = NULL;

    if (curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
        return false;
    scheme = url_part(url, CURLUPART_SCHEME, 0);
    if (!scheme || !g_strv_contains(schemes, scheme))
        return false;
    kubeconfig->peer = url_host(url);
    kubeconfig->peer_port = url_port(url);
    if (kubeconfig->peer_port == 0)
        kubeconfig->peer_port = 1080;
    port = g_strdup_printf("%u", kubeconfig->peer_port);
    /* The proxy resolves the server's name: here only c-ares might. */
    if (strcmp(scheme, "socks5") == 0 &&
        curl_url_set(url, CURLUPART_SCHEME, "socks5h", CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
        return false;
    if (curl_url_set(url, CURLUPART_PORT, port, 0) == CURLUE_OK)
        kubeconfig->proxy = url_part(url, CURLUPART_URL, 0);
    return kubeconfig->peer && kubeconfig->proxy;
}

static void read_url(struct kubeconfig_reading *reading, struct fields *fields,
                     const struct yaml_node *map, const char *key,
                     bool (*set)(struct kubeconfig *, CURLU *, const char *))
{
    const char *text = fields_string(fields, map, key);
    CURLU *url;

    if (!text)
        return;
    url = curl_url();
    if (!url || !set(reading->kubeconfig, url, text))
        fields_error(fields, yaml_node_get(map, key)->position, "bad-value",
                     "%s must be the URL of a %s", key,
                     set == set_proxy ? "proxy (http, https or socks5)" : "server (https or http)");
    curl_url_cleanup(url);
}

static void read_cluster(struct kubeconfig_reading *reading, struct fields *fields,
                         const struct yaml_node *map)
{
    struct kubeconfig *kubeconfig = reading->kubeconfig;

    read_url(reading, fields, map, "server", set_server);
    read_url(reading, fields, map, "proxy-url", set_proxy);
    if (!kubeconfig->proxy) {
        kubeconfig->peer = g_strdup(kubeconfig->host);
        kubeconfig->peer_port = kubeconfig->port;
    }
    if (!fields_string(fields, map, "server"))
        fields_error(fields, map->position, "missing", "cluster %s has no server",
                     kubeconfig->cluster);
    kubeconfig->tls_name = g_strdup(fields_string(fields, map, "tls-server-name"));
    kubeconfig->insecure = fields_bool(fields, map, "insecure-skip-tls-verify", false);
    kubeconfig->no_compression = fields_bool(fields, map, "disable-compression", false);
    read_secret(reading, fields, map, "certificate-authority", &kubeconfig->ca);
}

static void refuse_credentials(struct fields *fields, const struct yaml_node *map)
{
    static const struct {
        const char *key, *why;
    } refused[] = {
        {"exec", "commands that fetch credentials are not run" WAY_OUT},
        {"auth-provider", "auth-provider plugins are not supported" WAY_OUT},
        {"as", "impersonation is not supported" WAY_OUT},
        {"as-groups", "impersonation is not supported" WAY_OUT},
        {"as-uid", "impersonation is not supported" WAY_OUT},
        {"as-user-extra", "impersonation is not supported" WAY_OUT},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        const struct yaml_node *node = fields_get(fields, map, refused[i].key);

        if (node)
            fields_error(fields, node->key_position, "unsupported", "%s: %s", refused[i].key,
                         refused[i].why);
    }
}

static void read_user(struct kubeconfig_reading *reading, struct fields *fields,
                      const struct yaml_node *map)
{
    struct kubeconfig *kubeconfig = reading->kubeconfig;
    const char *token, *file;

    refuse_credentials(fields, map);
    read_secret(reading, fields, map, "client-certificate", &kubeconfig->certificate);
    read_secret(reading, fields, map, "client-key", &kubeconfig->key);
    if (secret_is_set(&kubeconfig->certificate) != secret_is_set(&kubeconfig->key))
        fields_error(fields, map->position, "missing",
                     "client-certificate and client-key need each other");
    file = fields_string(fields, map, "tokenFile");
    token = fields_string(fields, map, "token");
    if (file)
        kubeconfig->token.path = resolve_path(reading, file);
    else if (token)
        kubeconfig->token.data = g_string_new(token);
    kubeconfig->user = g_strdup(fields_string(fields, map, "username"));
    kubeconfig->password = g_strdup(fields_string(fields, map, "password"));
}

static void on_kubeconfig(void *userdata, struct fields *fields, const struct yaml_node *root)
{
    struct kubeconfig_reading *reading = userdata;
    const char *name = reading->context, *cluster, *user;
    const struct yaml_node *context, *map;

    if (!name)
        name = fields_string(fields, root, "current-context");
    if (!name) {
        fields_error(fields, root->position, "missing", "no current-context, and no --context");
        return;
    }
    context = find_named(fields, root, "contexts", "context", name);
    if (!context) {
        fields_error(fields, root->position, "missing", "no context is named \"%.253s\"", name);
        return;
    }
    cluster = fields_string(fields, context, "cluster");
    user = fields_string(fields, context, "user");
    map = cluster ? find_named(fields, root, "clusters", "cluster", cluster) : NULL;
    if (!map) {
        fields_error(fields, context->position, "missing", "context %.253s names no cluster here",
                     name);
        return;
    }
    reading->kubeconfig->cluster = g_strdup(cluster);
    read_cluster(reading, fields, map);
    map = user ? find_named(fields, root, "users", "user", user) : NULL;
    if (map)
        read_user(reading, fields, map);
    else if (user)
        log_notice("context %s: user %s does not exist or has no credentials; continuing without",
                   name, user);
}

int kubeconfig_read(struct kubeconfig *kubeconfig, const char *path, const char *context)
{
    g_autofree char *directory = g_path_get_dirname(path);
    struct kubeconfig_reading reading = {
        .kubeconfig = kubeconfig, .context = context, .directory = directory};
    int r;

    *kubeconfig = (struct kubeconfig){0};
    r = document_read(path, FILE_SIZE_MAX, NULL, on_kubeconfig, &reading);
    if (r < 0 && r != -EINVAL)
        log_error("%s: %s", path, g_strerror(-r));
    if (r == 0 && !kubeconfig->server) {
        log_error("%s: the file is empty", path);
        r = -EINVAL;
    }
    if (r < 0)
        kubeconfig_clear(kubeconfig);
    else if (!kubeconfig->secure)
        log_warning("%s: %s is not encrypted: anyone on the path can read and change the answers",
                    path, kubeconfig->server);
    else if (kubeconfig->insecure)
        log_warning("%s: insecure-skip-tls-verify: the server's certificate is not checked", path);
    return r;
}

void kubeconfig_clear(struct kubeconfig *kubeconfig)
{
    g_free(kubeconfig->cluster);
    g_free(kubeconfig->server);
    g_free(kubeconfig->host);
    g_free(kubeconfig->path);
    g_free(kubeconfig->tls_name);
    g_free(kubeconfig->proxy);
    g_free(kubeconfig->peer);
    g_free(kubeconfig->user);
    g_free(kubeconfig->password);
    secret_clear(&kubeconfig->ca);
    secret_clear(&kubeconfig->certificate);
    secret_clear(&kubeconfig->key);
    secret_clear(&kubeconfig->token);
    *kubeconfig = (struct kubeconfig){0};
}
