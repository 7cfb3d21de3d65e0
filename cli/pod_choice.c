/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon does not know which process runs as which pod, and need not. Two commands conflict
 * when they bind the same address in one network namespace; so a pod is marked as taken by an
 * abstract socket named after that address, which the kernel removes with the last process holding
 * it, however that ends.
 */
#include "pod_choice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ask.h"
#include "commands.h"
#include "kinds.h"
#include "suggest.h"
#include "text.h"
#include "value.h"

#define MARK_FD 64 /* at least: scripts use the numbers below for themselves */

struct choice {
    const char *what; /* as it was given */
    const char *name;
    const char *kind;    /* of a workload, as "Deployment"; NULL: any */
    GHashTable *members; /* names of a Service's pods; NULL: it is not about a Service */
    bool one;            /* a pod by its name */
    bool private;        /* the daemon is one of this command's own, and ends with it */
    char *workload;      /* that has the name where a pod's was given */
    GPtrArray *pods;     /* yajl_val: those that it can be */
    unsigned seen;
    struct suggestion suggestion;
};

static bool is_member(const struct choice *choice, yajl_val pod, const char *name)
{
    const char *workload = value_text(pod, "workload");
    if (choice->one)
        return strcmp(name, choice->name) == 0;
    if (choice->members)
        return g_hash_table_contains(choice->members, name);
    const char *slash = workload ? strchr(workload, '/') : NULL;
    if (!slash || strcmp(slash + 1, choice->name) != 0)
        return false;
    size_t length = (size_t)(slash - workload);
    return !choice->kind ||
           (strlen(choice->kind) == length && strncmp(workload, choice->kind, length) == 0);
}

/* A pod of a similar name may have been meant, or the workload of this very name. */
static void offer(struct choice *choice, const char *name, const char *workload)
{
    const char *slash = workload ? strchr(workload, '/') : NULL;
    suggestion_offer(&choice->suggestion, name);
    if (!choice->workload && slash && strcmp(slash + 1, choice->name) == 0)
        choice->workload = g_ascii_strdown(workload, -1);
}

static bool consider(void *userdata, yajl_val pod)
{
    struct choice *choice = userdata;
    const char *name = value_text(pod, "name");
    if (!name)
        return false;
    choice->seen++;
    if (is_member(choice, pod, name)) {
        g_ptr_array_add(choice->pods, pod);
        return true;
    }
    if (choice->one)
        offer(choice, name, value_text(pod, "workload"));
    return false;
}

/* Those of a workload that may be meant; *seen counts the one that was. */
static bool consider_workload(void *userdata, yajl_val workload)
{
    struct choice *choice = userdata;
    const char *name = value_text(workload, "name"), *kind = value_text(workload, "kind");
    if (!name || !kind || (choice->kind && strcmp(kind, choice->kind) != 0))
        return false;
    if (strcmp(name, choice->name) == 0)
        choice->seen++;
    else
        suggestion_offer(&choice->suggestion, name);
    return false;
}

static int complain_unknown(const struct choice *choice, const char *what, const char *ns)
{
    const char *kinds = choice->one ? "pods" : choice->members ? "services" : "workloads";
    g_autofree char *remedy = NULL;
    if (choice->workload)
        remedy = g_strdup_printf("did you mean '%s'?", choice->workload);
    else if (choice->suggestion.nearest)
        remedy = g_strdup_printf("did you mean '%s'?", choice->suggestion.nearest);
    else if (choice->private)
        remedy = g_strdup("its manifest says in which namespace it is: choose that with -n");
    else if (choice->seen > 0)
        remedy = g_strdup_printf("see 'kubesvc get %s -n %s'", kinds, ns);
    else
        remedy = g_strdup_printf("see 'kubesvc get %s -A', and name the namespace with -n", kinds);
    text_error(false, remedy, "no %s '%s' in namespace %s", what, choice->name, ns);
    return STATUS_NOT_FOUND;
}

static int complain_empty(const struct arguments *arguments, struct choice *choice, const char *ns)
{
    if (choice->one)
        return complain_unknown(choice, "pod", ns);
    choice->seen = 0;
    if (!choice->members) {
        int status =
            ask(arguments, (const char *[]){"workloads", ns, NULL}, consider_workload, choice);
        if (status == STATUS_FAILED)
            return status;
        if (choice->seen == 0)
            return complain_unknown(choice, choice->kind ? choice->kind : "workload", ns);
    }
    text_error(false,
               choice->private ? "'kubesvc check' may say why"
                               : "see 'kubesvc get workloads' and 'kubesvc explain'",
               "%s in namespace %s has no pods", choice->what, ns);
    return STATUS_NOT_FOUND;
}

static int read_members(const struct arguments *arguments, struct choice *choice, const char *ns)
{
    value_auto yajl_val service = NULL;
    int status = ask_one(arguments, (const char *[]){"describe", ns, choice->name, NULL}, &service);
    if (status == STATUS_NOT_FOUND)
        return complain_unknown(choice, "Service", ns);
    for (size_t i = 0; status == STATUS_DONE && i < value_length(service, "endpointList"); i++) {
        const char *pod = value_text(value_element(service, "endpointList", i), "pod");
        if (pod)
            g_hash_table_add(choice->members, g_strdup(pod));
    }
    return status;
}

/* False after an error message. */
static bool parse(struct choice *choice, char **prefixp)
{
    const char *slash = strchr(choice->what, '/');
    choice->name = slash ? slash + 1 : choice->what;
    choice->one = !slash;
    if (!slash)
        return true;
    g_autofree char *nearest = NULL, *remedy = NULL;
    *prefixp = g_strndup(choice->what, (gsize)(slash - choice->what));
    const struct kind *kind = kind_find(*prefixp, &nearest);
    if (kind && strcmp(kind->verb, "pods") == 0)
        choice->one = true;
    else if (kind && strcmp(kind->verb, "services") == 0)
        choice->members = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    else if (kind && strcmp(kind->verb, "workloads") == 0)
        choice->kind = kind->only;
    else {
        remedy = nearest ? g_strdup_printf("did you mean '%s'?", nearest)
                         : g_strdup("such as pod/web-0, deploy/web, sts/db or svc/web");
        text_error(false, remedy, "'%s' is not a kind that has pods", *prefixp);
        return false;
    }
    return true;
}

/* Pods that are ready come first. */
static int compare_pods(gconstpointer a, gconstpointer b)
{
    yajl_val x = *(const yajl_val *)a, y = *(const yajl_val *)b;
    bool ready = value_bool(x, "ready");
    if (ready != value_bool(y, "ready"))
        return ready ? -1 : 1;
    return text_compare(value_text(x, "name"), value_text(y, "name"));
}

/* Pods in the host's network share its address, and are distinguished by their names. */
static char *mark_of(yajl_val pod)
{
    g_autofree char *addresses = value_joined(pod, "addresses", ",");
    if (value_is(pod, "origin", "node")) {
        /* Both together may be longer than a socket's name. */
        g_autofree char *whole =
            g_strdup_printf("%s/%s", value_text(pod, "namespace"), value_text(pod, "name"));
        g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, whole, -1);
        return g_strconcat("kubesvc-run/", sum, NULL);
    }
    return g_strdup_printf("kubesvc-run/%.*s", (int)strcspn(addresses, ","), addresses);
}

/* The descriptor is left open for what is executed. False: the pod is taken. */
static bool mark(yajl_val pod)
{
    g_autofree char *name = mark_of(pod);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    if (length >= sizeof address.sun_path)
        return true;
    int low = socket(AF_UNIX, SOCK_STREAM, 0), fd;
    if (low < 0)
        return true;
    memcpy(address.sun_path + 1, name, length);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
    if (bind(low, (const struct sockaddr *)&address, size) < 0) {
        bool taken = errno == EADDRINUSE;
        close(low);
        return !taken;
    }
    fd = fcntl(low, F_DUPFD, MARK_FD);
    if (fd >= 0)
        close(low);
    return true;
}

static int take_free(const struct choice *choice, yajl_val *podp)
{
    GPtrArray *pods = choice->pods;
    for (guint i = 0; i < pods->len; i++)
        if (mark(pods->pdata[i])) {
            *podp = pods->pdata[i];
            pods->pdata[i] = NULL;
            return STATUS_DONE;
        }
    if (choice->one) { /* by its name it is had a second time, too */
        *podp = g_steal_pointer(&pods->pdata[0]);
        return STATUS_DONE;
    }
    g_autofree char *n = text_plural(pods->len, "pod");
    text_error(false, "raise its replicas, or name the pod to run as",
               "%s has %s, all of which run already", choice->what, n);
    return STATUS_FAILED;
}

static int choose(const struct arguments *arguments, struct choice *choice, const char *ns,
                  yajl_val *podp)
{
    int status = choice->members ? read_members(arguments, choice, ns) : STATUS_DONE;
    if (status != STATUS_DONE)
        return status;
    status = ask(arguments, (const char *[]){"pods", ns, NULL}, consider, choice);
    if (status == STATUS_FAILED)
        return status;
    if (choice->pods->len == 0)
        return complain_empty(arguments, choice, ns);
    g_ptr_array_sort(choice->pods, compare_pods);
    return take_free(choice, podp);
}

int pod_choose(const struct arguments *arguments, const char *ns, const char *what, yajl_val *podp)
{
    struct choice choice = {.what = what, .private = arguments->manifests[0]};
    g_autofree char *prefix = NULL;
    if (!parse(&choice, &prefix))
        return STATUS_FAILED;
    choice.suggestion.word = choice.name;
    choice.pods = g_ptr_array_new_with_free_func((GDestroyNotify)yajl_tree_free);
    int status = choose(arguments, &choice, ns, podp);
    g_ptr_array_unref(choice.pods);
    g_clear_pointer(&choice.members, g_hash_table_unref);
    g_free(choice.suggestion.nearest);
    g_free(choice.workload);
    return status;
}
