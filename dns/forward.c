/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Forward: which client waits for which question. Equal pending messages share one relay: so a
 * retrying client causes no traffic, a forged answer has one chance instead of many, and a
 * nameserver that asks us what we ask it (a loop) stops there.
 */
#include "forward.h"

#include <arpa/nameser.h>
#include <glib.h>
#include <string.h>

#include "lib/util/hash.h"
#include "lib/util/log.h"
#include "relay.h"

/* A question has a socket, by TCP an answer of up to 64 KiB, and each client that waits for it a
 * struct forward_query. One client may wait for half of the questions, and start half of those by
 * TCP. */
#define QUESTIONS_MAX 1024u
#define TCP_QUESTIONS_MAX 128u
#define QUERIES_MAX 4096u
/* All programs of a host may be one client. So that one of them, which asks for many names that
 * nobody answers, does not leave the others without theirs, a client that has used up its share
 * gives up what has waited longest, unless that has waited less than this. */
#define SHARE_TIME_USEC (500 * G_TIME_SPAN_MILLISECOND)

struct forward {
    struct relay_context context;
    GHashTable *questions; /* set of struct question */
    GHashTable *clients;   /* struct address -> struct client_usage */
    size_t n_tcp, n_queries;
    bool loop_logged;
};

/* One client's pending questions. */
struct client_usage {
    struct address address;
    GQueue queries; /* struct forward_query, the oldest first */
    size_t n_tcp;   /* which started a question by TCP */
};

struct question {
    struct forward *forward;
    struct relay *relay;
    GQueue queries; /* struct forward_query */
    bool tcp;
    size_t size;
    uint8_t message[];
};

struct forward_query {
    struct question *question;
    GList turn, age; /* in the queues of the question and of the client */
    gint64 since;    /* monotonic */
    struct client_usage *usage;
    struct forward_client client;
    bool starts_tcp;
    uint8_t id[2];
};

/* Everything but the id. */
static guint question_hash(gconstpointer data)
{
    const struct question *question = data;

    return hash_bytes(question->message + 2, question->size - 2) + question->tcp;
}

static gboolean question_equal(gconstpointer a, gconstpointer b)
{
    const struct question *left = a, *right = b;

    return left->size == right->size && left->tcp == right->tcp &&
           memcmp(left->message + 2, right->message + 2, left->size - 2) == 0;
}

/* --- Waiting clients ------------------------------------------------------------------------ */

static void query_free(struct forward_query *query)
{
    struct forward *forward = query->question->forward;

    forward->n_queries--;
    query->usage->n_tcp -= query->starts_tcp;
    g_queue_unlink(&query->usage->queries, &query->age);
    if (!query->usage->queries.head)
        g_hash_table_remove(forward->clients, &query->usage->address);
    g_free(query);
}

static void question_free(void *data)
{
    struct question *question = data;

    while (question->queries.head)
        query_free(g_queue_pop_head_link(&question->queries)->data);
    question->forward->n_tcp -= question->tcp;
    relay_free(question->relay);
    g_free(question);
}

/* The head of an answer that is too large for the client, with TC: the client will ask by TCP. */
static size_t cut(uint8_t *message, size_t size)
{
    static const uint8_t none[6] = {0};
    uint8_t flags = message[2];
    size_t question;

    message[2] &= 0x07; /* as a question has them */
    question = dns_question_size(message, size);
    message[2] = flags | 0x02;
    memcpy(message + 6, none, sizeof none);
    return question > 0 ? question : NS_HFIXEDSZ;
}

static void question_answer(struct question *question, uint8_t *message, size_t size)
{
    GList *link;

    /* One by one: a reply may cause others waiting here to be cancelled. */
    while ((link = g_queue_pop_head_link(&question->queries))) {
        struct forward_query *query = link->data;
        struct forward_client client = query->client;

        if (size > 0)
            memcpy(message, query->id, sizeof query->id);
        query_free(query);
        if (size > client.limit)
            size = cut(message, size); /* for the others as well: they accept the same size */
        client.reply(client.userdata, message, size);
    }
}

/* --- Loops ----------------------------------------------------------------------------------- */

/* Does the question come from a socket that a relay uses? Not by TCP, where another process may
 * have the same port at the same time, for a connection to us. */
static bool question_is_own(const struct question *question, const union endpoint *from)
{
    const union endpoint *server = question->tcp ? NULL : relay_asked_from(question->relay, from);

    if (server)
        upstreams_exclude(question->forward->context.upstreams, server);
    return server;
}

/* No server answered, and one of them is among the waiting clients: it asked us what we asked it,
 * possibly through others. For addresses shared by all programs of this host, that proves
 * nothing. */
static void question_look_for_loop(struct question *question)
{
    struct forward *forward = question->forward;

    for (GList *l = question->queries.head; l && !forward->loop_logged; l = l->next) {
        const struct forward_query *query = l->data;
        const union endpoint *server = relay_asked_at(question->relay, &query->usage->address);
        char text[ENDPOINT_TEXT_MAX];

        if (!server || address_is_loopback(&query->usage->address))
            continue;
        endpoint_format(server, text);
        log_warning("%s gave no answer to what it asked here itself: if it forwards to this "
                    "program, that is a loop",
                    text);
        forward->loop_logged = true;
    }
}

static void on_relayed(void *userdata, uint8_t *message, size_t size)
{
    struct question *question = userdata;
    struct forward *forward = question->forward;

    if (size == 0)
        question_look_for_loop(question);
    /* Later clients start a new question. */
    g_hash_table_steal(forward->questions, question);
    question_answer(question, message, size);
    question_free(question);
}

/* --- Asking ---------------------------------------------------------------------------------- */

static struct question *question_new(struct forward *forward, bool tcp, const uint8_t *message,
                                     size_t size)
{
    struct question *question = g_malloc(sizeof *question + size);

    *question = (struct question){.forward = forward, .tcp = tcp, .size = size};
    memcpy(question->message, message, size);
    forward->n_tcp += tcp;
    return question;
}

/* The pending question, or a new one; NULL: none can be sent. */
static struct question *forward_question(struct forward *forward, const uint8_t *message,
                                         size_t size, const struct forward_client *client,
                                         const struct client_usage *usage)
{
    struct question *new = question_new(forward, client->tcp, message, size);
    struct question *old = g_hash_table_lookup(forward->questions, new);

    if (old) {
        question_free(new);
        return question_is_own(old, &client->from) ? NULL : old;
    }
    if (g_hash_table_size(forward->questions) < QUESTIONS_MAX &&
        forward->n_tcp <= TCP_QUESTIONS_MAX && (!new->tcp || usage->n_tcp < TCP_QUESTIONS_MAX / 2))
        new->relay = relay_new(&forward->context, new->tcp, message, size, on_relayed, new);
    if (!new->relay) {
        question_free(new);
        return NULL;
    }
    g_hash_table_add(forward->questions, new);
    return new;
}

/* Is there room for another query, perhaps instead of the oldest? */
static bool usage_has_room(struct client_usage *usage)
{
    struct forward_query *oldest;
    struct forward_client client;

    if (usage->queries.length < QUESTIONS_MAX / 2)
        return true;
    oldest = usage->queries.head->data;
    if (g_get_monotonic_time() - oldest->since < SHARE_TIME_USEC)
        return false;
    client = oldest->client;
    forward_cancel(oldest);
    client.reply(client.userdata, NULL, 0);
    return true;
}

/* NULL: the client has used up its share. */
static struct client_usage *forward_usage(struct forward *forward,
                                          const struct forward_client *client)
{
    struct address address;
    struct client_usage *usage;

    endpoint_address(&client->from, &address);
    usage = g_hash_table_lookup(forward->clients, &address);
    if (!usage) {
        usage = g_new(struct client_usage, 1);
        *usage = (struct client_usage){.address = address};
        g_hash_table_insert(forward->clients, &usage->address, usage);
    }
    return usage_has_room(usage) ? usage : NULL;
}

struct forward_query *forward_ask(struct forward *forward, const uint8_t *message, size_t size,
                                  const struct forward_client *client)
{
    struct forward_query *query;
    struct question *question;
    struct client_usage *usage;

    if (size > DNS_MESSAGE_MAX || dns_question_size(message, size) == 0 ||
        forward->n_queries == QUERIES_MAX)
        return NULL;
    usage = forward_usage(forward, client);
    if (!usage)
        return NULL;
    question = forward_question(forward, message, size, client, usage);
    if (!question) {
        if (!usage->queries.head)
            g_hash_table_remove(forward->clients, &usage->address);
        return NULL;
    }
    query = g_new(struct forward_query, 1);
    *query = (struct forward_query){
        .question = question,
        .turn.data = query,
        .age.data = query,
        .since = g_get_monotonic_time(),
        .usage = usage,
        .client = *client,
        .starts_tcp = question->tcp && !question->queries.head,
        .id = {message[0], message[1]},
    };
    g_queue_push_tail_link(&question->queries, &query->turn);
    g_queue_push_tail_link(&usage->queries, &query->age);
    usage->n_tcp += query->starts_tcp;
    forward->n_queries++;
    return query;
}

struct forward_query *forward_cancel(struct forward_query *query)
{
    struct question *question;

    if (!query)
        return NULL;
    question = query->question;
    g_queue_unlink(&question->queries, &query->turn);
    query_free(query);
    /* Removing frees it; one that is being answered is no longer in the table. */
    if (!question->queries.head &&
        g_hash_table_lookup(question->forward->questions, question) == question)
        g_hash_table_remove(question->forward->questions, question);
    return NULL;
}

/* --- The whole ------------------------------------------------------------------------------- */

/* Pending questions are sent to the new servers: the old ones have often stopped answering. */
static void forward_on_change(void *userdata)
{
    struct forward *forward = userdata;
    GHashTableIter iter;
    void *question;

    forward->loop_logged = false;
    g_hash_table_iter_init(&iter, forward->questions);
    while (g_hash_table_iter_next(&iter, &question, NULL))
        relay_restart(((struct question *)question)->relay);
}

struct forward *forward_new(sd_event *event, const struct forward_options *options)
{
    struct forward *forward = g_new0(struct forward, 1);

    forward->context.event = sd_event_ref(event);
    forward->questions = g_hash_table_new_full(question_hash, question_equal, question_free, NULL);
    forward->clients = g_hash_table_new_full(hash_address, equal_address, NULL, g_free);
    forward->context.upstreams = upstreams_new(event, options, forward_on_change, forward);
    return forward;
}

struct forward *forward_free(struct forward *forward)
{
    if (!forward)
        return NULL;
    g_hash_table_unref(forward->questions);
    g_hash_table_unref(forward->clients);
    upstreams_free(forward->context.upstreams);
    sd_event_unref(forward->context.event);
    g_free(forward);
    return NULL;
}
