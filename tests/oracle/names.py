# SPDX-License-Identifier: LGPL-2.1-or-later
"""One absolute name and one family to an outcome: docs/rules.md, sections A and C to F."""

import re
from dataclasses import dataclass, field

from . import addresses, objects
from .services import Services, is_token


@dataclass
class Outcome:
    """What one absolute name gives."""
    kind: str  # FOUND, NODATA, NXDOMAIN, OUTSIDE (of the zone), LEFT (to others, by fallthrough)
    addresses: list = field(default_factory=list)
    owners: list = field(default_factory=list)  # the chain, canonical name last
    bare: bool = False  # NODATA of the zone, svc, pod or a namespace
    service: bool = False  # NXDOMAIN of an existing Service itself
    either: bool = False


NXDOMAIN = Outcome("NXDOMAIN")


def well_formed(name):
    """Rule 53, of a name without its final dot."""
    return (0 < len(name) <= 253 and not name.startswith("-")
            and all(re.fullmatch(r"[A-Za-z0-9_-]{1,63}", label) for label in name.split(".")))


class Names:
    """Needs of Oracle: config, upstream, objects, pods, services, on(), fold(), bound()."""

    def in_zone(self, name):
        name, zone = self.fold(name), self.config.zone
        return name == zone or name.endswith("." + zone if self.on(15) else zone)

    def absolute(self, name, family, links=0):
        if not self.in_zone(name):
            return Outcome("OUTSIDE")
        base = self.fold(name)[:-len(self.config.zone)].rstrip(".")
        labels = base.split(".") if base else []
        if labels in ([], ["svc"], ["pod"]):
            return Outcome("NODATA", bare=True) if self.on(12) else NXDOMAIN
        if not self.on(49) and labels in (["dns-version"], ["ns", "dns"]):
            return Outcome("NODATA")
        if labels[-1] not in ("svc", "pod"):
            return NXDOMAIN
        top, namespace, rest = labels[-1], labels[-2], labels[:-2]
        if namespace not in self.objects.namespaces:
            if self.config.fallthrough and self.on("fallthrough"):
                return Outcome("LEFT")
            if self.on(11):
                return NXDOMAIN
        if not self.exposed(namespace):
            return NXDOMAIN
        if top == "pod" and self.config.pods == "disabled" and self.on(63):
            return NXDOMAIN
        if not rest:
            return Outcome("NODATA", bare=True) if self.on(11) else NXDOMAIN
        if top == "pod":
            return self.pod_name(name, rest, namespace, family)
        return self.below_svc(name, rest, namespace, family, links)

    def exposed(self, namespace):
        """Rule 50."""
        exposed = self.config.namespaces
        return exposed is None or namespace in exposed or not self.on(50)

    def below_svc(self, name, rest, namespace, family, links):
        """Rule 45: [<endpoint>.|<port>.<proto>.]<svc>"""
        if len(rest) > 3:
            if self.on(45):
                return NXDOMAIN
            rest = rest[-1:]
        service = self.find(namespace, rest[-1])
        if service is None or self.is_ignored(service):
            return Outcome("NXDOMAIN", service=service is not None and len(rest) == 1)
        if service.external is not None:
            # kubernetes.go findServices asks whether endpoint, port and protocol are empty
            below = [strip_underscore(label) for label in rest[:-1]]
            if below not in ([], ["", ""]) and self.on(43):
                return NXDOMAIN
            outcome = self.follow(name, service, family, links)
            outcome.service &= not below
            return outcome
        if len(rest) == 1:
            return self.service_name(name, service, family)
        if len(rest) == 2:
            return self.endpoint_name(name, service, rest[0], family)
        return self.port_name(name, service, rest[0], rest[1], family)

    def find(self, namespace, name):
        service = self.services.get((namespace, name))
        if service is None and name == "any" and not self.on(46):
            service = next((s for s in self.services.values() if s.namespace == namespace), None)
        if service is None and not self.on(10):
            service = self.made_up(namespace, name)
        return service

    def made_up(self, namespace, name):
        """What a headless Service of that name would be."""
        thing = objects.Thing("Service", namespace, name, {"spec": {"clusterIP": "None"}}, False)
        service = Services(self.objects, self.pods, self.config, self.on).service(thing)
        return service if service.endpoints else None

    def is_ignored(self, service):
        """Rule 51."""
        return (self.config.ignore_empty_service and service.external is None
                and not service.may_be_empty and not ready(service) and self.on(51))

    def service_name(self, name, service, family):
        if service.headless:
            endpoints = ready(service)
            if not endpoints:  # rule 3
                return Outcome("NXDOMAIN", service=True) if self.on(3) else Outcome("NODATA")
            return self.answer(name, [e.address for e in endpoints], family)
        if not service.cluster_ips and self.on(54):
            return Outcome("NODATA", either=True)
        return self.answer(name, service.cluster_ips, family)

    def endpoint_name(self, name, service, label, family):
        """Rules 34 to 44."""
        if not service.headless and not self.on(41):
            return NXDOMAIN
        endpoints = [e for e in ready(service) if label in self.labels(e)]
        if not self.on(37):
            endpoints = endpoints[:1]
        if not endpoints:
            known = label in ("_tcp", "_udp") and not self.on(48)
            return Outcome("NODATA") if known else NXDOMAIN
        return self.answer(name, [e.address for e in endpoints], family)

    def labels(self, endpoint):
        """All labels that mean this endpoint: one, unless a rule is off."""
        also = list(endpoint.also)
        if endpoint.hostname:
            if self.on(35):
                return [endpoint.hostname] + also
            also.append(endpoint.hostname)
        elif (self.config.endpoint_pod_names and self.on(42)
              and endpoint.pod_name and len(endpoint.pod_name) < 64):
            return [endpoint.pod_name] + also
        address = self.bound(endpoint.address)
        if is_token(address) or not self.on(34):
            return also
        return also + [addresses.dashed(address, self.on(36))]

    def port_name(self, name, service, port, protocol, family):
        """Rule 47: the underscores are optional, and nothing after one means any."""
        if not self.on(47):
            return NXDOMAIN
        port, protocol = strip_underscore(port), strip_underscore(protocol)

        def matches(ports):
            return any(port in ("", name.lower()) and protocol in ("", proto.lower())
                       for name, proto, _ in ports)

        if service.headless:
            endpoints = [e for e in ready(service) if matches(e.ports)]
            return self.answer(name, [e.address for e in endpoints], family)
        if not matches(service.ports):
            return NXDOMAIN
        if not service.cluster_ips:
            return Outcome("NODATA", either=True)
        return self.answer(name, service.cluster_ips, family)

    def answer(self, name, all_addresses, family):
        """The addresses of the asked family, each once (rules 1, 2, 4 and 5)."""
        if not all_addresses:
            return NXDOMAIN
        mine = [a for a in all_addresses if addresses.family_of(a) == family]
        if not mine:
            return Outcome("NODATA") if self.on(4) else NXDOMAIN
        return Outcome("FOUND", list(dict.fromkeys(mine)) if self.on(5) else mine, [name])

    def follow(self, name, service, family, links):
        """Section E."""
        target = service.external.removesuffix(".")
        if addresses.parse(target) and self.on(61):
            return Outcome("NXDOMAIN", service=True)
        if links + 1 > (11 if self.on(59) else 8):
            return Outcome("NODATA")
        if not self.on(56) and "." not in target:
            target += f".{service.namespace}.svc.{self.config.zone}"
        if self.in_zone(target):
            if not self.on(57):
                return Outcome("NODATA")
            outcome = self.absolute(target, family, links + 1)
            if outcome.kind != "FOUND":
                return Outcome("NODATA")
        else:
            found = self.upstream.get(target.lower(), []) if self.on(58) else []
            outcome = Outcome("FOUND", [a for a in found if addresses.family_of(a) == family],
                              [target])
            if not outcome.addresses:
                return Outcome("NODATA", either=True) if self.on(60) else NXDOMAIN
        outcome.owners = [name] + outcome.owners
        return outcome

    def pod_name(self, name, rest, namespace, family):
        """Section F."""
        if len(rest) > 1 and self.on(66):
            return NXDOMAIN
        label = rest[-1]
        four = label.count("-") == 3 and "--" not in label
        text = label.replace("-", "." if four or not self.on(64) else ":")
        address = addresses.parse(text)
        if address is None or (four and address != text):
            return NXDOMAIN
        if self.config.pods == "insecure" and self.on(63):
            return self.answer(name, [address], family)
        for pod in self.pods:
            if pod.namespace == namespace and address in map(self.bound, self.named(pod)):
                return self.answer(name, [address], family)
        return NXDOMAIN

    def named(self, pod):
        """The addresses by which a pod has a name (rule 65; CoreDNS 1.15.0 object/pod.go and
        controller.go podListFunc)."""
        if not self.on(65):
            return pod.addresses
        if pod.deleting or pod.phase in ("Failed", "Succeeded", "Unknown"):
            return []
        return pod.addresses if self.on("pod-ips") else pod.addresses[:1]


def ready(service):
    return [endpoint for endpoint in service.endpoints if endpoint.ready]


def strip_underscore(label):
    return label.removeprefix("_")
