/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc-dns: the names of kubesvcd, by DNS.
 */
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "dns/dns_settings.h"
#include "dns/front.h"
#include "dns/sockets.h"
#include "dns/tcp.h"
#include "dns/udp.h"
#include "lib/util/command_line.h"
#include "lib/util/descriptor.h"
#include "lib/util/log.h"

#define FILES_WANTED 4096u /* forwarding takes a socket for each question that waits */

struct dns_program {
    struct dns_settings settings;
    struct sockets sockets;
    sd_event *event;
    struct front *front;
    struct tcp *tcp;
    struct udp *udp[SOCKETS_MAX];
    size_t n_udp;
};

static int open_loop(struct dns_program *program)
{
    int r = sd_event_default(&program->event);

    (void)signal(SIGPIPE, SIG_IGN);
    if (r >= 0)
        r = sd_event_set_signal_exit(program->event, 1);
    return r < 0 ? r : sd_event_set_watchdog(program->event, 1);
}

/* Each socket goes to what answers on it. */
static int serve(struct dns_program *program)
{
    int r = tcp_new(&program->tcp, program->event, program->front);

    for (size_t i = 0; r >= 0 && i < program->sockets.n; i++) {
        int fd = program->sockets.sockets[i].fd;

        program->sockets.sockets[i].fd = -1;
        if (program->sockets.sockets[i].tcp) {
            r = tcp_listen(program->tcp, fd);
            continue;
        }
        r = udp_new(&program->udp[program->n_udp], program->event, fd, program->front);
        program->n_udp += r >= 0;
    }
    return r;
}

/* Requests wait in the sockets until the daemon has been asked for its snapshot: a mere restart of
 * this program causes no SERVFAIL. */
static void on_ready(void *userdata)
{
    struct dns_program *program = userdata;
    int r = serve(program);

    if (r < 0) {
        log_error("cannot start: %s", g_strerror(-r));
        (void)sd_event_exit(program->event, r);
        return;
    }
    (void)sd_notify(0, "READY=1");
}

static int open_front(struct dns_program *program)
{
    const struct dns_settings *settings = &program->settings;
    union endpoint own[SOCKETS_MAX];

    for (size_t i = 0; i < program->sockets.n; i++)
        own[i] = program->sockets.sockets[i].own;
    return front_new(&program->front, program->event,
                     &(struct front_options){
                         .socket = settings->socket,
                         .zones = settings->zones,
                         .ns = settings->ns,
                         .ttl = settings->ttl,
                         .forward = (const char *const *)settings->forward,
                         .own = own,
                         .n_own = program->sockets.n,
                     },
                     on_ready, program);
}

static void log_addresses(const struct dns_program *program)
{
    for (size_t i = 0; i < program->sockets.n; i++) {
        char text[ENDPOINT_TEXT_MAX];

        endpoint_format(&program->sockets.sockets[i].own, text);
        if (!program->sockets.sockets[i].tcp)
            log_info("listening on %s", text);
    }
}

static int program_run(struct dns_program *program)
{
    int r = open_loop(program);

    if (r >= 0)
        r = sockets_open(&program->sockets,
                         (const union endpoint *)(const void *)program->settings.listen->data,
                         program->settings.listen->len);
    if (r < 0)
        return r;
    log_addresses(program);
    r = open_front(program);
    if (r < 0) {
        log_error("cannot start: %s", g_strerror(-r));
        return r;
    }
    r = sd_event_loop(program->event);
    if (r < 0)
        log_error("%s", g_strerror(-r));
    (void)sd_notify(0, "STOPPING=1");
    return r;
}

static void program_clear(struct dns_program *program)
{
    for (size_t i = 0; i < program->n_udp; i++)
        udp_free(program->udp[i]);
    tcp_free(program->tcp);
    front_free(program->front);
    sockets_close(&program->sockets);
    sd_event_unref(program->event);
    dns_settings_clear(&program->settings);
}

int main(int argc, char **argv)
{
    struct dns_program program = {0};
    int r = dns_settings_read(&program.settings, argc, argv);

    if (r != 0) {
        dns_settings_clear(&program.settings);
        return r == COMMAND_LINE_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    (void)descriptor_raise_limit(FILES_WANTED);
    r = program_run(&program);
    program_clear(&program);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
