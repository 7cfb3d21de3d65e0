/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc run: a command as one of the pods. It only tells the command who it is; where the pod's
 * address comes from, and that the names lead there, is the daemon's doing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "ask.h"
#include "commands.h"
#include "suggest.h"
#include "text.h"
#include "value.h"

#define STATUS_NOT_EXECUTABLE 126 /* as env(1) and the shells have it */
#define STATUS_NO_COMMAND 127

static const struct synopsis synopsis = {
    .name = "run",
    .operands = "POD -- COMMAND [ARGUMENT...]",
    .description =
        "Runs the command as a pod, for trying out on one machine what runs as several\n"
        "pods in a cluster. Sets POD_NAME, POD_NAMESPACE, POD_IP, POD_IPS (with commas),\n"
        "HOSTNAME and KUBESVC_NAMESPACE, so that short names mean the pod's namespace. A\n"
        "server that binds to POD_IP is found under the names of the pod's Services.\n"
        "Exit status: the command's; 2 if there is no such pod, 126 or 127 if the command\n"
        "cannot be run.\n",
    .examples = "  kubesvc run app-0 -- ./server\n"
                "  kubesvc run -n moon db-1 -- sh -c 'echo $POD_IP; getent hosts db'\n"
                "  for i in 0 1 2; do kubesvc run app-$i -- ./server & done\n",
    .takes = TAKES_SOCKET | TAKES_NAMESPACE,
    .least = 2,
    .most = -1,
};

struct search {
    const char *name;
    yajl_val found; /* NULL: not yet */
    struct suggestion suggestion;
    unsigned pods;
};

static bool consider(void *userdata, yajl_val pod)
{
    struct search *search = userdata;
    const char *name = value_text(pod, "name");
    if (!name)
        return false;
    search->pods++;
    if (!search->found && strcmp(name, search->name) == 0) {
        search->found = pod;
        return true;
    }
    suggestion_offer(&search->suggestion, name);
    return false;
}

static void complain_unknown(const struct search *search, const char *namespace)
{
    g_autofree char *remedy = NULL;
    if (search->suggestion.nearest)
        remedy = g_strdup_printf("did you mean '%s'?", search->suggestion.nearest);
    else if (search->pods > 0)
        remedy = g_strdup_printf("see 'kubesvc get pods -n %s'", namespace);
    else
        remedy = g_strdup("see 'kubesvc get pods -A', and name the namespace with -n");
    text_error(false, remedy, "no pod '%s' in namespace %s", search->name, namespace);
}

/* "127.244.0.1,fd00::1", NULL if it has none. */
static char *read_addresses(yajl_val pod)
{
    char *addresses = value_joined(pod, "addresses", ",");
    if (!*addresses)
        g_clear_pointer(&addresses, g_free);
    return addresses;
}

static void set(const char *name, const char *value)
{
    g_setenv(name, value, TRUE);
}

static void become(const struct arguments *arguments, yajl_val pod, const char *namespace,
                   const char *addresses)
{
    const char *name = value_text(pod, "name"), *hostname = value_text(pod, "hostname");
    g_autofree char *socket = g_canonicalize_filename(arguments->socket, NULL);
    g_autofree char *first = g_strndup(addresses, strcspn(addresses, ","));
    set("POD_NAME", name);
    set("POD_NAMESPACE", namespace);
    set("POD_IP", first);
    set("POD_IPS", addresses);
    set("HOSTNAME", hostname ? hostname : name);
    set("KUBESVC_NAMESPACE", namespace);
    /* the command's questions go where ours went, wherever it goes itself */
    set("KUBESVC_SOCKET", socket);
}

static int execute(char **command)
{
    execvp(command[0], command);
    int error = errno;
    text_error(false, NULL, "cannot run '%s': %s", command[0], g_strerror(error));
    return error == ENOENT ? STATUS_NO_COMMAND : STATUS_NOT_EXECUTABLE;
}

static int run(const struct arguments *arguments, const char *namespace)
{
    ask_auto yajl_val pod = NULL;
    g_autofree char *addresses = NULL;
    struct search search = {.name = arguments->operands[0]};
    search.suggestion.word = search.name;
    int status = ask(arguments, (const char *[]){"pods", namespace, NULL}, consider, &search);
    pod = search.found;
    if (status != STATUS_FAILED && !pod) {
        complain_unknown(&search, namespace);
        status = STATUS_NOT_FOUND;
    }
    g_free(search.suggestion.nearest);
    if (status != STATUS_DONE)
        return status;
    addresses = read_addresses(pod);
    if (!addresses) {
        text_error(false,
                   "give it one with the annotation kubesvc.io/addresses, or let the daemon "
                   "allocate one",
                   "the pod %s in namespace %s has no address", search.name, namespace);
        return STATUS_FAILED;
    }
    become(arguments, pod, namespace, addresses);
    return execute(arguments->operands + 1);
}

int command_run(int argc, char **argv)
{
    struct arguments arguments;
    int status = arguments_parse(&arguments, &synopsis, argc, argv);
    if (status != ARGUMENTS_GO_ON)
        return status;
    g_autofree char *namespace = ask_namespace(&arguments);
    return namespace ? run(&arguments, namespace) : STATUS_FAILED;
}
