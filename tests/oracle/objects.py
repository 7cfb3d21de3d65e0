# SPDX-License-Identifier: LGPL-2.1-or-later
"""Manifests, as dicts, to the objects that decide names; docs/rules.md, sections I and J."""

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from . import addresses
from .accept import accepts


class Placed(NamedTuple):
    """One document and where it stands."""
    rank: int  # of its directory in `manifests`
    path: str
    document: int
    object: Any
    allocate: bool = True
    namespace: str = None  # of its directory, for objects that name none


GROUPS = {
    "Service": [""], "Endpoints": [""], "Pod": [""], "Namespace": [""],
    "ReplicationController": [""], "EndpointSlice": ["discovery.k8s.io"],
    "Deployment": ["apps", "extensions"], "ReplicaSet": ["apps", "extensions"],
    "DaemonSet": ["apps", "extensions"], "StatefulSet": ["apps"],
    "Job": ["batch"], "CronJob": ["batch"], "HorizontalPodAutoscaler": ["autoscaling"],
}
WORKLOADS = ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job",
             "CronJob")
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
PART = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
SUBDOMAIN = re.compile(rf"(?=.{{1,253}}$){PART}(\.{PART})*")
ADDRESSES = "kubesvc.io/addresses"


@dataclass
class Thing:
    """An object of one of the kinds above, with its identity; may it be given addresses?"""
    kind: str
    namespace: str
    name: str
    data: dict
    may_allocate: bool

    @property
    def meta(self):
        return self.data.get("metadata") or {}

    @property
    def spec(self):
        return self.data.get("spec") or {}

    @property
    def status(self):
        return self.data.get("status") or {}

    @property
    def labels(self):
        return self.meta.get("labels") or {}

    @property
    def owner(self):
        """(kind, name) of the controller."""
        for reference in self.meta.get("ownerReferences") or []:
            if reference.get("controller"):
                return reference["kind"], reference["name"]
        return None


@dataclass
class Pod:
    """A Pod of the files, or one that a workload is expanded to."""
    namespace: str
    name: str
    labels: dict
    hostname: str
    subdomain: str
    container_ports: dict  # of numbers, by name
    addresses: list
    stated: bool  # a Pod object, and with nothing invented
    node: bool = False  # its addresses are the node's
    ready: bool = True
    deleting: bool = False
    phase: str = None
    override: str = None  # hostnameOverride
    indexed: bool = False  # of an indexed Job, whose name is its hostname
    open: bool = False  # where it is, a runtime says


@dataclass
class Objects:
    things: dict = field(default_factory=dict)  # (kind, namespace, name) -> Thing
    namespaces: set = field(default_factory=set)

    def of(self, *kinds):
        return [thing for thing in self.things.values() if thing.kind in kinds]

    def get(self, kind, namespace, name):
        return self.things.get((kind, namespace, name))


def flatten(document):
    """A document's objects: List, typed lists and their items without kind (rule 95)."""
    if not isinstance(document, dict):
        return
    kind = document.get("kind")
    if isinstance(kind, str) and kind.endswith("List") and "items" in document:
        for item in document["items"] or []:
            if kind != "List" and isinstance(item, dict):
                of = {"kind": kind[:-len("List")], "apiVersion": document.get("apiVersion")}
                item = of | item
            yield from flatten(item)
    else:
        yield document


def load(world, config, on):
    """The objects that count: recognised, well named, and of each identity the last one that an API
    server would accept, or the last one."""
    objects = Objects()
    ordered = sorted(world, key=lambda p: (p.rank, p.path.encode(), p.document))
    if not on("duplicates"):
        ordered.reverse()
    for placed in ordered:
        items = flatten(placed.object) if on(95) else [placed.object]
        for data in items:
            thing = identify(data, placed, config, on) or mention(data, placed)
            if not thing:
                continue
            identity = thing.kind, thing.namespace, thing.name
            before = objects.things.get(identity)
            if not (before and on("refused") and accepts(before) and not accepts(thing)):
                objects.things[identity] = thing
    for thing in objects.things.values():
        if on("namespace-of-objects") or thing.kind == "Namespace":
            objects.namespaces.add(thing.namespace)
    return objects


def identify(data, placed, config, on):
    kind = data.get("kind")
    group = (data.get("apiVersion") or "").rpartition("/")[0]
    if kind not in GROUPS or (on(95) and group not in GROUPS[kind]):
        return None
    meta = data.get("metadata") or {}
    name = meta.get("name")
    form = LABEL if kind in ("Service", "Namespace") else SUBDOMAIN
    if not isinstance(name, str) or (on("invalid-names") and not form.fullmatch(name)):
        return None
    if not on(82) and name[0].isdigit():
        return None
    namespace = meta.get("namespace") or placed.namespace or config.namespace  # rule 94
    if kind == "Namespace":
        namespace = name
    elif not meta.get("namespace") and not on(94):
        return None
    may = config.allocate and placed.allocate and not (meta.get("uid") and on("uid"))
    return Thing(kind, namespace, name, data, may)


def mention(data, placed):
    """An object of a kind that is not read: its namespace exists all the same (rule 94)."""
    version, kind = data.get("apiVersion"), data.get("kind")
    namespace = (data.get("metadata") or {}).get("namespace")
    if not version or not kind or version.rpartition("/")[0] in GROUPS.get(kind, []):
        return None
    if not isinstance(namespace, str) or not LABEL.fullmatch(namespace):
        return None
    return Thing("Mention", namespace, placed.path, {}, False)


def annotated(meta, on):
    """The addresses that the annotation states."""
    text = (meta.get("annotations") or {}).get(ADDRESSES)
    if not text or not on("annotation"):
        return []
    parts = [addresses.parse(part.strip()) for part in text.split(",")]
    return list(dict.fromkeys(part for part in parts if part))


def container_ports(spec):
    """The first of each name."""
    return {port["name"]: port.get("containerPort") for container in reversed(spec.get("containers") or [])
            for port in reversed(container.get("ports") or []) if port.get("name")}


def parse_all(texts, on):
    """Stated addresses in order; what is no address is dropped."""
    parsed = [addresses.parse(text) for text in texts if on(7) or addresses.is_canonical(text)]
    return list(dict.fromkeys(address for address in parsed if address))


def given_to_pod(config, on, kind, namespace, name, number):
    families = addresses.range_families(config.pod_cidrs)
    if not on("pod-families"):
        families = families[:1]
    return [addresses.Token("pod", kind, namespace, name, number, family) for family in families]


def stated_pod(thing, config, on):
    """A Pod object: status first, then the annotation, then the node's, then allocation."""
    spec, status = thing.spec, thing.status
    # the API server fills podIP and podIPs in from each other (core/v1 conversion.go)
    ips = [one.get("ip") for one in status.get("podIPs") or []] or [status.get("podIP")]
    conditions = {c.get("type"): c.get("status") for c in status.get("conditions") or []}
    pod = Pod(thing.namespace, thing.name, thing.labels, spec.get("hostname"),
              spec.get("subdomain"), container_ports(spec), parse_all(ips, on), stated=True,
              ready=conditions.get("Ready") == "True",
              deleting=bool(thing.meta.get("deletionTimestamp")), phase=status.get("phase"),
              override=spec.get("hostnameOverride"))
    if not status and on("pod-without-status"):
        pod.ready = True
    if not pod.addresses:
        pod.addresses = annotated(thing.meta, on)
        if not pod.addresses and not status and spec.get("hostNetwork") and on("node-addresses"):
            pod.addresses, pod.node = parse_all(config.node_ips, on), True
        if (not pod.addresses and not status and config.runtimes is not None
                and not spec.get("hostNetwork") and on("pod-without-status")):
            pod.open = True
        elif (not pod.addresses and not status and thing.may_allocate
                and not spec.get("hostNetwork") and on("pod-without-status")):
            pod.addresses = given_to_pod(config, on, "Pod", thing.namespace, thing.name, 0)
            pod.stated = False
    return pod
