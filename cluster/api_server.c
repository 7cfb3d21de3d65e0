/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests. libcurl's own resolver is getaddrinfo, and so NSS; hence every name is resolved here
 * and pinned for libcurl before a request begins. Addresses are kept while requests succeed.
 */
#include "api_server.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "hosts.h"
#include "lib/util/address.h"
#include "status_text.h"
#include "transfers.h"

#define CONNECT_TIMEOUT_MS 10000L
#define SILENCE_MAX_MS 45000
#define ERROR_BODY_MAX 16384u
#define ADDRESSES_PERIOD 300000000u /* microseconds after which a name is resolved again */

struct api_server {
    sd_event *event;
    struct kubeconfig *kubeconfig;
    struct transfers *transfers;
    struct hosts *hosts;
    char *addresses; /* of the peer; NULL: to be resolved */
    uint64_t resolved_at;
    bool numeric, resolving;
    GQueue requests; /* struct api_request */
};

struct api_request {
    struct api_server *server;
    GList link;
    struct api_server_get get; /* its path is our own */
    struct api_server_handler handler;
    bool retried;
    CURL *handle; /* NULL: not begun */
    struct curl_slist *headers, *pins, *connect_to;
    GString *error_body;
    char error[CURL_ERROR_SIZE];
    sd_event_source *fail; /* fails for `problem` */
    char *problem;
};

static uint64_t api_server_now(const struct api_server *server)
{
    uint64_t now = 0;

    (void)sd_event_now(server->event, CLOCK_MONOTONIC, &now);
    return now;
}

/* A network that swallows everything is noticed in less than a minute. */
static int on_socket_open(void *userdata, curl_socket_t fd, curlsocktype purpose)
{
    (void)userdata, (void)purpose;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(int){SILENCE_MAX_MS}, sizeof(int));
    return CURL_SOCKOPT_OK;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *userdata)
{
    struct api_request *request = userdata;
    size_t length = size * n;
    long status = 0;

    (void)curl_easy_getinfo(request->handle, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        gsize room = ERROR_BODY_MAX - request->error_body->len;

        g_string_append_len(request->error_body, bytes, (gssize)MIN(room, length));
        return length;
    }
    return request->handler.body(request->handler.userdata, bytes, length) ? length : 0;
}

static void set_blob(CURL *handle, CURLoption option, const GString *data)
{
    struct curl_blob blob = {.flags = CURL_BLOB_COPY};

    if (!data)
        return;
    blob.data = data->str;
    blob.len = data->len;
    (void)curl_easy_setopt(handle, option, &blob);
}

static void add_header(struct api_request *request, const char *format, const char *value)
{
    g_autofree char *header = g_strdup_printf(format, value);

    request->headers = curl_slist_append(request->headers, header);
    explicit_bzero(header, strlen(header));
}

static void set_credentials(struct api_request *request)
{
    CURL *handle = request->handle;
    struct kubeconfig *kubeconfig = request->server->kubeconfig;
    uint64_t now = api_server_now(request->server);
    const GString *token = secret_get(&kubeconfig->token, now, request->retried);

    if (kubeconfig->secure) {
        set_blob(handle, CURLOPT_SSLCERT_BLOB, secret_get(&kubeconfig->certificate, now, false));
        set_blob(handle, CURLOPT_SSLKEY_BLOB, secret_get(&kubeconfig->key, now, false));
    }
    if (token && token->len > 0) {
        g_autofree char *text = g_strndup(token->str, token->len);

        add_header(request, "Authorization: Bearer %s", g_strstrip(text));
        explicit_bzero(text, strlen(text));
    } else if (kubeconfig->user) {
        (void)curl_easy_setopt(handle, CURLOPT_USERNAME, kubeconfig->user);
        (void)curl_easy_setopt(handle, CURLOPT_PASSWORD,
                               kubeconfig->password ? kubeconfig->password : "");
    }
}

static void set_tls(struct api_request *request)
{
    CURL *handle = request->handle;
    struct kubeconfig *kubeconfig = request->server->kubeconfig;

    if (kubeconfig->insecure) {
        (void)curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
        (void)curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
    } else if (secret_is_set(&kubeconfig->ca)) {
        const GString *ca = secret_get(&kubeconfig->ca, api_server_now(request->server), false);

        /* This authority and no other one. */
        (void)curl_easy_setopt(handle, CURLOPT_CAPATH, NULL);
        (void)curl_easy_setopt(handle, CURLOPT_CAINFO, NULL);
        set_blob(handle, CURLOPT_CAINFO_BLOB, ca ? ca : &(GString){.str = (char[]){""}});
    }
}

/* Which name the URL has (it is what the certificate is checked against), and where that leads. */
static void set_target(struct api_request *request)
{
    CURL *handle = request->handle;
    const struct api_server *server = request->server;
    const struct kubeconfig *kubeconfig = server->kubeconfig;
    unsigned port = kubeconfig->port;
    g_autofree char *host =
        g_strdup_printf(strchr(kubeconfig->host, ':') ? "[%s]" : "%s", kubeconfig->host);
    const char *name = kubeconfig->tls_name && kubeconfig->secure ? kubeconfig->tls_name : host;
    g_autofree char *url =
        g_strdup_printf("%s://%s:%u%s%s", kubeconfig->secure ? "https" : "http", name, port,
                        kubeconfig->path ? kubeconfig->path : "", request->get.path);

    (void)curl_easy_setopt(handle, CURLOPT_URL, url);
    if (name != host) {
        g_autofree char *to = g_strdup_printf("%s:%u:%s:%u", name, port, host, port);
        g_autofree char *value = g_strdup_printf("%s:%u", host, port);

        request->connect_to = curl_slist_append(NULL, to);
        (void)curl_easy_setopt(handle, CURLOPT_CONNECT_TO, request->connect_to);
        add_header(request, "Host: %s", value);
    }
    if (server->addresses) {
        g_autofree char *pin =
            g_strdup_printf("%s:%u:%s", kubeconfig->peer, kubeconfig->peer_port, server->addresses);

        request->pins = curl_slist_append(NULL, pin);
        (void)curl_easy_setopt(handle, CURLOPT_RESOLVE, request->pins);
    }
    (void)curl_easy_setopt(handle, CURLOPT_PROXY, kubeconfig->proxy ? kubeconfig->proxy : "");
    (void)curl_easy_setopt(handle, CURLOPT_NOPROXY, "");
}

static void set_limits(struct api_request *request)
{
    CURL *handle = request->handle;

    (void)curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    (void)curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)(request->get.timeout / 1000));
    if (request->get.idle > 0) {
        (void)curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
        (void)curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, (long)(request->get.idle / 1000000));
    }
    (void)curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(handle, CURLOPT_TCP_KEEPIDLE, 20L);
    (void)curl_easy_setopt(handle, CURLOPT_TCP_KEEPINTVL, 10L);
    (void)curl_easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, on_socket_open);
    (void)curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
    (void)curl_easy_setopt(handle, CURLOPT_PIPEWAIT, (long)request->server->kubeconfig->secure);
}

static void api_request_clear(struct api_request *request)
{
    if (request->handle)
        transfers_remove(request->server->transfers, request->handle);
    g_clear_pointer(&request->handle, curl_easy_cleanup);
    for (struct curl_slist *header = request->headers; header; header = header->next)
        explicit_bzero(header->data, strlen(header->data));
    g_clear_pointer(&request->headers, curl_slist_free_all);
    g_clear_pointer(&request->pins, curl_slist_free_all);
    g_clear_pointer(&request->connect_to, curl_slist_free_all);
    request->error[0] = '\0';
    g_string_truncate(request->error_body, 0);
}

/* Reports a failure, but not from within api_server_get. */
static void api_request_fail(struct api_request *request, const char *problem)
{
    g_free(request->problem);
    request->problem = g_strdup(problem);
    (void)sd_event_source_set_enabled(request->fail, SD_EVENT_ONESHOT);
}

static void api_request_start(struct api_request *request)
{
    CURL *handle = curl_easy_init();

    if (!handle)
        g_error("out of memory");
    request->handle = handle;
    (void)curl_easy_setopt(handle, CURLOPT_PRIVATE, request);
    (void)curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(handle, CURLOPT_WRITEDATA, request);
    (void)curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, request->error);
    /* curl's own name would get indented JSON, twice as large. */
    (void)curl_easy_setopt(handle, CURLOPT_USERAGENT, "kubesvc-cluster/" KUBESVC_VERSION);
    if (request->get.compressed)
        (void)curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "gzip");
    add_header(request, "Accept: %s", "application/json");
    set_limits(request);
    set_target(request);
    set_tls(request);
    set_credentials(request);
    (void)curl_easy_setopt(handle, CURLOPT_HTTPHEADER, request->headers);
    if (transfers_add(request->server->transfers, handle) < 0)
        api_request_fail(request, "cannot be started");
}

static void on_found(void *userdata, const char *addresses, const char *problem)
{
    struct api_server *server = userdata;
    const char *peer = server->kubeconfig->peer;
    g_autofree char *text =
        addresses ? NULL : g_strdup_printf("cannot resolve %s: %s", peer, problem);

    server->resolving = false;
    if (addresses) {
        g_free(server->addresses);
        server->addresses = g_strdup(addresses);
        server->resolved_at = api_server_now(server);
    }
    for (GList *link = server->requests.head; link; link = link->next) {
        struct api_request *request = link->data;

        if (request->handle || request->problem)
            continue;
        if (addresses)
            api_request_start(request);
        else
            api_request_fail(request, text);
    }
}

/* Starts the request, if need be after the name was resolved. */
static void api_request_begin(struct api_request *request)
{
    struct api_server *server = request->server;

    api_request_clear(request);
    if (server->numeric ||
        (server->addresses && api_server_now(server) - server->resolved_at < ADDRESSES_PERIOD)) {
        api_request_start(request);
        return;
    }
    if (server->resolving)
        return;
    server->resolving = true;
    if (hosts_find(server->hosts, server->kubeconfig->peer, on_found, server) < 0) {
        server->resolving = false;
        api_request_fail(request, "cannot resolve names: there is no nameserver");
    }
}

static void api_request_finish(struct api_request *request,
                               const struct api_server_outcome *outcome)
{
    request->handler.done(request->handler.userdata, outcome);
    api_request_free(request);
}

static int on_fail(sd_event_source *source, void *userdata)
{
    struct api_request *request = userdata;
    struct api_server_outcome outcome = {.problem = request->problem};

    (void)source;
    api_request_finish(request, &outcome);
    return 0;
}

static void on_done(void *userdata, CURL *handle, CURLcode result)
{
    struct api_server *server = userdata;
    struct api_request *request = NULL;
    struct api_server_outcome outcome = {0};
    g_autofree char *problem = NULL;
    curl_off_t retry_after = 0;
    long status = 0;

    (void)curl_easy_getinfo(handle, CURLINFO_PRIVATE, (char **)&request);
    (void)curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &retry_after);
    /* A token that was replaced: read again, once. */
    if (status == 401 && !request->retried && server->kubeconfig->token.path) {
        request->retried = true;
        api_request_begin(request);
        return;
    }
    if (result != CURLE_OK && result != CURLE_WRITE_ERROR) /* the latter is of on_body */
        g_clear_pointer(&server->addresses, g_free);       /* it may have moved */
    if (result != CURLE_OK)
        problem = transport_text(request->error[0] ? request->error : curl_easy_strerror(result));
    else if (status != 200)
        problem = status_text(status, request->error_body->str, request->error_body->len);
    outcome.status = (unsigned)status;
    outcome.problem = problem;
    outcome.body = request->error_body->str;
    outcome.retry_after = retry_after > 0 ? (uint64_t)retry_after * 1000000 : 0;
    api_request_finish(request, &outcome);
}

int api_server_new(struct api_server **serverp, sd_event *event, struct kubeconfig *kubeconfig)
{
    struct api_server *server = g_new0(struct api_server, 1);
    struct address address;
    int r;

    server->event = sd_event_ref(event);
    server->kubeconfig = kubeconfig;
    server->numeric = address_parse(&address, kubeconfig->peer, strlen(kubeconfig->peer));
    server->transfers = transfers_new(event, on_done, server);
    r = hosts_new(&server->hosts, event);
    if (r < 0) {
        api_server_free(server);
        return r;
    }
    *serverp = server;
    return 0;
}

struct api_server *api_server_free(struct api_server *server)
{
    if (!server)
        return NULL;
    while (server->requests.head)
        api_request_free(server->requests.head->data);
    transfers_free(server->transfers);
    hosts_free(server->hosts);
    sd_event_unref(server->event);
    g_free(server->addresses);
    g_free(server);
    return NULL;
}

struct api_request *api_server_get(struct api_server *server, const struct api_server_get *get,
                                   const struct api_server_handler *handler)
{
    struct api_request *request = g_new0(struct api_request, 1);

    request->server = server;
    request->link.data = request;
    request->handler = *handler;
    request->get = *get;
    request->get.path = g_strdup(get->path);
    request->get.compressed &= !server->kubeconfig->no_compression;
    request->error_body = g_string_new(NULL);
    if (sd_event_add_defer(server->event, &request->fail, on_fail, request) < 0)
        g_error("out of memory");
    (void)sd_event_source_set_enabled(request->fail, SD_EVENT_OFF);
    g_queue_push_tail_link(&server->requests, &request->link);
    api_request_begin(request);
    return request;
}

struct api_request *api_request_free(struct api_request *request)
{
    if (!request)
        return NULL;
    api_request_clear(request);
    g_queue_unlink(&request->server->requests, &request->link);
    sd_event_source_disable_unref(request->fail);
    g_string_free(request->error_body, TRUE);
    g_free((char *)request->get.path);
    g_free(request->problem);
    g_free(request);
    return NULL;
}
