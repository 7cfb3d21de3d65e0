/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc-proxy: connections to a Service's cluster IP reach one of its pods.
 */
#include <glib.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "cli/inspect_client.h"
#include "lib/util/command_line.h"
#include "lib/util/log.h"
#include "proxy/proxy.h"

static const char help[] =
    "Usage: kubesvc-proxy [--socket PATH]\n"
    "Forwards connections to the cluster IPs of Services to their endpoints.\n"
    "\n"
    "  --socket PATH  kubesvcd's socket ($KUBESVC_SOCKET, else /run/kubesvc/socket)\n"
    "  --help         show this help and exit\n"
    "  --version      show the version and exit\n"
    "\n"
    "Keeps one nftables table in step with kubesvcd. Needs CAP_NET_ADMIN. Runs in the foreground\n"
    "and logs to stderr. SIGTERM and SIGINT remove the table; SIGUSR2 leaves it to the next\n"
    "process.\n"
    "\n"
    "See kubesvc-proxy(8).\n";

/* Why the event loop ended: what its signals make it return. */
enum end { END_STOP, END_HANDOVER };

static int run(sd_event *event, const char *socket)
{
    struct proxy *proxy = NULL;
    int r = sd_event_set_signal_exit(event, 1);

    (void)signal(SIGPIPE, SIG_IGN);
    if (r >= 0)
        r = sd_event_add_signal(event, NULL, SIGUSR2 | SD_EVENT_SIGNAL_PROCMASK, NULL,
                                (void *)(intptr_t)END_HANDOVER);
    if (r >= 0)
        r = sd_event_set_watchdog(event, 1);
    if (r < 0) {
        log_error("cannot start: %s", g_strerror(-r));
        return EXIT_FAILURE;
    }
    if (proxy_new(&proxy, event, socket) < 0)
        return EXIT_FAILURE;
    r = sd_event_loop(event);
    if (r < 0)
        log_error("%s", g_strerror(-r));
    (void)sd_notify(0, "STOPPING=1");
    if (r == END_STOP)
        proxy_remove(proxy);
    proxy_free(proxy);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const char *socket = NULL;
    const struct command_line_option options[] = {{.name = "socket", .text = &socket}, {0}};
    const struct command_line line = {"kubesvc-proxy", help, options, NULL};
    int status = command_line_read(&line, argc, argv);
    sd_event *event = NULL;

    if (status != 0)
        return status == COMMAND_LINE_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
    if (sd_event_default(&event) < 0) {
        log_error("cannot start an event loop");
        return EXIT_FAILURE;
    }
    status = run(event, inspect_client_socket(socket));
    sd_event_unref(event);
    return status;
}
