/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server thread: wires the server, the nameservers, the supervisor and the loader thread's
 * messages together; decides nothing else.
 */
#include "daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "daemon/inspect/inspect.h"
#include "daemon/serve/server.h"
#include "daemon/serve/upstream.h"
#include "inheritance.h"
#include "lib/util/exposure.h"
#include "lib/util/log.h"
#include "lib/util/notify.h"
#include "loader_thread.h"
#include "message.h"
#include <kubesvc/limits.h>

struct daemon {
    sd_event *event;
    sd_event_source *hearing;
    struct notify *notify;
    struct upstream *upstream;
    struct server *server;
    struct inspect *inspect;
    struct inheritance *inheritance;
    sd_event_source *starting; /* the loader thread is started later */
    bool loads;                /* it has been started */
    struct thread_queue *to_loader, *from_loader;
    struct loader_thread *loader;
    uint64_t reloads; /* signals received */
    uint64_t pinged;  /* when the loader thread was last pinged */
    bool ping_waits;  /* and it has given none yet */
};

/* --- Messages of the loader thread --- */

static void use_nameservers(const struct daemon *daemon, const GPtrArray *nameservers)
{
    int r = upstream_configure(daemon->upstream, nameservers);
    if (r < 0)
        log_error("cannot change the nameservers: %s", g_strerror(-r));
}

/* After RELOADING=1 this means that the reload has ended; earlier publishes do not count. */
static void say_ready(const struct daemon *daemon, const struct message *message)
{
    if (message->reload == daemon->reloads)
        notify_send(daemon->notify, "READY=1\nSTATUS=Serving %" G_GUINT64_FORMAT " object%s.",
                    message->number, message->number == 1 ? "" : "s");
}

static void take(struct daemon *daemon, struct message *message)
{
    switch (message->kind) {
    case MESSAGE_READY:
        inheritance_end(daemon->inheritance);
        inheritance_leave_snapshot(daemon->inheritance, loader_thread_root(daemon->loader));
        say_ready(daemon, message);
        break;
    case MESSAGE_SERVERS:
        use_nameservers(daemon, message->nameservers);
        server_allow_maps(daemon->server, message->number);
        break;
    /* Views are opened for one question at a time, so there is none here. */
    case MESSAGE_RETIRED: message_send(daemon->to_loader, MESSAGE_PASSED, message->number); break;
    case MESSAGE_CHANGE: inspect_emit(daemon->inspect, message->number, message->text); break;
    case MESSAGE_BACKENDS: inspect_emit_backends(daemon->inspect, message->text); break;
    case MESSAGE_REPORT: inspect_made(daemon->inspect, g_steal_pointer(&message->job)); break;
    case MESSAGE_PING: daemon->ping_waits = false; break;
    case MESSAGE_FAILED:
        log_error("loader thread failed: %s", g_strerror(-message->error));
        (void)sd_event_exit(daemon->event, message->error);
        break;
    default: break;
    }
    message_free(message);
}

static int on_message(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct daemon *daemon = userdata;
    struct message *message;
    (void)source, (void)fd, (void)revents;
    thread_queue_acknowledge(daemon->from_loader);
    while ((message = message_pop(daemon->from_loader)))
        take(daemon, message);
    return 0;
}

/* --- What the parts say --- */

static void on_make(void *userdata, struct job *job)
{
    const struct daemon *daemon = userdata;
    message_push(daemon->to_loader, &(struct message){.kind = MESSAGE_REPORT, .job = job});
}

static void on_rest(void *userdata)
{
    const struct daemon *daemon = userdata;
    message_send(daemon->to_loader, MESSAGE_REST, 0);
}

static void on_answered(void *userdata)
{
    const struct daemon *daemon = userdata;
    if (daemon->server) /* none is left while the daemon ends */
        server_retry(daemon->server);
}

static void on_kept(void *userdata, int fd)
{
    const struct daemon *daemon = userdata;
    inheritance_leave_socket(daemon->inheritance, fd);
}

/* The loader thread receives this between two steps of its work, or while idle. */
static bool is_alive(void *userdata, uint64_t usec)
{
    struct daemon *daemon = userdata;
    uint64_t now = (uint64_t)g_get_monotonic_time();
    if (!daemon->loads) /* it is not started yet, and that is meant */
        return true;
    if (daemon->ping_waits)
        return now - daemon->pinged < usec;
    daemon->ping_waits = true;
    daemon->pinged = now;
    message_send(daemon->to_loader, MESSAGE_PING, 0);
    return true;
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    struct daemon *daemon = userdata;
    (void)source, (void)info;
    notify_reloading(daemon->notify);
    message_send(daemon->to_loader, MESSAGE_RELOAD, ++daemon->reloads);
    return 0;
}

static int on_end(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    const struct daemon *daemon = userdata;
    (void)info;
    notify_send(daemon->notify, "STOPPING=1");
    return sd_event_exit(sd_event_source_get_event(source), 0);
}

/* --- Life --- */

static int open_loop(struct daemon *daemon)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
        signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
        return -errno;
    int r = sd_event_new(&daemon->event);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGHUP, on_reload, daemon);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGTERM, on_end, daemon);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGINT, on_end, daemon);
    if (r >= 0)
        r = thread_queue_new(&daemon->to_loader);
    if (r >= 0)
        r = thread_queue_new(&daemon->from_loader);
    if (r >= 0)
        r = sd_event_add_io(daemon->event, &daemon->hearing, thread_queue_fd(daemon->from_loader),
                            EPOLLIN, on_message, daemon);
    if (r >= 0)
        r = notify_new(&daemon->notify, daemon->event, is_alive, daemon);
    return r < 0 ? r : 0;
}

static int open_socket(struct daemon *daemon, const char *path)
{
    g_autofree char *directory = g_path_get_dirname(path);
    int r = exposure_refuse(directory, "the socket");
    if (r < 0)
        return r;
    r = server_new(&daemon->server, daemon->event, path,
                   inheritance_take_socket(daemon->inheritance), loader_thread_root(daemon->loader),
                   daemon->upstream);
    if (r == SERVER_BUSY) {
        log_error("%s: another daemon is already listening; exiting", path);
        return -EADDRINUSE;
    }
    if (r < 0)
        log_error("%s: cannot listen: %s%s", path, g_strerror(-r),
                  r == -EACCES && geteuid() != 0 && strcmp(path, KUBESVC_SOCKET_PATH) == 0
                      ? "; as an ordinary user, choose other places with --socket and --state"
                      : "");
    return r;
}

static void open_inspect(struct daemon *daemon)
{
    daemon->inspect = inspect_new(&(struct inspect_options){
        .event = daemon->event,
        .server = daemon->server,
        .root = loader_thread_root(daemon->loader),
        .upstream = daemon->upstream,
        .make = on_make,
        .rest = on_rest,
        .userdata = daemon,
    });
}

static int on_start(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct daemon *daemon = userdata;
    (void)source, (void)usec;
    daemon->loads = true;
    return loader_thread_start(daemon->loader);
}

/* A daemon that dies again and again reads manifests ever less often. */
static int start_loading(struct daemon *daemon)
{
    uint64_t delay = inheritance_delay(daemon->inheritance);
    if (delay == 0)
        return on_start(NULL, 0, daemon);
    log_warning("started again and again; manifests are read in %" G_GUINT64_FORMAT " ms",
                delay / 1000);
    int r = sd_event_add_time_relative(daemon->event, &daemon->starting, CLOCK_MONOTONIC, delay, 0,
                                       on_start, daemon);
    return r < 0 ? r : sd_event_source_set_exit_on_failure(daemon->starting, 1);
}

/* `config` is the loader thread's from the moment it runs. */
static int open_all(struct daemon *daemon, struct config *config,
                    const struct config_options *options)
{
    bool maps = config->maps;
    int r = open_loop(daemon);
    if (r >= 0)
        r = upstream_new(&daemon->upstream, daemon->event, config->nameservers, on_answered,
                         daemon);
    if (r < 0) {
        log_error("cannot start: %s", g_strerror(-r));
        config_free(config);
        return r;
    }
    daemon->inheritance = inheritance_new(daemon->notify, config->socket);
    r = loader_thread_new(&daemon->loader, config, options, daemon->to_loader, daemon->from_loader);
    if (r >= 0) {
        inheritance_answer(daemon->inheritance, loader_thread_root(daemon->loader), config);
        r = open_socket(daemon, config->socket);
    }
    if (r < 0)
        return r;
    if (inheritance_is_kept(daemon->inheritance))
        server_keep_socket(daemon->server, on_kept, daemon);
    server_allow_maps(daemon->server, maps);
    server_reserve(daemon->server, g_strdupv(config->zones));
    open_inspect(daemon);
    return start_loading(daemon);
}

/* New clients are turned away at once; then the loader thread ends, and with it everything it
 * owns. */
static void close_all(struct daemon *daemon, int result)
{
    daemon->inspect = inspect_free(daemon->inspect);
    daemon->server = server_free(daemon->server);
    daemon->upstream = upstream_free(daemon->upstream);
    if (loader_thread_end(&daemon->loader) < 0)
        _exit(result < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
    daemon->to_loader = message_close(daemon->to_loader);
    daemon->from_loader = message_close(daemon->from_loader);
    daemon->inheritance = inheritance_free(daemon->inheritance);
    sd_event_source_disable_unref(daemon->starting);
    daemon->notify = notify_free(daemon->notify);
    sd_event_source_disable_unref(daemon->hearing);
    daemon->event = sd_event_unref(daemon->event);
}

int daemon_run(struct config *config, const struct config_options *options)
{
    struct daemon daemon = {0};
    int r = open_all(&daemon, config, options);
    if (r >= 0)
        r = sd_event_loop(daemon.event);
    if (r >= 0) {
        log_info("shutting down");
        if (!inheritance_is_kept(daemon.inheritance))
            server_stop(daemon.server);
    }
    close_all(&daemon, r);
    return r < 0 ? r : 0;
}
