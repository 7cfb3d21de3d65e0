/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc run: a command as one of the pods. It is executed in this very process, so that signals,
 * the terminal and the exit status are its own; before that, its environment is set up as a pod
 * finds it. The daemon decides where the pod's address comes from and makes the names lead there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "commands.h"
#include "container_variables.h"
#include "inspect_client.h"
#include "lib/util/address.h"
#include "lib/util/host_addresses.h"
#include "pod_choice.h"
#include "pod_manifest.h"
#include "pod_room.h"
#include "private_daemon.h"
#include "service_variables.h"
#include "text.h"
#include "value.h"

#define STATUS_NOT_EXECUTABLE 126 /* as env(1) and the shells have it */
#define STATUS_NO_COMMAND 127
#define HOSTNAME_MAX 63u
#define KERNEL_NAME_MAX 64u
#define ERRORS_SHOWN 10u

/* The pod and its data. */
struct run {
    const struct arguments *arguments;
    const char *ns; /* as the daemon has it, NAMESPACE@ZONE in another zone */
    char *label;    /* as the pod has it */
    yajl_val pod, config;
    char *addresses;              /* separated by commas */
    char *hostname, *kernel_name; /* the latter: what uname says */
    const char *subdomain;        /* NULL: none */
    char *node_name, *node_addresses;
    bool host_network;
    struct pod_manifest manifest;
};

static void run_clear(struct run *run)
{
    value_release(&run->pod);
    value_release(&run->config);
    g_free(run->label);
    g_free(run->addresses);
    g_free(run->hostname);
    g_free(run->kernel_name);
    g_free(run->node_name);
    g_free(run->node_addresses);
}

static void set(const char *name, const char *value)
{
    g_setenv(name, value, TRUE);
}

/* --- What it is told -------------------------------------------------------------------------- */

struct adding {
    GHashTable *variables;
    const char *ns;
    bool links;
};

static bool add_service(void *userdata, yajl_val service)
{
    const struct adding *adding = userdata;
    service_variables_add(adding->variables, service, adding->ns, adding->links);
    return false;
}

/* Those of the pod's namespace, and the API server's. */
static int read_services(struct run *run, GHashTable *variables)
{
    g_autofree char *master = g_strconcat("default", strchr(run->ns, '@'), NULL);
    const char *const namespaces[] = {master, run->ns};
    struct adding adding = {
        variables, run->label,
        fields_bool(&run->manifest.fields, run->manifest.spec, "enableServiceLinks", true)};
    for (size_t i = 0; i < G_N_ELEMENTS(namespaces); i++) {
        if (i > 0 && strcmp(run->ns, namespaces[0]) == 0)
            break;
        int status = ask(run->arguments, (const char *[]){"services", namespaces[i], NULL},
                         add_service, &adding);
        if (status == STATUS_FAILED)
            return status;
    }
    return STATUS_DONE;
}

static void set_all(GHashTable *variables)
{
    GHashTableIter iter;
    gpointer name, value;
    g_hash_table_iter_init(&iter, variables);
    while (g_hash_table_iter_next(&iter, &name, &value))
        set(name, value);
}

static void set_container(struct run *run, const struct yaml_node *container, GHashTable *services)
{
    g_autoptr(GHashTable) wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) variables =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    const struct pod_facts facts = {
        .ns = run->label,
        .name = value_text(run->pod, "name"),
        .addresses = run->addresses,
        .node_name = run->node_name,
        .node_addresses = run->node_addresses,
        .workload = value_text(run->pod, "workload"),
    };
    container_variables_needs(&run->manifest, container, wanted);
    pod_manifest_read_data(&run->manifest, wanted, run->ns, run->config);
    container_variables_add(&run->manifest, container, &facts, services, variables);
    set_all(variables);
}

static int complain_container(const struct run *run)
{
    text_error(false, NULL, "the pod %s has no container '%s'", value_text(run->pod, "name"),
               run->arguments->container);
    return STATUS_NOT_FOUND;
}

static void set_identity(const struct run *run)
{
    g_autofree char *socket = g_canonicalize_filename(run->arguments->socket, NULL);
    g_autofree char *first = g_strndup(run->addresses, strcspn(run->addresses, ","));
    set("POD_NAME", value_text(run->pod, "name"));
    set("POD_NAMESPACE", run->label);
    set("POD_IP", first);
    set("POD_IPS", run->addresses);
    set("HOSTNAME", run->host_network ? run->node_name : run->kernel_name);
    set("KUBESVC_NAMESPACE", run->ns);
    /* the command's questions go where ours went, wherever it goes itself */
    set("KUBESVC_SOCKET", socket);
}

static int set_variables(struct run *run)
{
    const char *wanted = run->arguments->container;
    g_autoptr(GHashTable) services = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    const struct yaml_node *container = pod_manifest_container(&run->manifest, wanted);
    if (wanted && !container && run->manifest.spec)
        return complain_container(run);
    int status = read_services(run, services);
    if (status != STATUS_DONE)
        return status;
    set_identity(run);
    set_all(services);
    if (container)
        set_container(run, container, services);
    pod_manifest_complain(&run->manifest);
    return STATUS_DONE;
}

/* --- What is known of it ---------------------------------------------------------------------- */

/* A host name has 63 bytes, a pod's name more: kubelet cuts it. */
static char *cut_hostname(const char *name)
{
    char *hostname = g_strndup(name, HOSTNAME_MAX);
    size_t length = strlen(hostname);
    while (length > 0 && (hostname[length - 1] == '-' || hostname[length - 1] == '.'))
        hostname[--length] = '\0';
    return hostname;
}

static const char *zone_of(const struct run *run)
{
    const char *at = strchr(run->ns, '@');
    return at ? at + 1
              : value_text_or(value_setting(run->config, "zone"), "value", "cluster.local");
}

/* What the pod sees of itself, unlike the names under which others find it. */
static void read_hostname(struct run *run)
{
    struct fields *fields = &run->manifest.fields;
    const char *override = fields_string(fields, run->manifest.spec, "hostnameOverride");
    const char *subdomain = value_text(run->pod, "subdomain");
    bool whole =
        !run->host_network && fields_bool(fields, run->manifest.spec, "setHostnameAsFQDN", false);
    run->subdomain = override ? NULL : subdomain;
    run->hostname = cut_hostname(
        override ? override : value_text_or(run->pod, "hostname", value_text(run->pod, "name")));
    run->kernel_name = whole && run->subdomain
                           ? g_strdup_printf("%s.%s.%s.svc.%s", run->hostname, run->subdomain,
                                             run->label, zone_of(run))
                           : g_strdup(run->hostname);
    if (strlen(run->kernel_name) <= KERNEL_NAME_MAX)
        return;
    text_error(false, NULL, "the host name %s has more than %u characters; %s is used instead",
               run->kernel_name, KERNEL_NAME_MAX, run->hostname);
    g_free(run->kernel_name);
    run->kernel_name = g_strdup(run->hostname);
}

/* "127.244.0.1,fd00::1", NULL if it has none. */
static char *read_addresses(yajl_val pod)
{
    char *addresses = value_joined(pod, "addresses", ",");
    if (!*addresses)
        g_clear_pointer(&addresses, g_free);
    return addresses;
}

/* Those of the configuration, else those that the daemon finds itself. */
static char *read_node_addresses(yajl_val config)
{
    char *stated = value_joined(value_setting(config, "nodeIPs"), "value", ",");
    if (*stated)
        return stated;
    g_autoptr(GArray) addresses = g_array_new(FALSE, FALSE, sizeof(struct address));
    GString *out = g_string_new(NULL);
    g_free(stated);
    host_addresses(addresses);
    for (guint i = 0; i < addresses->len; i++) {
        char text[ADDRESS_TEXT_MAX];
        address_format(&g_array_index(addresses, struct address, i), text);
        g_string_append_printf(out, "%s%s", i > 0 ? "," : "", text);
    }
    return g_string_free(out, FALSE);
}

static int find_pod(struct run *run)
{
    int status = pod_choose(run->arguments, run->ns, run->arguments->operands[0], &run->pod);
    if (status != STATUS_DONE)
        return status;
    if (value_text(run->pod, "namespace")) /* in lower case, without "@" in the main zone */
        run->ns = value_text(run->pod, "namespace");
    run->label = g_strndup(run->ns, strcspn(run->ns, "@"));
    run->addresses = read_addresses(run->pod);
    if (!run->addresses) {
        text_error(false,
                   "give it one with the annotation kubesvc.io/addresses, or let the daemon "
                   "allocate one",
                   "the pod %s in namespace %s has no address", value_text(run->pod, "name"),
                   run->ns);
        return STATUS_FAILED;
    }
    status = ask_one(run->arguments, (const char *[]){"config", NULL}, &run->config);
    if (status != STATUS_DONE)
        return STATUS_FAILED;
    run->host_network = value_is(run->pod, "origin", "node");
    run->node_name = g_strdup(g_get_host_name());
    run->node_addresses = read_node_addresses(run->config);
    return STATUS_DONE;
}

/* --- Running it ------------------------------------------------------------------------------- */

static void enter_room(struct run *run)
{
    g_autofree char *aliases = pod_manifest_aliases(&run->manifest);
    const struct pod_identity identity = {
        .hostname = run->hostname,
        .kernel_name = run->host_network ? NULL : run->kernel_name,
        .subdomain = run->subdomain,
        .ns = run->label,
        .zone = zone_of(run),
        .addresses = run->addresses,
    };
    pod_room_enter(&identity, aliases);
}

static int execute(char **command)
{
    execvp(command[0], command);
    int error = errno;
    text_error(false, NULL, "cannot run '%s': %s", command[0], g_strerror(error));
    return error == ENOENT ? STATUS_NO_COMMAND : STATUS_NOT_EXECUTABLE;
}

static int run_pod(struct run *run)
{
    int status = find_pod(run);
    if (status != STATUS_DONE)
        return status;
    pod_manifest_init(&run->manifest, run->pod, run->config);
    read_hostname(run);
    status = set_variables(run);
    if (status == STATUS_DONE && !run->arguments->no_namespaces)
        enter_room(run);
    pod_manifest_clear(&run->manifest);
    return status == STATUS_DONE ? execute(run->arguments->operands + 1) : status;
}

/* Errors in the manifests, which a private daemon has reported nowhere else. */
static void report_errors(const struct arguments *arguments)
{
    value_auto yajl_val status = NULL;
    if (ask_quietly(arguments, (const char *[]){"status", NULL}, &status) != KUBESVC_INSPECT_DONE)
        return;
    for (size_t i = 0, shown = 0; i < value_length(status, "errors"); i++) {
        yajl_val error = value_element(status, "errors", i);
        g_autofree char *place = value_place(error);
        const char *object = value_text(error, "object"), *message = value_text(error, "message");
        if (!place || !message || !value_is(error, "severity", "error"))
            continue;
        if (shown++ == ERRORS_SHOWN) {
            text_error(false, "'kubesvc check' shows all", "there is more wrong with them");
            return;
        }
        text_error(false, NULL, "%s: %s%s%s", place, object ? object : "", object ? ": " : "",
                   message);
    }
}

static bool manifests_exist(const struct arguments *arguments)
{
    for (const char *const *path = arguments->manifests; *path; path++)
        if (access(*path, R_OK) < 0) {
            text_error(false, NULL, "%s: %s", *path, g_strerror(errno));
            return false;
        }
    return true;
}

/* --manifests: the daemon to ask is one of this command's own. */
static int start_daemon(struct arguments *arguments, char **socketp)
{
    const char *given = arguments->ns ? arguments->ns : getenv("KUBESVC_NAMESPACE");
    g_autofree char *ns = given && *given ? g_ascii_strdown(given, -1) : NULL;
    if (!arguments->manifests[0])
        return STATUS_DONE;
    if (!manifests_exist(arguments))
        return STATUS_FAILED;
    int status = private_daemon_start(arguments->manifests, ns, socketp);
    if (status != STATUS_DONE)
        return status;
    arguments->socket = *socketp;
    report_errors(arguments);
    return STATUS_DONE;
}

static int run_command(struct arguments *arguments)
{
    g_autofree char *socket = NULL;
    int status = start_daemon(arguments, &socket);
    if (status != STATUS_DONE)
        return status;
    g_autofree char *ns = ask_known_namespace(arguments);
    if (!ns)
        return STATUS_FAILED;
    struct run run = {.arguments = arguments, .ns = ns};
    status = run_pod(&run);
    run_clear(&run);
    return status;
}

const struct command command_run = {
    .name = "run",
    .summary = "run a command as one of the pods",
    .operands = "POD|KIND/NAME -- COMMAND [ARGUMENT...]",
    .description =
        "Runs the command as a pod, to try out on one machine what runs as several pods in\n"
        "a cluster. KIND/NAME, such as deploy/web, sts/db or svc/web, selects a pod of it as\n"
        "which no command runs yet. The command gets the variables of its container (env,\n"
        "envFrom, those of Services) and POD_NAME, POD_NAMESPACE, POD_IP, POD_IPS, HOSTNAME\n"
        "and KUBESVC_NAMESPACE. Where namespaces are allowed, it also gets the pod's host\n"
        "name, /etc/hosts and an /etc/nsswitch.conf that asks kubesvc. A server that binds\n"
        "to POD_IP is found under the names of the pod's Services.\n"
        "Exit status: that of the command; 1 for a failure, 2 if there is no such pod, 126 or\n"
        "127 if the command cannot be run.\n",
    .examples = "  kubesvc run app-0 -- ./server\n"
                "  kubesvc run -n moon db-1 -- sh -c 'echo $POD_IP; getent hosts db'\n"
                "  kubesvc run deploy/web -c sidecar -- env\n"
                "  kubesvc run --manifests k8s/ db-0 -- curl http://web/\n"
                "  for i in 0 1 2; do kubesvc run app-$i -- ./server & done\n",
    .takes = TAKES_SOCKET | TAKES_NAMESPACE | TAKES_RUN,
    .least = 2,
    .most = -1,
    .run = run_command,
};
