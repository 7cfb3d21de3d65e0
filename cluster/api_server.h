/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The API server of one cluster: GET requests with the kubeconfig's credentials.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "kubeconfig.h"
#include "lib/util/error.h"

struct api_server;
struct api_request;

struct api_server_outcome {
    const char *problem;  /* NULL: the whole response has arrived, with status 200; else of the
                             transport, or "HTTP 403" with the server's message */
    unsigned status;      /* HTTP; 0: none arrived */
    const char *body;     /* of a response that is not 200: its beginning, or NULL */
    uint64_t retry_after; /* microseconds, 0: none requested */
};

struct api_server_handler {
    /* Bytes of a 200 response. False ends the request. */
    bool (*body)(void *userdata, const char *bytes, size_t size);
    /* Once for each request, which is gone then; not before api_server_get has returned. */
    void (*done)(void *userdata, const struct api_server_outcome *outcome);
    void *userdata;
};

/* `kubeconfig` is borrowed, and its files read again as needed. */
MUST_USE int api_server_new(struct api_server **serverp, sd_event *event,
                            struct kubeconfig *kubeconfig);
struct api_server *
api_server_free(struct api_server *server); /* returns NULL; drops all requests */

struct api_server_get {
    const char *path; /* with its query, below the server's own path */
    bool compressed;  /* gzip, if the kubeconfig has nothing against it */
    uint64_t timeout; /* of the whole, in microseconds */
    uint64_t idle;    /* how long nothing may arrive; 0: as long as the whole takes */
};

struct api_request *api_server_get(struct api_server *server, const struct api_server_get *get,
                                   const struct api_server_handler *handler);

/* Forgets a request whose `done` was not called yet. Returns NULL. */
struct api_request *api_request_free(struct api_request *request);
