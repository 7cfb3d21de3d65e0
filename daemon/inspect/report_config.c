/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report of the configuration: what is in force, where it comes from, and whether a reload
 * would change it. The files are read again for that; nothing is remembered about them that could
 * differ from what a reload would find.
 */
#include "daemon/config/config_sources.h"
#include "report.h"

static void put_directories(struct json *json, const GPtrArray *directories)
{
    json_open_list(json, "value");
    for (guint i = 0; i < directories->len; i++) {
        const struct config_directory *directory = directories->pdata[i];

        json_open(json, NULL);
        json_text(json, "path", directory->path);
        json_bool(json, "recursive", directory->recursive);
        json_text(json, "namespace", directory->ns);
        json_bool(json, "allocate", directory->allocate);
        json_text(json, "zone", directory->zone);
        json_close(json);
    }
    json_close_list(json);
}

static void put_dns(struct json *json, const struct config_dns *dns)
{
    json_open(json, "value");
    json_texts(json, "listen", dns->listen);
    json_texts(json, "forward", dns->forward);
    json_text(json, "namespace", dns->ns);
    json_number(json, "ttl", dns->ttl);
    json_close(json);
}

static void put_sources(struct json *json, const GPtrArray *sources)
{
    json_open_list(json, "value");
    for (guint i = 0; i < sources->len; i++) {
        const struct config_source *source = sources->pdata[i];

        json_open(json, NULL);
        json_open(json, config_runtime_name(source->runtime));
        json_text(json, "directory", source->directory);
        json_text(json, "logs", source->logs);
        json_text(json, "manifests", source->manifests);
        json_text(json, "node", source->node);
        json_texts(json, "networks", source->networks);
        json_close(json);
        json_close(json);
    }
    json_close_list(json);
}

static const char *pods_word(enum kubesvc_pod_names pods)
{
    switch (pods) {
    case KUBESVC_PODS_VERIFIED: return "verified";
    case KUBESVC_PODS_INSECURE: return "insecure";
    case KUBESVC_PODS_DISABLED: break;
    }
    return "disabled";
}

static void put_proxy(struct json *json, const struct config *config)
{
    json_open(json, "value");
    json_text(json, "services", config->proxy_all ? "all" : "allocated");
    json_close(json);
}

static void put_value(struct json *json, const struct config *config, enum config_key key)
{
    switch (key) {
    case CONFIG_ZONE: json_text(json, "value", config->zone); break;
    case CONFIG_NAMESPACE: json_text(json, "value", config->ns); break;
    case CONFIG_MANIFESTS: put_directories(json, config->manifests); break;
    case CONFIG_SERVICE_CIDRS: json_ranges(json, "value", config->service_cidrs); break;
    case CONFIG_POD_CIDRS: json_ranges(json, "value", config->pod_cidrs); break;
    case CONFIG_NODE_IPS: json_address_array(json, "value", config->node_ips); break;
    case CONFIG_ALLOCATE: json_bool(json, "value", config->allocate); break;
    case CONFIG_PODS: json_text(json, "value", pods_word(config->pods)); break;
    case CONFIG_NAMESPACES: json_texts(json, "value", config->namespaces); break;
    case CONFIG_FALLTHROUGH: json_bool(json, "value", config->fallthrough); break;
    case CONFIG_SEARCH: json_texts(json, "value", config->search); break;
    case CONFIG_NDOTS: json_number(json, "value", config->ndots); break;
    case CONFIG_MAX_FILE_SIZE: json_number(json, "value", config->max_file_size); break;
    case CONFIG_ENDPOINT_POD_NAMES: json_bool(json, "value", config->endpoint_pod_names); break;
    case CONFIG_IGNORE_EMPTY_SERVICE: json_bool(json, "value", config->ignore_empty_service); break;
    case CONFIG_NAMESERVERS: json_text_array(json, "value", config->nameservers); break;
    case CONFIG_LOOKUPS: json_text(json, "value", config->maps ? "mapped" : "socket"); break;
    case CONFIG_PROXY: put_proxy(json, config); break;
    case CONFIG_DNS: put_dns(json, &config->dns); break;
    case CONFIG_SOURCES: put_sources(json, config->sources); break;
    case CONFIG_SOCKET: json_text(json, "value", config->socket); break;
    case CONFIG_STATE: json_text(json, "value", config->state); break;
    case CONFIG_KEYS: break;
    }
}

static void put_origin(struct json *json, const struct config_origin *origin)
{
    json_text(json, "source", origin->path ? "file" : origin->option ? "option" : "default");
    json_text(json, "file", origin->path);
    if (origin->path)
        json_number(json, "line", origin->line);
    json_text(json, "option", origin->option);
}

static char *values_of(const struct config *config)
{
    GString *text = g_string_new(NULL);
    struct json *json = json_new(false, json_to_string, text);

    json_open_list(json, NULL);
    for (enum config_key key = 0; key < CONFIG_KEYS; key++) {
        json_open(json, NULL);
        put_value(json, config, key);
        json_close(json);
    }
    json_close_list(json);
    json_free(json);
    return g_string_free(text, FALSE);
}

static bool same_values(const struct config *a, const struct config *b)
{
    g_autofree char *first = values_of(a), *second = values_of(b);

    return g_strcmp0(first, second) == 0;
}

static void put_files_now(const struct report *report)
{
    const struct inspect_context *context = report->context;
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    struct config *now = NULL;
    int r = config_load_texts(&now, context->options, problems);

    json_bool(report->json, "changed", r != 0 || !same_values(context->config, now));
    if (r != 0)
        json_text_array(report->json, "problems", problems);
    config_free(now);
}

void report_config_keys(const struct report *report)
{
    const struct inspect_context *context = report->context;
    struct json *json = report->json;

    json_text_array(json, "files", context->config->files);
    json_number(json, "reloads", context->reloads);
    json_number(json, "reloadsBegun", context->reloads_begun);
    if (context->refusal->len > 0) {
        json_open(json, "rejected");
        json_time(json, "since", context->refused);
        json_text_array(json, "errors", context->refusal);
        json_close(json);
    }
    put_files_now(report);
}

enum kubesvc_inspect_result report_config(const struct report *report)
{
    const struct config *config = report->context->config;
    struct json *json = report->json;

    json_open(json, NULL);
    report_config_keys(report);
    json_open_list(json, "settings");
    for (enum config_key key = 0; key < CONFIG_KEYS; key++) {
        json_open(json, NULL);
        json_text(json, "key", config_key_name(key));
        put_value(json, config, key);
        put_origin(json, &config->origins[key]);
        json_close(json);
    }
    json_close_list(json);
    json_close_line(json);
    return KUBESVC_INSPECT_DONE;
}
