/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of a kubeconfig says how to reach one cluster, and as whom.
 */
#pragma once

#include <stdbool.h>

#include "lib/util/error.h"
#include "secret.h"

struct kubeconfig {
    char *cluster; /* its name in the file */
    char *server;  /* "https://HOST[:PORT][/PATH]", without a slash at the end */
    char *host;    /* of it, without brackets */
    unsigned port;
    bool secure;    /* https */
    char *path;     /* of it: "" or "/..." */
    char *tls_name; /* NULL: the host */
    char *proxy;    /* URL, or NULL */
    char *peer;     /* host that is connected to: the proxy's, or else the server's */
    unsigned peer_port;
    bool insecure;       /* the server's certificate is not verified */
    bool no_compression; /* lists are requested without gzip */
    struct secret ca, certificate, key, token;
    char *user, *password; /* basic authentication, or NULL */
};

/* Reads `path`, with the context of that name or (NULL) the current one. What is wrong is logged. 0
 * or negative errno. */
MUST_USE int kubeconfig_read(struct kubeconfig *kubeconfig, const char *path, const char *context);
void kubeconfig_clear(struct kubeconfig *kubeconfig);
