/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers and paths that the module, the daemon and the command line agree on. Nothing here is
 * configurable; what is configurable has its default in daemon/config/config.h.
 */
#pragma once

#define KUBESVC_SOCKET_PATH "/run/kubesvc/socket"
#define KUBESVC_MODULE "libnss_kubesvc.so.2" /* as libc looks for it */
#define KUBESVC_DEFAULT_ZONE "cluster.local"
#define KUBESVC_DNS_LISTEN "127.0.0.63:53" /* kubesvc-dns, by default */

/* RFC 1035 in presentation form: no final dot counted, no terminating NUL. */
#define KUBESVC_NAME_MAX 253u
#define KUBESVC_LABEL_MAX 63u

/* "namespace", or in another zone than the main one "namespace@zone". */
#define KUBESVC_NAMESPACE_MAX KUBESVC_NAME_MAX

/* Zones besides the main one. */
#define KUBESVC_ZONES_MAX 64u

/* Domains of a search list: as many as a cluster allows a pod. */
#define KUBESVC_SEARCH_MAX 32u

/* CNAME links followed before giving up (rule 59). */
#define KUBESVC_CHAIN_MAX 11u

/* Canonical name and every alias of an answer, each with its NUL. */
#define KUBESVC_NAMES_MAX (KUBESVC_CHAIN_MAX + 5u)
#define KUBESVC_NAMES_SIZE_MAX (KUBESVC_NAMES_MAX * (KUBESVC_NAME_MAX + 1u))

/* Addresses of both families together in one answer. */
#define KUBESVC_ADDRESSES_MAX 1048576u

/* Milliseconds: the whole exchange, the time the daemon is left alone after a timeout, the longest
 * a question may stay PENDING, the interval between PENDING frames. */
#define KUBESVC_DEADLINE_MS 250
#define KUBESVC_BACKOFF_MS 1000
#define KUBESVC_PENDING_MAX_MS 30000
#define KUBESVC_PENDING_EVERY_MS 100

/* Of a snapshot mapped by a process. A daemon writes its heartbeat every second; a daemon with an
 * older heartbeat than the first limit, in seconds, hangs, and its socket is asked first. Its
 * snapshot remains valid for the second. */
#define KUBESVC_HEARTBEAT_LATE_S 15
#define KUBESVC_HEARTBEAT_LOST_S 300
/* Milliseconds to wait for the socket if such a snapshot already has an answer. */
#define KUBESVC_STALE_DEADLINE_MS 20
/* Milliseconds before a daemon that has no snapshot to give (yet), or knows of none, is asked for
 * it again. */
#define KUBESVC_MAP_RETRY_MS 1000
#define KUBESVC_MAP_UNSUPPORTED_MS 60000
