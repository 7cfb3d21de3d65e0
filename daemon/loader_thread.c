/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The thread that loads, and the messages it receives from the server thread.
 *
 * Messages are handled in two places: on the loop, and between two steps of the work. In the latter
 * case the model is in the middle of an update, so it may be read but not changed; messages that
 * would change it wait.
 */
#include "loader_thread.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "daemon/inspect/backends.h"
#include "daemon/inspect/report.h"
#include "lib/util/log.h"
#include "loading.h"
#include "message.h"

/* Lookups go first; other work of the machine does as well, within reason. */
#define LOADER_NICE 5
#define STACK_SIZE ((size_t)8 << 20)

/* Microseconds. */
#define WHOLE_USEC 50000        /* how long a report waits for work to end, to show its result */
#define END_USEC G_USEC_PER_SEC /* the thread is waited for at the end */

struct loader_thread {
    struct thread_queue *inbox, *outbox;
    pthread_t thread;
    bool runs;
    sem_t ended; /* posted when it has left its loop */
    sd_event *event;
    sd_event_source *hearing;
    struct loading *loading;
    uint64_t reload_due; /* its number, or 0: a message that waits for the loop, */
    bool end_due;        /* as this one does */
};

static void answer(struct loader_thread *thread, struct message *message)
{
    switch (message->kind) {
    case MESSAGE_REPORT:
        report_make(loading_world(thread->loading), message->job);
        thread_queue_push(thread->outbox, &message->item);
        return;
    case MESSAGE_PING: thread_queue_push(thread->outbox, &message->item); return;
    case MESSAGE_PASSED:
        snapshot_writer_release(loading_world(thread->loading)->writer, message->number);
        break;
    case MESSAGE_RELOAD: thread->reload_due = message->number; break;
    case MESSAGE_END: thread->end_due = true; break;
    case MESSAGE_REST: backends_rest(loading_world(thread->loading)->backends); break;
    default: break;
    }
    message_free(message);
}

static void answer_all(struct loader_thread *thread)
{
    struct message *message;
    while ((message = message_pop(thread->inbox)))
        answer(thread, message);
}

static int on_message(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct loader_thread *thread = userdata;
    (void)fd, (void)revents;
    thread_queue_acknowledge(thread->inbox);
    answer_all(thread);
    if (thread->end_due)
        return sd_event_exit(sd_event_source_get_event(source), 0);
    uint64_t reload = thread->reload_due;
    thread->reload_due = 0;
    if (reload > 0) {
        loading_reload(thread->loading, reload);
    } else if (loading_began(thread->loading) == 0) {
        loading_tidy(thread->loading); /* a compaction may have waited for readers to pass */
    }
    return 0;
}

/* Between two pieces of work. */
static void between(void *userdata)
{
    struct loader_thread *thread = userdata;
    if (thread_queue_length(thread->inbox) == 0)
        return;
    int64_t began = loading_began(thread->loading);
    if (began == 0 || g_get_monotonic_time() >= began + WHOLE_USEC)
        answer_all(thread);
}

static void close_all(struct loader_thread *thread)
{
    loading_free(thread->loading);
    sd_event_source_disable_unref(thread->hearing);
    sd_event_unref(thread->event);
    (void)sem_destroy(&thread->ended);
    g_free(thread);
}

static int open_loop(struct loader_thread *thread)
{
    int r = sd_event_new(&thread->event);
    if (r >= 0)
        r = sd_event_add_io(thread->event, &thread->hearing, thread_queue_fd(thread->inbox),
                            EPOLLIN, on_message, thread);
    if (r < 0)
        log_error("cannot start: %s", g_strerror(-r));
    return r;
}

int loader_thread_new(struct loader_thread **threadp, struct config *config,
                      const struct config_options *options, struct thread_queue *inbox,
                      struct thread_queue *outbox)
{
    struct loader_thread *thread = g_new(struct loader_thread, 1);
    *thread = (struct loader_thread){.inbox = inbox, .outbox = outbox};
    (void)sem_init(&thread->ended, 0, 0);
    int r = open_loop(thread);
    if (r < 0)
        config_free(config);
    else
        r = loading_new(&thread->loading, config, options, thread->event, outbox,
                        (struct between){between, thread});
    if (r < 0) {
        close_all(thread);
        return r;
    }
    *threadp = thread;
    return 0;
}

struct snapshot_root *loader_thread_root(const struct loader_thread *thread)
{
    return snapshot_writer_root(loading_world(thread->loading)->writer);
}

/* Courtesies; a sandbox may not let it. */
static void step_back(void)
{
    pid_t self = gettid();
    errno = 0;
    int nice = getpriority(PRIO_PROCESS, (id_t)self);
    if (errno == 0)
        (void)setpriority(PRIO_PROCESS, (id_t)self, nice + LOADER_NICE);
    (void)sched_setscheduler(self, SCHED_BATCH, &(struct sched_param){0});
}

static void *run(void *userdata)
{
    struct loader_thread *thread = userdata;
    step_back();
    int r = sd_event_loop(thread->event);
    if (r < 0)
        message_push(thread->outbox, &(struct message){.kind = MESSAGE_FAILED, .error = r});
    else /* its client is gone */
        loading_close(thread->loading);
    (void)sem_post(&thread->ended);
    return NULL;
}

/* All signals are the server thread's. */
static int start(struct loader_thread *thread)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    sigfillset(&all);
    int r = pthread_attr_init(&attributes);
    if (r != 0)
        return -r;
    r = pthread_attr_setstacksize(&attributes, STACK_SIZE);
    if (r == 0)
        r = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (r == 0) {
        r = pthread_create(&thread->thread, &attributes, run, thread);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    (void)pthread_attr_destroy(&attributes);
    thread->runs = r == 0;
    if (thread->runs)
        (void)pthread_setname_np(thread->thread, "kubesvcd-loader");
    return -r;
}

int loader_thread_start(struct loader_thread *thread)
{
    int r = loading_open(thread->loading);
    if (r < 0)
        return r;
    r = start(thread);
    if (r < 0)
        log_error("cannot start a thread: %s", g_strerror(-r));
    return r;
}

static int join(struct loader_thread *thread)
{
    struct timespec end;
    message_send(thread->inbox, MESSAGE_END, 0);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += END_USEC / G_USEC_PER_SEC;
    int r;
    do
        r = sem_clockwait(&thread->ended, CLOCK_MONOTONIC, &end);
    while (r < 0 && errno == EINTR);
    if (r < 0) {
        (void)pthread_detach(thread->thread);
        return -EBUSY;
    }
    (void)pthread_join(thread->thread, NULL);
    return 0;
}

int loader_thread_end(struct loader_thread **threadp)
{
    struct loader_thread *thread = g_steal_pointer(threadp);
    if (!thread)
        return 0;
    loading_end(thread->loading);
    if (thread->runs && join(thread) < 0)
        return -EBUSY;
    close_all(thread);
    return 0;
}
