# SPDX-License-Identifier: LGPL-2.1-or-later
"""Workloads to pods: what controllers make of their templates, and which Pods are theirs; rules 100
and 101, and pkg/controller of Kubernetes."""

import re

from . import addresses, runtimes
from .objects import (GROUPS, WORKLOADS, Pod, annotated, container_ports, given_to_pod, parse_all,
                      stated_pod)

# apimachinery/pkg/util/rand: what SafeEncodeString and String choose from
SAFE = "bcdfghjklmnpqrstvwxz2456789"
RANDOM = 5  # apiserver/pkg/storage/names randomLength
BASE = 58  # ... and maxGeneratedNameLength: what comes before is cut there
ADOPTING = ("ReplicaSet", "ReplicationController", "DaemonSet")


def selector_of(workload):
    """(matchLabels, matchExpressions). Of a ReplicationController without a selector the template's
    labels (core/v1 defaults.go), likewise of a Job (its real selector, controller-uid, is in no
    file that is not in the dump)."""
    selector = workload.spec.get("selector") or {}
    if workload.kind == "ReplicationController":
        selector = {"matchLabels": selector}
    wanted, expressions = selector.get("matchLabels"), selector.get("matchExpressions")
    if not wanted and not expressions and workload.kind in ("ReplicationController", "Job"):
        template = workload.spec.get("template") or {}
        wanted = (template.get("metadata") or {}).get("labels")
    return wanted or {}, expressions or []


def selects(workload, labels):
    """Does a workload's own selector match?"""
    wanted, expressions = selector_of(workload)
    return bool(wanted or expressions) and all(
        labels.get(key) == value for key, value in wanted.items()) and all(
        expression_holds(expression, labels) for expression in expressions)


def expression_holds(expression, labels):
    value, values = labels.get(expression["key"]), expression.get("values") or []
    return {"In": value is not None and value in values,
            "NotIn": value is None or value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None}[expression["operator"]]


def makes_name(workload, name, count):
    """Could the workload's controller have called a pod so? (stateful_set_utils.go getPodName;
    deployment_util.go: the ReplicaSet is <name>-<hash>; controller_utils.go GeneratePodName with
    indexed_job_utils.go podGenerateNameWithIndex; names.SimpleNameGenerator)"""
    if workload.kind == "StatefulSet":
        return name in [f"{workload.name}-{n}" for n in ordinals(workload, count)]
    if workload.kind == "CronJob" or not re.fullmatch(f".+[{SAFE}]{{{RANDOM}}}", name):
        return False
    base = name[:-RANDOM]
    if len(base) > BASE:
        return False
    middles = [""]
    if workload.kind == "Deployment":
        middles = [f"[{SAFE}]{{{n}}}-" for n in (8, 9, 10)]
    elif workload.kind == "Job" and workload.spec.get("completionMode") == "Indexed":
        middles = ["(?:0|[1-9][0-9]*)-"]
    if any(re.fullmatch(re.escape(workload.name) + "-" + middle, base) for middle in middles):
        return True
    return len(base) == BASE and was_cut(workload, base)


def was_cut(workload, base):
    """A base of the greatest length is the beginning of a longer one."""
    if len(workload.name) >= BASE:
        return workload.name.startswith(base)
    rest = base.removeprefix(workload.name + "-")
    if rest == base:
        return False
    if workload.kind == "Deployment":
        return bool(re.fullmatch(f"[{SAFE}]{{0,10}}", rest))
    if workload.kind == "Job" and workload.spec.get("completionMode") == "Indexed":
        return bool(re.fullmatch("(0|[1-9][0-9]*)?", rest))
    return rest == ""


def owns_by_name(workload, pod, objects, on):
    """A Pod whose controller no file holds: by the name that it would have, and the selector."""
    if not on("stray-pods"):
        return selects(workload, pod.labels)
    if pod.owner and (pod.owner[0] != "ReplicaSet" or workload.kind != "Deployment"):
        return False  # another's (controller_ref_manager.go ClaimObject)
    return (selects(workload, pod.labels)
            and makes_name(workload, pod.name, replicas(workload, objects, on)))


def owns(workload, pod, objects, on):
    """Is a Pod object one of a workload's own? By the chain of its owners, as far as they are in
    the files, else by name and selector."""
    owner = pod.owner
    if owner and objects.get(owner[0], pod.namespace, owner[1]):
        seen = set()
        while owner and owner not in seen:
            seen.add(owner)
            if owner == (workload.kind, workload.name):
                return True
            above = objects.get(owner[0], pod.namespace, owner[1])
            owner = above.owner if above else None
        return False
    return owns_by_name(workload, pod, objects, on)


def adopters(pod, objects, on):
    """Workloads that would take a stray Pod as one of theirs, the first by kind and name first: a
    controller claims what is active, matches and has no controller (controller_utils.go
    IsPodActive, ClaimPods); a Deployment's ReplicaSet selects by pod-template-hash too."""
    if (pod.owner or pod.status.get("phase") in ("Succeeded", "Failed")
            or pod.meta.get("deletionTimestamp") or not on("adoption")):
        return []
    rivals = [w for w in objects.of(*WORKLOADS) if w.namespace == pod.namespace]
    if any(owns_by_name(workload, pod, objects, on) for workload in rivals):
        return []
    may = [w for w in rivals if selects(w, pod.labels)
           and (w.kind in ADOPTING or (w.kind == "Deployment"
                                       and "pod-template-hash" in pod.labels))]
    return sorted(may, key=lambda w: (WORKLOADS.index(w.kind), w.name.encode()))


SCALABLE = ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet")


def replicas(workload, objects, on):
    spec = workload.spec
    if workload.kind == "CronJob":
        return 0
    if workload.kind == "DaemonSet":
        return 1
    if workload.kind == "Job":
        return active(workload, on)
    if spec.get("replicas") is not None:
        return spec["replicas"]
    return max([1, *minima(workload, objects)]) if on("autoscaler") else 1


def minima(workload, objects):
    """minReplicas of the autoscalers of a workload, 1 if they say nothing (autoscaling/v2
    defaults.go); podautoscaler/horizontal.go never goes below, and starts from the default of 1."""
    for scaler in objects.of("HorizontalPodAutoscaler"):
        target = scaler.spec.get("scaleTargetRef") or {}
        group = (target.get("apiVersion") or "").rpartition("/")[0]
        if (scaler.namespace == workload.namespace and workload.kind in SCALABLE
                and (target.get("kind"), target.get("name")) == (workload.kind, workload.name)
                and (not target.get("apiVersion") or group in GROUPS[workload.kind])):
            yield scaler.spec.get("minReplicas") or 1


def active(job, on):
    """How many pods a Job wants at a time: job/job_controller.go, wantActive of manageJob. One of a
    Helm hook has run, and is mostly deleted, when the release is there."""
    spec, status = job.spec, job.status
    over = any(c.get("type") in ("Complete", "Failed") and c.get("status") == "True"
               for c in status.get("conditions") or [])
    if on("ended-workload") and (spec.get("suspend") or over):
        return 0
    if on("helm-hook") and (job.meta.get("annotations") or {}).get("helm.sh/hook"):
        return 0
    parallelism, completions = spec.get("parallelism"), spec.get("completions")
    succeeded = status.get("succeeded") or 0
    wanted = 1 if parallelism is None else parallelism
    if not on("completions"):
        return wanted
    if completions is None and parallelism is None:
        completions = 1  # batch/v1 defaults.go
    if completions is not None:
        return max(0, min(wanted, completions - succeeded))
    return min(wanted, status.get("active") or 0) if succeeded else wanted


def can_be(name):
    """A StatefulSet's or indexed Job's pod has its name as hostname, which must be a DNS label
    (core/validation validatePodSpec)."""
    return len(name) <= 63 and "." not in name


def ordinals(workload, count, on=lambda rule: True):
    start = 0
    if workload.kind == "StatefulSet" and on("ordinals"):
        start = (workload.spec.get("ordinals") or {}).get("start") or 0
    return range(start, start + count)


def expand(workload, objects, config, on):
    """The pods of a workload that has none of its own in the files."""
    real = config.runtimes is not None
    may_allocate = workload.may_allocate or (not on(31) and not config.allocate) or real
    if not on("expansion"):
        return
    pods = [pod for pod in objects.of("Pod") if pod.namespace == workload.namespace]
    if any(owns(workload, pod, objects, on) for pod in pods) and on("own-pods"):
        return
    owner = workload.owner
    if owner and objects.get(owner[0], workload.namespace, owner[1]) and on("owned-workload"):
        return
    adopted = [pod for pod in pods if adopters(pod, objects, on)[:1] == [workload]]
    template = workload.spec.get("template") or {}
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    count = max(0, replicas(workload, objects, on) - len(adopted))
    for number in ordinals(workload, count, on):
        name = f"{workload.name}-{number}"
        indexed = workload.spec.get("completionMode") == "Indexed"
        if (workload.kind == "StatefulSet" or indexed) and not can_be(name) and on("long-names"):
            continue
        pod = Pod(workload.namespace, name, meta.get("labels") or {}, None, None,
                  container_ports(spec), annotated(meta, on), stated=real,
                  override=spec.get("hostnameOverride"),
                  indexed=workload.kind == "Job" and indexed)
        if on("template"):
            pod.hostname, pod.subdomain = spec.get("hostname"), spec.get("subdomain")
        if workload.kind == "StatefulSet" and on(40):
            pod.hostname, pod.subdomain = name, workload.spec.get("serviceName")
        if workload.kind == "Job" and indexed and on("indexed-job"):
            pod.hostname = name
        if (not pod.addresses and may_allocate and spec.get("hostNetwork")
                and on("node-addresses")):
            pod.addresses, pod.node = parse_all(config.node_ips, on), True
        pod.open = real and not pod.addresses and not spec.get("hostNetwork")
        if not pod.addresses and may_allocate and not real:
            pod.addresses = given_to_pod(config, on, workload.kind, workload.namespace,
                                         workload.name, number)
        if not pod.addresses and not real:
            return
        yield pod


def all_pods(objects, config, on):
    pods = [stated_pod(thing, config, on) for thing in objects.of("Pod")]
    opens = [runtimes.Open("Pod", pod.namespace, pod.name, [pod]) for pod in pods if pod.open]
    for workload in objects.of(*WORKLOADS):
        expanded = list(expand(workload, objects, config, on))
        pods += expanded
        if any(pod.open for pod in expanded):
            first = ordinals(workload, 1, on)[0]
            opens.append(runtimes.Open(workload.kind, workload.namespace, workload.name, expanded,
                                       first, workload))
    if config.runtimes is not None:
        sightings = [one for file in config.runtimes.values() for one in file]
        runtimes.place(opens, sightings, makes_name, on)
        for one in opens if not on("unseen") else []:
            for number, pod in enumerate(one.pods, one.first):
                if not pod.addresses:
                    pod.ready = True
                    pod.addresses = given_to_pod(config, on, one.kind, one.namespace, one.name,
                                                 number)
    return pods
