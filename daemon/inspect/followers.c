/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Followers: each message is written once, for all of them. The server is observed only while a
 * client follows questions, so that otherwise a question costs nothing more.
 */
#include "followers.h"

#include <glib.h>
#include <unistd.h>

#include "lib/util/json.h"
#include "query.h"
#include "report.h"

struct followers {
    struct server *server;
    struct streams *streams;
    GString *line; /* being written */
    struct json *json;
};

static void observe(void *userdata);

struct followers *followers_new(sd_event *event, struct server *server)
{
    struct followers *followers = g_new(struct followers, 1);

    *followers = (struct followers){
        .server = server,
        .streams = streams_new(&(struct streams_options){.event = event,
                                                         .of_all = 16,
                                                         .of_user = 8,
                                                         .lag = (size_t)1 << 20,
                                                         .gone = observe,
                                                         .userdata = followers}),
        .line = g_string_new(NULL),
    };
    followers->json = json_new(false, json_to_string, followers->line);
    return followers;
}

struct followers *followers_free(struct followers *followers)
{
    if (!followers)
        return NULL;
    server_observe(followers->server, NULL, NULL);
    streams_free(followers->streams);
    json_free(followers->json);
    g_string_free(followers->line, TRUE);
    g_free(followers);
    return NULL;
}

/* --- Telling --- */

static void begin(struct followers *followers, const char *event, uint64_t time)
{
    g_string_truncate(followers->line, 0);
    json_open(followers->json, NULL);
    json_text(followers->json, "event", event);
    json_time(followers->json, "time", time);
}

static void end(struct followers *followers, bool question)
{
    json_close_line(followers->json);
    streams_emit(followers->streams, followers->line->str, question);
}

void followers_emit(struct followers *followers, uint64_t time, const char *text)
{
    begin(followers, "change", time);
    json_text(followers->json, "text", text);
    end(followers, false);
}

static void put_asked(struct json *json, const struct request *request)
{
    if (request->kind == REQUEST_NAME) {
        g_autofree char *name = g_strndup(request->name, request->name_length);

        json_text(json, "name", name);
    } else {
        struct address address = inspect_query_address(request);

        json_address(json, "name", &address);
    }
}

static void on_question(void *userdata, const struct server_question *query)
{
    static const char *const families[] = {[KUBESVC_FAMILY_ANY] = "any",
                                           [KUBESVC_FAMILY_INET] = "inet",
                                           [KUBESVC_FAMILY_INET6] = "inet6"};
    struct followers *followers = userdata;
    const struct request *request = query->request;
    g_autofree char *ns = NULL;
    struct json *json = followers->json;
    struct ucred peer = {0};
    socklen_t size = sizeof peer;

    begin(followers, "question", (uint64_t)g_get_real_time());
    put_asked(json, request);
    json_text(json, "family", families[request->family]);
    if (request->kind == REQUEST_NAME && request->namespace_length > 0)
        ns = g_strndup(request->ns, request->namespace_length);
    json_text(json, "namespace", ns);
    json_text(json, "status", report_status_name(query->status));
    json_number(json, "addresses", query->n_addresses);
    json_number(json, "microseconds", query->microseconds);
    if (getsockopt(query->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) {
        json_number(json, "uid", peer.uid);
        json_number(json, "pid", (uint64_t)peer.pid);
    }
    end(followers, true);
}

static void observe(void *userdata)
{
    const struct followers *followers = userdata;
    struct stream_client clients[STREAMS_MAX];
    unsigned n = streams_list(followers->streams, clients);
    bool questions = false;

    for (unsigned i = 0; i < n; i++)
        questions |= clients[i].questions;
    server_observe(followers->server, questions ? on_question : NULL, userdata);
}

/* --- Following --- */

enum followers_added followers_add(struct followers *followers, int fd, const struct ucred *peer,
                                   bool questions)
{
    struct stream_client client = {.pid = peer->pid, .uid = peer->uid, .questions = questions};
    struct frame_writer hello;

    /* What others ask is for them, root and the daemon's own user to know. */
    if (questions && peer->uid != 0 && peer->uid != geteuid())
        return FOLLOWERS_DENIED;
    frame_writer_init(&hello);
    /* An empty frame says that from now on nothing is missed. */
    frame_writer_write_empty(&hello);
    bool added = streams_add(followers->streams, fd, &client, &hello);
    frame_writer_clear(&hello);
    observe(followers);
    return added ? FOLLOWERS_ADDED : FOLLOWERS_BUSY;
}
