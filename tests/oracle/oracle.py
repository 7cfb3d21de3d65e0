# SPDX-License-Identifier: LGPL-2.1-or-later
"""Questions to answers: docs/rules.md sections C to H, docs/nss-status.md.

`Oracle(world, config, upstream)` answers what kubesvcd with these manifests and this configuration
has to answer. It follows the text of the rules line by line; do not make it clever.
"""

import re
from dataclasses import dataclass, field

from . import addresses, objects, workloads
from .names import NXDOMAIN, Names, Outcome, well_formed
from .services import Services

FOUND, NO_DATA, NOT_FOUND, NOT_OURS, TRY_AGAIN = (
    "FOUND", "NO_DATA", "NOT_FOUND", "NOT_OURS", "TRY_AGAIN")
FAMILIES = {"inet": [4], "inet6": [6], "unspec": [4, 6]}


@dataclass
class Config:
    zone: str = "cluster.local"
    namespace: str = "default"
    allocate: bool = True
    pods: str = "verified"
    namespaces: list = None  # exposed ones, None: all
    fallthrough: bool = False
    endpoint_pod_names: bool = False
    ignore_empty_service: bool = False
    search: list = None
    ndots: int = 5
    node_ips: list = field(default_factory=lambda: ["192.168.77.1"])
    service_cidrs: list = field(default_factory=lambda: ["127.96.0.0/16"])
    pod_cidrs: list = field(default_factory=lambda: ["127.244.0.0/16"])
    loading: bool = False
    runtimes: dict = None  # what is in their files (runtimes.py); None: none is asked


@dataclass
class Answer:
    status: str
    addresses: list = field(default_factory=list)  # text or Token
    names: list = field(default_factory=list)  # canonical name first, then the aliases
    either: bool = False  # NO_DATA and NOT_FOUND are both right (rules 54 and 60)
    malformed: bool = False  # NOT_FOUND and NOT_OURS are both right


class Oracle(Names):
    def __init__(self, world, config, upstream=None, off=frozenset()):
        self.world, self.config, self.off = world, config, frozenset(off)
        self.upstream = upstream or {}  # name in lower case -> addresses
        self.bindings = {}  # Token -> address text, as far as known
        self.objects = objects.load(world, config, self.on)
        self.pods = workloads.all_pods(self.objects, config, self.on)
        self.services = Services(self.objects, self.pods, config, self.on).all
        self.stated = self.stated_addresses()

    def on(self, rule):
        return rule not in self.off

    def fold(self, text):
        return text.lower() if self.on(8) else text

    def bound(self, address):
        return self.bindings.get(address, address)

    # questions

    def resolve(self, name, family, namespace=None):
        """A name as a program types it."""
        typed = name[:-1] if name.endswith(".") else name
        if not self.on(53):
            typed = ".".join(label for label in typed.split(".") if label)
        elif not well_formed(typed):
            # Refused by the module, which knows the default zone only.
            final = re.search(r"(?i)\.(svc|cluster\.local)$", typed)
            return Answer(NOT_FOUND) if final else Answer(NOT_OURS, malformed=True)
        if self.fold(typed) == "localhost" and self.on("localhost"):
            return Answer(NOT_OURS)
        if self.config.loading:
            reserved = self.is_reserved(typed)
            return Answer(TRY_AGAIN if reserved else NOT_OURS)
        if not self.objects.things and self.on("nothing-loaded"):
            return Answer(NOT_OURS)
        return self.search(typed, name.endswith("."), FAMILIES[family], namespace)

    def module_refuses(self, name):
        """Names that the module itself passes on without asking (docs/nss-status.md)."""
        labels = name.rstrip(".").lower().split(".")
        return (len(labels) > 4 and not {"svc", "pod"} & set(labels)
                and labels[-2:] != ["cluster", "local"])

    def reverse(self, text):
        """An address; section G."""
        address = addresses.parse(text)
        if address != text and "ffff" in text.lower() and not self.on(72):
            return Answer(NOT_OURS)
        if not self.objects.things and self.on("nothing-loaded"):
            return Answer(NOT_OURS)
        names = self.names_of_services(address) or self.names_of_endpoints(address)
        if names:
            return Answer(FOUND, [], [min(names)[1]])
        known = address in self.stated or self.allocatable(address)
        return Answer(NOT_FOUND if known and self.on("known-address") else NOT_OURS)

    # the search list, section H

    def search(self, typed, absolute, families, namespace):
        dots = typed.count(".") + absolute
        as_is_first = absolute or dots >= self.config.ndots or not self.on(75)
        candidates = [typed] if as_is_first else []
        if not absolute and self.on(74):
            candidates += [f"{typed}.{domain}" for domain in self.search_list(namespace)]
        if not as_is_first:
            candidates.append(typed)
        tried = []
        for candidate in candidates:
            outcome = NXDOMAIN
            if len(candidate) <= 253:
                outcome = self.both(candidate, families)
            if outcome.kind == "FOUND":
                names = outcome.owners[-1:] + (outcome.owners[:-1] if self.on(92) else [])
                if len(names) == 1 and not self.on(79):
                    names = [typed]
                return Answer(FOUND, outcome.addresses, names)
            tried.append(outcome)
            if outcome.kind == "NODATA" and not self.on(76):
                break
        return self.nothing(typed, tried, as_is_first)

    def search_list(self, namespace):
        if self.config.search is not None:
            return self.config.search
        zone = self.config.zone
        domains = [f"{namespace or self.config.namespace}.svc.{zone}", f"svc.{zone}", zone]
        if not self.on(81):
            domains += [f"{other}.svc.{zone}" for other in sorted(self.objects.namespaces)]
        return domains if self.on(80) else domains[::-1]

    def both(self, candidate, families):
        """One candidate, all asked families together (rule 78)."""
        outcomes = [self.absolute(candidate, family) for family in families]
        if not self.on(78):
            return outcomes[-1]
        found = [outcome for outcome in outcomes if outcome.kind == "FOUND"]
        if found:
            return Outcome("FOUND", [a for o in found for a in o.addresses], found[0].owners)
        for kind in "NODATA", "NXDOMAIN":
            for outcome in outcomes:
                if outcome.kind == kind:
                    return outcome
        return outcomes[0]

    def nothing(self, typed, tried, as_is_first):
        """No candidate answered: the table of docs/nss-status.md."""
        as_is = tried[0] if as_is_first or len(tried) == 1 else tried[-1]
        either = any(outcome.either for outcome in tried)
        if self.is_reserved(typed):
            if as_is_first and as_is.kind not in ("OUTSIDE", "LEFT") and self.on(77):
                return Answer(NO_DATA if as_is.kind == "NODATA" else NOT_FOUND, either=either)
            if any(outcome.kind == "NODATA" for outcome in tried):
                return Answer(NO_DATA, either=either)
            return Answer(NOT_OURS if self.left_to_others(typed) else NOT_FOUND, either=either)
        if any(o.kind == "NODATA" and not (o.bare and self.on("bare")) for o in tried):
            return Answer(NO_DATA, either=either)
        if any(o.service for o in tried) and self.on("short-service"):
            return Answer(NOT_FOUND, either=either)
        return Answer(NOT_OURS if self.on(14) else NOT_FOUND)

    def is_reserved(self, typed):
        """Under the zone, or ending in .svc: ours, whatever comes of it."""
        return self.in_zone(typed) or (self.fold(typed).endswith(".svc") and self.on("reserved"))

    def left_to_others(self, typed):
        full = typed if self.in_zone(typed) else f"{typed}.{self.config.zone}"
        return self.absolute(full, 4).kind == "LEFT"

    # one address, section G

    def zone_name(self, service):
        return f"{service.name}.{service.namespace}.svc.{self.config.zone}"

    def names_of_services(self, address):
        """Rule 67; CoreDNS reverse.go, which knows nothing of `ignore empty_service`."""
        return [(0, self.zone_name(service)) for service in self.services.values()
                if self.exposed(service.namespace) and not service.headless
                and (self.on("reverse-of-empty") or not self.is_ignored(service))
                and address in map(self.bound, service.cluster_ips)] if self.on(67) else []

    def names_of_endpoints(self, address):
        """Rules 68 to 70."""
        names, services = [], list(self.services.values())
        if not self.on(73):
            labels = {(s.namespace, s.labels.get("kubernetes.io/service-name"))
                      for s in self.objects.of("EndpointSlice")}
            services += filter(None, (self.made_up(*key) for key in labels - set(self.services)
                                      if key[1]))
        for service in services:
            if (not self.exposed(service.namespace) or not self.on(68)
                    or (service.external is not None and self.on(62))):
                continue
            for endpoint in service.endpoints:
                if ((endpoint.ready or not self.on(69)) and endpoint.reverse
                        and self.bound(endpoint.address) == address):
                    explicit = endpoint.hostname and self.on(70)
                    for label in self.labels(endpoint)[:1]:
                        names.append((0 if explicit else 1, f"{label}.{self.zone_name(service)}"))
        return names

    def stated_addresses(self):
        """Every address that a manifest states, whatever comes of it."""
        stated = {address for file in (self.config.runtimes or {}).values() for one in file
                  for address in one.addresses}
        for thing in self.objects.things.values():
            spec, data = thing.spec, thing.data
            if spec.get("type") == "ExternalName":
                continue
            texts = (spec.get("clusterIPs") or []) + [spec.get("clusterIP")]
            texts += [one.get("ip") for one in thing.status.get("podIPs") or []]
            texts.append(thing.status.get("podIP"))
            for endpoint in data.get("endpoints") or []:
                texts += endpoint.get("addresses") or []
            for subset in data.get("subsets") or []:
                texts += [one.get("ip") for key in ("addresses", "notReadyAddresses")
                          for one in subset.get(key) or []]
            jobs = (spec.get("jobTemplate") or {}).get("spec") or {}  # of a CronJob
            template = (spec.get("template") or jobs.get("template") or {}).get("metadata") or {}
            stated.update(filter(None, map(addresses.parse, texts)))
            stated.update(objects.annotated(thing.meta, self.on))
            stated.update(objects.annotated(template, self.on))
        return stated

    def allocatable(self, address):
        ranges = self.config.service_cidrs + self.config.pod_cidrs
        return self.config.allocate and addresses.in_ranges(address, ranges)
