/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the command line asks of the daemon: requests and responses that are not lookups. They share
 * the header of protocol.h and may change with the daemon; only the header is stable.
 *
 * Request INSPECT: `length` bytes of payload: words, each ended by a NUL, at most
 * KUBESVC_INSPECT_ARGS; the first is the verb. Responses: any number of TEXT frames (at most
 * KUBESVC_INSPECT_FRAME bytes of payload each), which together are lines of UTF-8, each line one
 * JSON object (metrics: plain text); then one END frame whose payload is a `struct
 * kubesvc_inspect_end`. A daemon that does not know the verb ends with KUBESVC_INSPECT_UNKNOWN, one
 * that is too busy with KUBESVC_INSPECT_BUSY.
 *
 * Verbs, their words and the lines they give. Strings from manifests come as they are,
 * JSON-escaped; lists are unordered unless stated. "position" is {"file","line","column"}; "ready"
 * etc. are booleans; absent values are left out.
 *
 *   services [NAMESPACE]     "" or none: all
 *     {"kind":"Service","namespace","name","headless":bool,
 *      "type":"ClusterIP"|"NodePort"|"LoadBalancer"|"ExternalName",
 *      "asHeadless":bool,        stated endpoints in front of which no cluster IP was invented
 *      "clusterIPs":[ADDRESS],"origin":"stated"|"allocated"|"none","externalName",
 *      "selector":{K:V},"labels":{},"ports":[{"name","port","protocol","targetPort"}],
 *      "publishNotReadyAddresses":bool,"exposed":bool,"endpoints":N,"position"}
 *   endpoints [NAMESPACE]
 *     {"kind":"Endpoints","namespace","name","source":"slices"|"pods"|"endpoints"|"stated"|"none",
 *      "addresses":[{"address","label","origin":ORIGIN,"pod","ports":[..]}]}
 *     ORIGIN: "stated"|"allocated"|"node", or the runtime that runs the pod:
 *             "podman"|"cni"|"kubelet"
 *   pods [NAMESPACE]         Pods of the files, and replicas of expanded workloads
 *     {"kind":"Pod","namespace","name","addresses":[ADDRESS],"origin":ORIGIN|"none",
 *      "network":TEXT of the runtime,"ready":bool,"why":TEXT when no runtime has it,"phase",
 *      "labels":{},"hostname","subdomain","workload":"Deployment/app","position"}
 *   workloads [NAMESPACE]
 *     {"kind":"Deployment",..,"namespace","name","replicas":N,"expanded":N,"why":TEXT when not
 *      expanded, or pods of it are in no runtime,"selector":{},"labels":{} of the template,
 *      "position"}
 *   namespaces
 *     {"kind":"Namespace","name","exposed":bool,"objects":N,"services":N}
 *   names [NAMESPACE]        everything that resolves forward
 *     {"name":FQDN,"inet":[..],"inet6":[..],"kind":"Service"|"Endpoint"|"Pod"|"ExternalName",
 *      "target"}
 *   describe NAMESPACE NAME  one line: as in `services`, plus
 *     "forwarded":bool,         of a cluster IP, as in `backends`
 *     "forwarder":PROGRAM       that follows `backends` now
 *     "names":[FQDN],"endpointList":[{"address","label","ready":bool,"pod","origin","why":TEXT when
 *      left out,"position"}],"sources":[position and kind/name of each slice, Endpoints, pod used],
 *      "shadowed":[position of the same object said elsewhere]
 *   explain NAMESPACE NAME   NAMESPACE "" for the daemon's own; one line for each step, in order:
 *     {"step":"candidate","name","outcome":"FOUND"|"NODATA"|"NXDOMAIN"|"NOT_OURS"|"EXTERNAL","text"}
 *     {"step":"service","namespace","name","text","position",
 *      "shadowed":[position]}                                  as in `describe`, if there is any
 *     {"step":"pod","namespace","name","counts":bool,"text","position"}   "name": of a Pod, or
 *                                                              "Deployment/app"; without one it
 *                                                              is about the rest; e.g. "label app
 *                                                              is web2, selector wants web"
 *     {"step":"cause","name":PATH,"text","position"}           why there is no such Service
 *     {"step":"near","name","text"}                            similar names, after a miss
 *     {"step":"result","status":"FOUND"|"NO_DATA"|"NOT_FOUND"|"NOT_OURS"|"TRY_AGAIN","text"}
 *   query NAMESPACE NAME|ADDRESS FAMILY("any"|"inet"|"inet6")   one line, as a lookup's answer:
 *     {"status","canonical","aliases":[..],"inet":[..],"inet6":[..],"origin":TEXT,"position"}
 *     Names outside the zone are answered from what the daemon already knows, else TRY_AGAIN: a
 *     lookup beforehand makes it known.
 *   status                   one line
 *     {"version","uptimeSeconds","zone","zones":[others, if any],"namespace","socket","state",
 *      "loaded":bool,
 *      "loading":{"files","filesFound","objects","objectsFound"}   while manifests are worked on
 *      "sources":[{"path","zone" if not the main one,"files":N,"objects":N,
 *                  "watch":"inotify"|"polling"|"missing"}],
 *      "runtimes":[{"runtime","directory","watch":"inotify"|"polling"|"missing"|"unreadable",
 *                   "files":N,"seen":N pods,"taken":N of them that manifests have}],
 *      "configuration":{as `config`, without settings},
 *      "files":N,"objects":N,"ignored":N,
 *      "passedOver":[{"why":"hidden"|"leftover"|"other ending"|"not recursive","count":N,
 *                     "first":[PATH]}],
 *      "errors":[{"file","line","column","severity","object","message","rule","since":ISO time,
 *                 "stale":bool}],
 *      "conflicts":[{"object","inForce":position,"shadowed":position}],
 *      "forwarders":[{"program","pid","uid"}],   those that follow `backends` under a name
 *      "notes":[TEXT],           such as Services answered by their endpoints, full ranges
 *      "snapshot":{"bytes","liveBytes","records","publishes","ageSeconds","compactions"},
 *      "questions":{"total","found","noData","notFound","notOurs","tryAgain","refused"},
 *      "latencyMicroseconds":[{"le":N,"count":N}],
 *      "leases":[{"use":"pods"|"services","held":N,"size":N}],
 *      "changes":[{"time":ISO time,"text"}]}   the last ones
 *   config                   one line
 *     {"files":[PATH],          what was read, in order
 *      "reloads":N,             carried out or rejected
 *      "rejected":{"since":ISO time,"errors":[TEXT]},   the last reload was, the one before is kept
 *      "changed":bool,          the files now say something else than what is in force,
 *      "problems":[TEXT],       or what is wrong with them
 *      "settings":[{"key","value","source":"default"|"file"|"option","file","line","option"}]}
 *   metrics                  Prometheus text exposition format
 *   watch [questions]        stays: an empty TEXT frame at once, then one line for each change
 *     {"event":"change","time","text"}
 *     With `questions`, for root and the daemon's user only (others: DENIED), one for each
 *     question: {"event":"question","time","name","family","namespace","status","addresses":N,
 *                "microseconds":N,"uid":N,"pid":N}
 *   backends [PROGRAM]       stays: what is behind each cluster IP, for programs that forward
 *     connections to it. PROGRAM, [a-z0-9-], at most 32: the caller is one, named so in `status`.
 *     {"event":"ranges","serviceCIDRs":[RANGE]}   that cluster IPs are allocated from
 *     {"event":"service","namespace","name","clusterIPs":[ADDRESS],"origin":"stated"|"allocated",
 *      "forwarded":bool,         it is the caller's to forward, by `proxy` of kubesvcd.yaml
 *      "affinitySeconds":N,      of sessionAffinity ClientIP
 *      "ports":[{"name","protocol":"TCP"|"UDP"|"SCTP","port":N,
 *                "endpoints":[{"address","port":N}]}]}   ready ones, sorted, each once
 *     {"event":"removed","namespace","name"}      gone, or without a cluster IP now
 *     {"event":"end"}          what came since the last one belongs together
 *     At first the ranges and all Services come, and "end"; as long as nothing is loaded that
 *     takes a while. Then, whenever something was published that changes any of it: the lines of
 *     changed Services, each as a whole, those of removed ones, and "end". Nothing is left out: a
 *     caller that does not read is disconnected, and gets all at first again.
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
