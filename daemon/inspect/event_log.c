/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes. Of the Services that may have changed only the names are noted, and when all is worked
 * out the records themselves are compared, the published one with the one to be published.
 */
#include "event_log.h"

#include <string.h>

#include "daemon/publish/record.h"

#define EVENTS_KEPT 100u
#define EVENTS_NOTED 1024u /* Services in one publish; beyond that only their number counts */
#define EVENTS_TOLD 50u    /* of one publish one by one */

struct event_log {
    struct snapshot_writer *writer;
    GHashTable *noted; /* "namespace/service" */
    unsigned n_unnoted;
    GQueue kept; /* struct event * */
    event_fn told;
    void *userdata;
};

static void change_free(void *data)
{
    struct event *change = data;

    g_free(change->text);
    g_free(change);
}

struct event_log *event_log_new(struct snapshot_writer *writer, event_fn told, void *userdata)
{
    struct event_log *events = g_new(struct event_log, 1);

    *events = (struct event_log){
        .writer = writer,
        .noted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .kept = G_QUEUE_INIT,
        .told = told,
        .userdata = userdata,
    };
    return events;
}

struct event_log *event_log_free(struct event_log *events)
{
    if (!events)
        return NULL;
    g_queue_clear_full(&events->kept, change_free);
    g_hash_table_unref(events->noted);
    g_free(events);
    return NULL;
}

void event_log_note(struct event_log *events, const char *ns, const char *name)
{
    if (g_hash_table_size(events->noted) < EVENTS_NOTED)
        g_hash_table_add(events->noted, g_strdup_printf("%s/%s", ns, name));
    else
        events->n_unnoted++;
}

void event_log_add(struct event_log *events, const char *format, ...)
{
    struct event *change = g_new(struct event, 1);
    va_list arguments;

    va_start(arguments, format);
    *change = (struct event){(uint64_t)g_get_real_time(), g_strdup_vprintf(format, arguments)};
    va_end(arguments);
    g_queue_push_tail(&events->kept, change);
    if (events->kept.length > EVENTS_KEPT)
        change_free(g_queue_pop_head(&events->kept));
    events->told(events->userdata, change);
}

void event_log_each(const struct event_log *events, event_fn each, void *userdata)
{
    for (const GList *link = events->kept.head; link; link = link->next)
        each(userdata, link->data);
}

/* --- Services --- */

struct service_summary {
    struct snapshot_record record; /* no data: there is no such Service */
    struct kubesvc_service service;
};

static struct service_summary state_of(struct snapshot_record record)
{
    struct service_summary state = {.record = record};

    if (record.data && record.length >= sizeof state.service)
        memcpy(&state.service, record.data, sizeof state.service);
    return state;
}

static bool state_equal(const struct service_summary *a, const struct service_summary *b)
{
    if (!a->record.data || !b->record.data)
        return a->record.data == b->record.data;
    return a->record.length == b->record.length &&
           memcmp(a->record.data, b->record.data, a->record.length) == 0;
}

static unsigned count(const struct service_summary *state)
{
    return le32toh(state->service.addresses.n_inet) + le32toh(state->service.addresses.n_inet6);
}

static bool is_external(const struct service_summary *state)
{
    return le32toh(state->service.type) == KUBESVC_SERVICE_EXTERNAL_NAME;
}

static char *target_of(const struct service_summary *state)
{
    uint32_t length = 0;
    const uint8_t *target = snapshot_span(state->record, &state->service.target, &length);

    return target ? g_strndup((const char *)target, length) : g_strdup("nothing");
}

static char *amount(unsigned n)
{
    return g_strdup_printf("%u address%s", n, n == 1 ? "" : "es");
}

static char *describe(const struct service_summary *state)
{
    if (!is_external(state))
        return amount(count(state));
    g_autofree char *target = target_of(state);
    return g_strdup_printf("points to %s", target);
}

static bool same_bytes(const struct service_summary *a, uint32_t at,
                       const struct service_summary *b, uint32_t other, uint64_t size)
{
    const uint8_t *x = snapshot_bytes(a->record, le32toh(at), size);
    const uint8_t *y = snapshot_bytes(b->record, le32toh(other), size);

    return size == 0 || (x && y && memcmp(x, y, (size_t)size) == 0);
}

/* Are the addresses the same, though something else about the Service is not? */
static bool same_addresses(const struct service_summary *a, const struct service_summary *b)
{
    const struct kubesvc_set *x = &a->service.addresses, *y = &b->service.addresses;

    return x->n_inet == y->n_inet && x->n_inet6 == y->n_inet6 &&
           same_bytes(a, x->inet, b, y->inet, le32toh(x->n_inet) * 4ull) &&
           same_bytes(a, x->inet6, b, y->inet6, le32toh(x->n_inet6) * 16ull);
}

static void add_change(struct event_log *events, const char *name,
                       const struct service_summary *before, const struct service_summary *after)
{
    g_autofree char *text = after->record.data ? describe(after) : NULL;

    if (!text)
        event_log_add(events, "Service %s: removed", name);
    else if (!before->record.data)
        event_log_add(events, "Service %s: new, %s", name, text);
    else if (is_external(before) || is_external(after))
        event_log_add(events, "Service %s: now %s", name, text);
    else if (count(before) != count(after))
        event_log_add(events, "Service %s: %u -> %s", name, count(before), text);
    else if (!same_addresses(before, after))
        event_log_add(events, "Service %s: addresses changed, still %u", name, count(after));
    else
        event_log_add(events, "Service %s: endpoints or ports changed, same addresses", name);
}

static bool compare_service(struct event_log *events, const struct snapshot_view *published,
                            const char *name, bool tell)
{
    const char *slash = strchr(name, '/');
    g_autofree char *ns = g_strndup(name, (gsize)(slash - name));
    struct record_key key;

    if (!record_key_service(&key, slash + 1, ns))
        return false;
    struct service_summary before = state_of(snapshot_find(published, key.bytes, key.length));
    struct service_summary after =
        state_of(snapshot_writer_find(events->writer, key.bytes, key.length));
    if (state_equal(&before, &after))
        return false;
    if (tell)
        add_change(events, name, &before, &after);
    return true;
}

void event_log_before_publish(struct event_log *events, bool compare)
{
    struct snapshot_view published;
    GHashTableIter iter;
    void *name;
    unsigned n = 0;

    g_hash_table_iter_init(&iter, events->noted);
    compare = compare && snapshot_writer_view(events->writer, &published);
    while (compare && g_hash_table_iter_next(&iter, &name, NULL))
        n += compare_service(events, &published, name, n < EVENTS_TOLD);
    if (n > EVENTS_TOLD)
        event_log_add(events, "and %u more Services", n - EVENTS_TOLD);
    if (compare && events->n_unnoted > 0)
        event_log_add(events, "%u more Services were updated", events->n_unnoted);
    g_hash_table_remove_all(events->noted);
    events->n_unnoted = 0;
}
