/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc describe: of a Service kubectl's fields in kubectl's order, then what only kubesvc knows:
 * names, every endpoint with its reason, the file and line of each fact.
 */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "commands.h"
#include "describe_pod.h"
#include "json_text.h"
#include "kinds.h"
#include "print_fields.h"
#include "table.h"
#include "value.h"

static void print_pairs(const char *label, yajl_val object)
{
    if (!YAJL_IS_OBJECT(object) || object->u.object.len == 0) {
        field(label, NULL);
        return;
    }
    for (size_t i = 0; i < object->u.object.len; i++) {
        yajl_val value = object->u.object.values[i];
        field_format(i == 0 ? label : "", "%s=%s", object->u.object.keys[i],
                     YAJL_IS_STRING(value) ? YAJL_GET_STRING(value) : "");
    }
}

/* What is behind the cluster IP. */
static void print_forwarding(yajl_val service)
{
    const char *forwarder = value_text(service, "forwarder");
    bool falls_back =
        value_number(service, "endpoints") == 0 && value_number(service, "terminating") > 0;
    if (!value_get(service, "forwarded"))
        return;
    if (!value_bool(service, "forwarded"))
        field("Forwarding", "left to the owner of the address");
    else if (forwarder)
        field_format("Forwarding", "to %s, by %s",
                     falls_back ? "terminating endpoints, because none is ready" : "the endpoints",
                     forwarder);
    else
        field_styled("Forwarding", "none: no kubesvc-proxy is running", STYLE_WARN);
}

static void print_addresses(yajl_val service)
{
    g_autofree char *all = value_joined(service, "clusterIPs", ",");
    if (value_bool(service, "headless"))
        field("IP", value_bool(service, "asHeadless")
                        ? "None (its endpoints are stated or run here, so no address was allocated)"
                        : "None");
    else if (*all)
        field_format("IP", "%s (%s)", all, value_text_or(service, "origin", "stated"));
    else
        field("IP", NULL);
    print_forwarding(service);
    if (value_text(service, "externalName"))
        field("External Name", value_text(service, "externalName"));
}

static void print_ports(yajl_val service)
{
    for (size_t i = 0; i < value_length(service, "ports"); i++) {
        yajl_val port = value_element(service, "ports", i), target = value_get(port, "targetPort");
        const char *protocol = value_text_or(port, "protocol", "TCP");
        field_format("Port", "%s  %" G_GINT64_FORMAT "/%s", value_text_or(port, "name", "<unset>"),
                     value_number(port, "port"), protocol);
        if (YAJL_IS_STRING(target))
            field_format("TargetPort", "%s/%s", YAJL_GET_STRING(target), protocol);
        else if (target)
            field_format("TargetPort", "%" G_GINT64_FORMAT "/%s", value_number(port, "targetPort"),
                         protocol);
    }
}

static void print_endpoint_table(yajl_val service)
{
    size_t n = value_length(service, "endpointList");
    field_section("Endpoints");
    if (n == 0) {
        puts(value_text(service, "externalName") ? "  <none>"
                                                 : "  <none>; 'kubesvc explain' shows which pods "
                                                   "were considered and why none counts");
        return;
    }
    struct table *table = table_new("  ADDRESS|READY|POD|LABEL|ORIGIN|WHY NOT|FROM");
    for (size_t i = 0; i < n; i++) {
        yajl_val endpoint = value_element(service, "endpointList", i);
        table_row(table, g_strdup_printf("  %s", value_text_or(endpoint, "address", "<none>")),
                  g_strdup(value_bool(endpoint, "ready") ? "true" : "false"),
                  g_strdup(value_text(endpoint, "pod")), g_strdup(value_text(endpoint, "label")),
                  g_strdup(value_text(endpoint, "origin")),
                  g_strdup(value_text_or(endpoint, "why", "-")),
                  value_position(endpoint, "position"));
    }
    table_sort(table);
    table_print(table, true);
}

static void print_names(yajl_val service)
{
    bool silent = value_bool(service, "headless") && value_number(service, "endpoints") == 0;
    field_section(silent ? "Names that will resolve when an endpoint is ready" : "Names");
    if (value_length(service, "names") == 0)
        puts("  <none>");
    for (size_t i = 0; i < value_length(service, "names"); i++) {
        const char *name = value_element_text(service, "names", i);
        text_line(2, "%s", name ? name : "<none>");
    }
}

static void print_sources(yajl_val service, const char *key, const char *title)
{
    size_t n = value_length(service, key);
    if (n == 0)
        return;
    field_section(title);
    for (size_t i = 0; i < n; i++) {
        yajl_val source = value_element(service, key, i);
        const char *kind = value_text(source, "kind");
        g_autofree char *place = value_place(source);
        text_line(2, "%s%s%s%s%s", place, kind ? " " : "", kind ? kind : "", kind ? "/" : "",
                  kind ? value_text_or(source, "name", "") : "");
    }
}

static void print_text(yajl_val service)
{
    g_autofree char *position = value_position(service, "position");
    field("Name", value_text(service, "name"));
    field("Namespace", value_text(service, "namespace"));
    print_pairs("Labels", value_get(service, "labels"));
    print_pairs("Selector", value_get(service, "selector"));
    field("Type", value_text(service, "type"));
    print_addresses(service);
    print_ports(service);
    field_format("Endpoints", "%" G_GINT64_FORMAT " ready", value_number(service, "endpoints"));
    if (value_bool(service, "publishNotReadyAddresses"))
        field("Not Ready", "published, too");
    if (!value_bool(service, "exposed"))
        field_styled("Exposed", "no: `namespaces` of the configuration leaves its namespace out",
                     STYLE_WARN);
    field("From", position);
    print_names(service);
    print_endpoint_table(service);
    print_sources(service, "sources", "Sources");
    print_sources(service, "shadowed", "Also defined, and overridden, in");
}

struct subject {
    const char *name;
    bool pod; /* else a Service */
};

static int find(const struct subject *subject, const char *ns, const struct arguments *arguments,
                yajl_val *itemp)
{
    const char *words[] = {"describe", ns, subject->name, NULL};
    int status = subject->pod ? describe_pod_find(arguments, ns, subject->name, itemp)
                              : ask_one(arguments, words, itemp);
    if (status == STATUS_NOT_FOUND)
        text_error(arguments->json,
                   subject->pod ? "'kubesvc get pods -A' lists all"
                                : "'kubesvc get services -A' lists all, 'kubesvc explain' says why",
                   "%s \"%s\" not found in namespace %s", subject->pod ? "pods" : "services",
                   subject->name, ns);
    return status;
}

/* What was printed so far. */
struct output {
    struct json *json; /* NULL: as text */
    bool list;         /* of several */
    unsigned n;
};

static void print_json(const struct output *output, yajl_val item)
{
    if (output->list && output->n == 0)
        json_open_items(output->json);
    json_value(output->json, NULL, item);
}

static int describe(const struct subject *subject, const char *ns,
                    const struct arguments *arguments, struct output *output)
{
    value_auto yajl_val item = NULL;
    int status = find(subject, ns, arguments, &item);
    if (status != STATUS_DONE)
        return status;
    if (!output->json && output->n > 0)
        puts("\n");
    if (output->json)
        print_json(output, item);
    else if (subject->pod)
        status = describe_pod_print(arguments, item);
    else
        print_text(item);
    output->n++;
    return status;
}

/* False if such objects are not described; prints an error. */
static bool take_kind(const char *word, struct subject *subject, bool json)
{
    g_autofree char *nearest = NULL;
    const struct kind *kind = kind_find(word, &nearest);
    subject->pod = kind && strcmp(kind->verb, "pods") == 0;
    if (subject->pod || (kind && strcmp(kind->verb, "services") == 0))
        return true;
    text_error(json, "use 'kubesvc describe service NAME'; 'kubesvc get' lists other kinds",
               "only Services and Pods can be described, not '%s'", word);
    return false;
}

/* "service web db" or "service/web pod/db-0"; NULL after an error message. */
static GArray *subjects_of(const struct arguments *arguments)
{
    g_autoptr(GArray) subjects = g_array_new(FALSE, FALSE, sizeof(struct subject));
    bool pairs = strchr(arguments->operands[0], '/');
    struct subject subject = {0};
    if (!pairs && !take_kind(arguments->operands[0], &subject, arguments->json))
        return NULL;
    for (int i = pairs ? 0 : 1; i < arguments->n; i++) {
        char *slash = strchr(arguments->operands[i], '/');
        g_autofree char *kind = pairs && slash ? g_strndup(arguments->operands[i],
                                                           (gsize)(slash - arguments->operands[i]))
                                               : NULL;
        if (kind && !take_kind(kind, &subject, arguments->json))
            return NULL;
        subject.name = kind ? slash + 1 : arguments->operands[i];
        g_array_append_val(subjects, subject);
    }
    if (subjects->len == 0) {
        text_error(arguments->json,
                   subject.pod ? "'kubesvc get pods' lists them"
                               : "'kubesvc get services' lists them",
                   "'describe %s' requires a name", arguments->operands[0]);
        return NULL;
    }
    return g_steal_pointer(&subjects);
}

static int run(struct arguments *arguments)
{
    g_autoptr(GArray) subjects = subjects_of(arguments);
    if (!subjects)
        return STATUS_FAILED;
    g_autofree char *ns = ask_known_namespace(arguments);
    if (!ns)
        return STATUS_FAILED;
    int status = STATUS_DONE;
    struct output output = {.json = arguments->json ? json_text_new(stdout, true) : NULL,
                            .list = subjects->len > 1};
    for (guint i = 0; i < subjects->len && status != STATUS_FAILED; i++) {
        int r = describe(&g_array_index(subjects, struct subject, i), ns, arguments, &output);
        status = r == STATUS_DONE ? status : r;
    }
    if (output.json && output.list && output.n > 0)
        json_close_items(output.json);
    json_free(output.json);
    return status;
}

const struct command command_describe = {
    .name = "describe",
    .summary = "show all about a Service or Pod, including what is left out",
    .operands = "service|pod NAME... | service/NAME...",
    .description = "Shows a Service, the names it has, its endpoints with their readiness and why\n"
                   "others are left out, and the file and line that each fact comes from; or a\n"
                   "Pod, which may be a replica of a workload, and the Services that select it.\n",
    .examples = "  kubesvc describe service web\n"
                "  kubesvc describe svc/web -n moon\n"
                "  kubesvc describe svc web -o json\n"
                "  kubesvc describe pod db-0\n",
    .takes = TAKES_SOCKET | TAKES_NAMESPACE | TAKES_JSON,
    .least = 1,
    .most = -1,
    .run = run,
};
