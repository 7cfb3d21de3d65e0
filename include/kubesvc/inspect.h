/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests of the command line that are not lookups, and their responses. They share the header of
 * protocol.h and may change with the daemon; only the header is stable.
 *
 * Request INSPECT: `length` bytes of payload, which are words, each terminated by a NUL, at most
 * KUBESVC_INSPECT_ARGS; the first one is the verb. Responses: any number of TEXT frames, of at most
 * KUBESVC_INSPECT_FRAME bytes of payload each. Together they are lines of UTF-8, each a JSON object
 * (for metrics: plain text). Then one END frame, whose payload is a `struct kubesvc_inspect_end`. A
 * daemon that does not know the verb ends with KUBESVC_INSPECT_UNKNOWN, one that is too busy with
 * KUBESVC_INSPECT_BUSY.
 *
 * The verbs, their arguments and their lines are listed below. Strings from manifests are passed on
 * unchanged, JSON-escaped. Lists are unordered unless stated otherwise. "position" is
 * {"file","line","column"}; absent values are omitted.
 *
 *   services [NAMESPACE]     "" or none: all
 *     {"kind":"Service","namespace","name","headless":bool,
 *      "type":"ClusterIP"|"NodePort"|"LoadBalancer"|"ExternalName",
 *      "asHeadless":bool,        it is answered with its stated endpoints: no cluster IP is stated
 *      "clusterIPs":[ADDRESS],"origin":"stated"|"allocated"|"none","externalName",
 *      "selector":{K:V},"labels":{},"ports":[{"name","port","protocol","targetPort"}],
 *      "publishNotReadyAddresses":bool,"exposed":bool,"endpoints":N,"position"}
 *
 *   endpoints [NAMESPACE]
 *     {"kind":"Endpoints","namespace","name",
 *      "source":"slices"|"pods"|"endpoints"|"stated"|"none",
 *      "addresses":[{"address","label","origin":ORIGIN,"pod","ports":[..]}]}
 *     ORIGIN: "stated"|"allocated"|"node", or the runtime of the pod: "podman"|"cni"|"kubelet"
 *
 *   pods [NAMESPACE]         Pods in the files, and replicas of expanded workloads
 *     {"kind":"Pod","namespace","name","addresses":[ADDRESS],"origin":ORIGIN|"none",
 *      "network":TEXT of the runtime,"ready":bool,"why":TEXT if no runtime runs it,"phase",
 *      "labels":{},"hostname","subdomain","workload":"Deployment/app","position"}
 *
 *   workloads [NAMESPACE]
 *     {"kind":"Deployment",..,"namespace","name","replicas":N,"expanded":N,
 *      "why":TEXT if it is not expanded, or no runtime runs some of its pods,
 *      "selector":{},"labels":{} of the template,"position"}
 *
 *   namespaces
 *     {"kind":"Namespace","name","exposed":bool,"objects":N,"services":N}
 *
 *   names [NAMESPACE]        everything that resolves forward
 *     {"name":FQDN,"inet":[..],"inet6":[..],"kind":"Service"|"Endpoint"|"Pod"|"ExternalName",
 *      "target"}
 *
 *   describe NAMESPACE NAME  one line: as for `services`, and in addition
 *     "forwarded":bool,         as for `backends`
 *     "forwarder":PROGRAM,      that follows `backends` now
 *     "terminating":N,          if any: not ready, but serving; used while no endpoint is ready
 *     "names":[FQDN],
 *     "endpointList":[{"address","label","ready":bool,"pod","origin","why":TEXT if it is left out,
 *                      "position"}],
 *     "sources":[position and kind/name of each slice, Endpoints object and pod used],
 *     "shadowed":[position of each overridden definition]
 *
 *   explain NAMESPACE NAME   NAMESPACE "": the daemon's; one line for each step, in order:
 *     {"step":"candidate","name",
 *      "outcome":"FOUND"|"NODATA"|"NXDOMAIN"|"NOT_OURS"|"EXTERNAL","text"}
 *     {"step":"service","namespace","name","text","position",
 *      "shadowed":[position]}   as for `describe`, if there are any
 *     {"step":"pod","namespace","name","counts":bool,"text","position"}
 *                               "name" is that of a Pod, or "Deployment/app"; without it, the line
 *                               is about all others. "text" is, for example, "label app is web2,
 *                               selector wants web".
 *     {"step":"cause","name":PATH,"text","position"}   why there is no such Service
 *     {"step":"near","name","text"}                    similar names, if there is no such name
 *     {"step":"result","status":"FOUND"|"NO_DATA"|"NOT_FOUND"|"NOT_OURS"|"TRY_AGAIN","text"}
 *
 *   query NAMESPACE NAME|ADDRESS FAMILY   the answer of a lookup, one line
 *     {"status","canonical","aliases":[..],"inet":[..],"inet6":[..],"origin":TEXT,"position"}
 *     FAMILY: "any"|"inet"|"inet6". For names outside the zone the status is TRY_AGAIN unless the
 *     daemon already knows the answer, for instance because of an earlier lookup.
 *
 *   status                   one line
 *     {"version","uptimeSeconds","zone","zones":[others, if any],"namespace","socket","state",
 *      "loaded":bool,
 *      "loading":{"files","filesFound","objects","objectsFound"},   while manifests are processed
 *      "sources":[{"path","zone" if it is not the main one,"files":N,"objects":N,
 *                  "watch":"inotify"|"polling"|"missing"}],
 *      "runtimes":[{"runtime","directory",
 *                   "watch":"inotify"|"polling"|"missing"|"removed"|"unreadable",
 *                   "files":N,"seen":N pods,"taken":N of them that belong to manifests}],
 *      "clusters":[{"cluster","directory","server","state","running":bool,"fresh":bool,"since",
 *                   "contact","ageSeconds","problem","services":N,"endpointSlices":N}],
 *      "configuration":{as for `config`, without settings},
 *      "files":N,"objects":N,"ignored":N,
 *      "passedOver":[{"why":"hidden"|"leftover"|"other ending"|"not recursive"|"skipped",
 *                     "count":N,"first":[PATH]}],
 *      "errors":[{"file","line","column","severity","object","message","rule","since":ISO time,
 *                 "stale":bool}],
 *      "conflicts":[{"object","inForce":position,"shadowed":position}],
 *      "forwarders":[{"program","pid","uid"}],   those that follow `backends` with a name
 *      "notes":[TEXT],           such as Services answered with their endpoints, full ranges
 *      "snapshot":{"bytes","liveBytes","records","publishes","ageSeconds","compactions"},
 *      "questions":{"total","found","noData","notFound","notOurs","tryAgain","refused"},
 *      "latencyMicroseconds":[{"le":N,"count":N}],
 *      "leases":[{"use":"pods"|"services","held":N,"size":N}],
 *      "changes":[{"time":ISO time,"text"}]}   the most recent ones
 *
 *   config                   one line
 *     {"files":[PATH],          in the order in which they were read
 *      "reloads":N,             how many have ended, carried out or rejected
 *      "reloadsBegun":N,        how many have begun
 *      "rejected":{"since":ISO time,"errors":[TEXT]},   if the last reload was rejected
 *      "changed":bool,          whether the files differ from the configuration in effect
 *      "problems":[TEXT],       what is wrong with the files
 *      "settings":[{"key","value","source":"default"|"file"|"option","file","line","option"}]}
 *
 *   metrics                  Prometheus text exposition format
 *
 *   watch [questions]        continues: an empty TEXT frame at once, then a line for each change
 *     {"event":"change","time","text"}
 *     and with `questions`, for root and the daemon's user only (others: DENIED), for each lookup
 *     {"event":"question","time","name","family","namespace","status","addresses":N,
 *      "microseconds":N,"uid":N,"pid":N}
 *
 *   backends [PROGRAM]       continues: the backends of each cluster IP, for programs that forward
 *                            connections to it. PROGRAM, at most 32 of [a-z0-9-], says that the
 *                            caller is one, and is its name in `status`.
 *     {"event":"ranges","serviceCIDRs":[RANGE]}   from which cluster IPs are allocated
 *     {"event":"service","namespace","name","clusterIPs":[ADDRESS],"origin":"stated"|"allocated",
 *      "forwarded":bool,         whether the caller should forward it (`proxy` in kubesvcd.yaml)
 *      "affinitySeconds":N,      of sessionAffinity ClientIP
 *      "ports":[{"name","protocol":"TCP"|"UDP"|"SCTP","port":N,
 *                "endpoints":[{"address","port":N}],     ready ones, sorted, each once
 *                "terminating":[..]}]}     the same, if any: not ready, but serving until they end;
 *                              for a family without ready ones, connections go to these, and
 *                              in any case those that exist continue
 *                              No "ports" if those of all Services and their endpoints are more
 *                              than 262144, where an endpoint counts 32 times with session
 *                              affinity: connections are refused.
 *     {"event":"removed","namespace","name"}      removed, or no longer with a cluster IP
 *     {"event":"end"}          ends a batch
 *     The first batch has the ranges and all Services, and is sent once manifests are loaded. Then
 *     each publication that changes any of this causes a batch with the changed Services, each
 *     complete, and the removed ones. No batch is omitted: a caller that does not read is
 *     disconnected, and starts again with everything.
 */
#pragma once

#include <stdint.h>

#include <kubesvc/protocol.h>

#define KUBESVC_REQUEST_INSPECT 0x80u
#define KUBESVC_RESPONSE_TEXT 0xc0u
#define KUBESVC_RESPONSE_END 0xc1u

#define KUBESVC_INSPECT_ARGS 8u
#define KUBESVC_INSPECT_FRAME 65536u

enum kubesvc_inspect_result {
    KUBESVC_INSPECT_DONE = 0,
    KUBESVC_INSPECT_NOT_FOUND = 1, /* describe, explain: no such object */
    KUBESVC_INSPECT_UNKNOWN = 2,
    KUBESVC_INSPECT_BUSY = 3,
    KUBESVC_INSPECT_DENIED = 4,
    KUBESVC_INSPECT_TOO_LARGE = 5, /* more than the daemon keeps in memory for one answer */
};

struct kubesvc_inspect_end {
    uint32_t result; /* enum kubesvc_inspect_result */
};
