/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wires the publisher to those who tell of changes, and does after a publish what names need not
 * wait for.
 */
#include "publishing.h"

#include <malloc.h>

#include "daemon/inspect/backends.h"
#include "daemon/inspect/event_log.h"
#include "daemon/inspect/service_tap.h"
#include "daemon/publish/publisher.h"
#include "lib/model/cluster.h"
#include "lib/util/log.h"
#include "lib/util/timer.h"
#include "message.h"

#define RETRY_USEC G_USEC_PER_SEC /* what there was no memory for is tried again */

/* So many objects and records that replacing them may leave much memory behind. */
#define MANY_REPLACED 20000u

/* Limit on changes queued for the server thread: beyond this they are dropped. */
#define CHANGES_MAX 1000u

struct publishing {
    struct inspect_context *context; /* whose writer, events and backends are ours */
    struct thread_queue *outbox;
    struct publisher *publisher;
    struct service_tap tap;
    sd_event_source *retrying;
    void (*retry)(void *userdata);
    void *userdata;
    uint64_t retired;   /* as last sent to the server thread */
    uint64_t n_trimmed; /* objects and changed records, when memory was given back */
    bool failed;        /* the last publish */
};

static void on_service(void *userdata, const char *ns, const char *name)
{
    const struct publishing *publishing = userdata;
    event_log_note(publishing->context->events, ns, name);
    backends_note(publishing->context->backends, ns, name);
}

static void on_change(void *userdata, const struct event *change)
{
    const struct publishing *publishing = userdata;
    if (thread_queue_length(publishing->outbox) >= CHANGES_MAX)
        return;
    message_push(publishing->outbox, &(struct message){.kind = MESSAGE_CHANGE,
                                                       .number = change->time,
                                                       .text = g_strdup(change->text)});
}

static void on_backends(void *userdata, char *lines)
{
    const struct publishing *publishing = userdata;
    message_push(publishing->outbox, &(struct message){.kind = MESSAGE_BACKENDS, .text = lines});
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
    const struct publishing *publishing = userdata;
    (void)source, (void)usec;
    publishing->retry(publishing->userdata);
    return 0;
}

static void try_again(struct publishing *publishing, int error)
{
    if (!publishing->failed)
        log_error("cannot publish: %s; answers stay unchanged until it succeeds",
                  g_strerror(-error));
    publishing->failed = true;
    (void)timer_start(publishing->retrying, RETRY_USEC);
}

bool publishing_run(struct publishing *publishing)
{
    struct inspect_context *context = publishing->context;
    event_log_before_publish(context->events, context->loaded);
    int r = publisher_publish(publishing->publisher, cluster_size(context->cluster) == 0);
    if (r < 0) {
        try_again(publishing, r);
        return false;
    }
    if (publishing->failed)
        log_notice("published; earlier publishing errors are resolved");
    publishing->failed = false;
    context->published = (uint64_t)g_get_monotonic_time();
    context->loaded = true;
    backends_published(context->backends, context);
    return true;
}

/* Memory that the server thread may still be reading is kept until it says that it has passed. */
static void tell_of_retired(struct publishing *publishing)
{
    uint64_t retired = snapshot_writer_retired(publishing->context->writer);
    if (retired != publishing->retired)
        message_send(publishing->outbox, MESSAGE_RETIRED, retired);
    publishing->retired = retired;
}

/* What was replaced by the thousands leaves holes that the allocator keeps for itself. Records
 * count as well as objects: one object can have as many replicas as many objects. */
static void give_memory_back(struct publishing *publishing, uint64_t n_objects)
{
    struct snapshot_writer_status status;
    snapshot_writer_status(publishing->context->writer, &status);
    uint64_t replaced = n_objects + status.changes;
    if (replaced - publishing->n_trimmed < MANY_REPLACED)
        return;
    publishing->n_trimmed = replaced;
    (void)malloc_trim(0);
}

void publishing_tidy(struct publishing *publishing, uint64_t n_objects)
{
    int r = publishing->failed ? 0 : snapshot_writer_compact(publishing->context->writer);
    if (r < 0)
        log_warning("cannot compact the snapshot: %s; it keeps growing", g_strerror(-r));
    tell_of_retired(publishing);
    give_memory_back(publishing, n_objects);
}

int publishing_new(struct publishing **publishingp, struct inspect_context *context,
                   sd_event *event, struct thread_queue *outbox, struct between between,
                   void (*retry)(void *userdata), void *userdata)
{
    struct publishing *publishing = g_new(struct publishing, 1);
    *publishing = (struct publishing){
        .context = context, .outbox = outbox, .retry = retry, .userdata = userdata};
    int r = timer_new(&publishing->retrying, event, 0, on_retry, publishing);
    if (r >= 0)
        r = snapshot_writer_new(&context->writer);
    if (r < 0) {
        publishing_free(publishing);
        return r;
    }
    snapshot_writer_set_between(context->writer, between);
    publishing->publisher = publisher_new(context->writer);
    context->events = event_log_new(context->writer, on_change, publishing);
    context->backends = backends_new(on_backends, publishing);
    service_tap_init(&publishing->tap, publisher_sink(publishing->publisher), on_service,
                     publishing);
    *publishingp = publishing;
    return 0;
}

struct publishing *publishing_free(struct publishing *publishing)
{
    if (!publishing)
        return NULL;
    struct inspect_context *context = publishing->context;
    context->backends = backends_free(context->backends);
    context->events = event_log_free(context->events);
    publisher_free(publishing->publisher);
    context->writer = snapshot_writer_free(context->writer);
    sd_event_source_disable_unref(publishing->retrying);
    g_free(publishing);
    return NULL;
}

const struct zone_sink *publishing_sink(const struct publishing *publishing)
{
    return &publishing->tap.sink;
}

void publishing_configure(struct publishing *publishing, const struct config *config)
{
    publisher_configure(publishing->publisher, config);
    backends_reconfigure(publishing->context->backends);
}
