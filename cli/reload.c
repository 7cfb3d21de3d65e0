/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc reload: SIGHUP to the daemon at the socket, and its outcome. A signal alone has no
 * answer, so the daemon counts its reloads and says of the last one whether it was rejected. Works
 * with every service manager; the units use it for `systemctl reload`.
 */
#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <sys/socket.h>

#include "ask.h"
#include "commands.h"
#include "inspect_client.h"
#include "text.h"

#define DEADLINE_USEC (60 * G_USEC_PER_SEC)
#define FIRST_PAUSE_USEC 5000u
#define PAUSE_MAX_USEC 200000u

/* False: it cannot be signalled; prints an error. */
static bool send_signal(const struct arguments *arguments)
{
    struct ucred peer;
    int r = inspect_client_credentials(arguments->socket, &peer);

    if (r == 0 && peer.pid > 0 && kill(peer.pid, SIGHUP) == 0)
        return true;
    if (r < 0)
        inspect_client_complain(arguments->socket, r, arguments->json);
    else if (peer.pid > 0 && errno == EPERM)
        text_error(arguments->json, "run it as root or as the daemon's user",
                   "cannot signal the daemon: %s", g_strerror(errno));
    else
        text_error(arguments->json, "send it SIGHUP where it runs",
                   "the daemon at %s runs in another PID namespace", arguments->socket);
    return false;
}

/* `before`: begun already, maybe before the files were what they are now. A daemon busy with other
 * reports is asked again. */
static bool wait_for_reload(const struct arguments *arguments, int64_t before, yajl_val *configp)
{
    int64_t end = g_get_monotonic_time() + DEADLINE_USEC;

    for (gulong pause = FIRST_PAUSE_USEC; g_get_monotonic_time() < end;
         pause = MIN(2 * pause, PAUSE_MAX_USEC)) {
        int r = ask_quietly(arguments, (const char *[]){"config", NULL}, configp);

        if (r < 0) {
            inspect_client_complain(arguments->socket, r, arguments->json);
            return false;
        }
        if (r == KUBESVC_INSPECT_DONE && value_number(*configp, "reloads") > before)
            return true;
        value_release(configp);
        g_usleep(pause);
    }
    text_error(arguments->json, "'kubesvc status' shows how far it is",
               "the daemon has not finished the reload within %d s, and goes on with it",
               (int)(DEADLINE_USEC / G_USEC_PER_SEC));
    return false;
}

static int outcome(const struct arguments *arguments, yajl_val config)
{
    yajl_val rejected = value_get(config, "rejected");

    if (!rejected)
        return STATUS_DONE;
    size_t n = value_length(rejected, "errors");
    const char *first = value_element_text(rejected, "errors", 0);
    g_autofree char *more = n > 1 ? g_strdup_printf(" (and %zu more)", n - 1) : g_strdup("");
    text_error(arguments->json, "'kubesvc config show' shows what is in effect",
               "configuration rejected; keeping the previous one: %s%s", first ? first : "", more);
    return STATUS_FAILED;
}

static int run(struct arguments *arguments)
{
    value_auto yajl_val before = NULL, after = NULL;
    if (ask_one(arguments, (const char *[]){"config", NULL}, &before) != STATUS_DONE)
        return STATUS_FAILED;
    if (!send_signal(arguments) ||
        !wait_for_reload(arguments, value_number(before, "reloadsBegun"), &after))
        return STATUS_FAILED;
    return outcome(arguments, after);
}

const struct command command_reload = {
    .name = "reload",
    .summary = "reload configuration and manifests",
    .operands = "",
    .description =
        "Makes the daemon reload its configuration and manifests, as SIGHUP does, and waits\n"
        "until names are answered accordingly. Fails if the configuration is rejected; the\n"
        "previous one then stays in effect.\n",
    .examples = "  sudo kubesvc reload\n"
                "  sudo systemctl reload kubesvcd      the same\n",
    .takes = TAKES_SOCKET | TAKES_JSON,
    .run = run,
};
