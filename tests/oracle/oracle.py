"""Questions to answers: semantics.md sections C to H, design.md section 5.

`Oracle(world, config, upstream)` answers what kubesvcd with these manifests and this configuration
has to answer. It recomputes everything for every question and follows the text of the rules line by
line; do not make it clever.
"""

import re
from dataclasses import dataclass, field

from . import addresses, objects
from .services import SENTINEL, Services, is_token

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


@dataclass
class Answer:
    status: str
    addresses: list = field(default_factory=list)  # text or Token
    names: list = field(default_factory=list)  # canonical name first, then the aliases
    either: bool = False  # NO_DATA and NOT_FOUND are both right (rules 54 and 60)


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


class Oracle:
    def __init__(self, world, config, upstream=None, off=frozenset()):
        self.world, self.config, self.off = world, config, frozenset(off)
        self.upstream = upstream or {}  # name in lower case -> addresses
        self.bindings = {}  # Token -> address text, as far as known
        self.objects = objects.load(world, config, self.on)
        self.pods = objects.all_pods(self.objects, config, self.on)
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
            return Answer(NOT_OURS, either=True)
        if self.fold(typed) == "localhost" and self.on("localhost"):
            return Answer(NOT_OURS)
        if self.config.loading:
            reserved = self.is_reserved(typed)
            return Answer(TRY_AGAIN if reserved else NOT_OURS)
        if not self.objects.things and self.on("nothing-loaded"):
            return Answer(NOT_OURS)
        return self.search(typed, name.endswith("."), FAMILIES[family], namespace)

    def module_refuses(self, name):
        """Names that the module itself passes on without asking (design.md section 5)."""
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
        """No candidate answered: the table of design.md section 5."""
        as_is = tried[0] if as_is_first or len(tried) == 1 else tried[-1]
        either = any(outcome.either for outcome in tried)
        if self.is_reserved(typed):
            if self.left_to_others(typed):
                return Answer(NOT_OURS)
            if as_is_first and as_is.kind != "OUTSIDE" and self.on(77):
                return Answer(NO_DATA if as_is.kind == "NODATA" else NOT_FOUND, either=either)
            nodata = any(outcome.kind == "NODATA" for outcome in tried)
            return Answer(NO_DATA if nodata else NOT_FOUND, either=either)
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

    # one absolute name, sections A, C, D, F

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
            if len(rest) > 1 and self.on(43):
                return NXDOMAIN
            return self.follow(name, service, family, links)
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
        """Rule 47: the underscores are optional."""
        if not self.on(47):
            return NXDOMAIN
        asked = strip_underscore(port), strip_underscore(protocol)

        def matches(ports):
            return any((name.lower(), proto.lower()) == asked for name, proto in ports)

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
        """The addresses by which a pod has a name (rule 65)."""
        if not self.on(65):
            return pod.addresses
        if pod.deleting or pod.phase in ("Failed", "Succeeded", "Unknown"):
            return []
        return [pod.pod_ip] if pod.pod_ip else []

    # one address, section G

    def zone_name(self, service):
        return f"{service.name}.{service.namespace}.svc.{self.config.zone}"

    def names_of_services(self, address):
        """Rule 67."""
        return [(0, self.zone_name(service)) for service in self.services.values()
                if self.exposed(service.namespace) and not service.headless
                and not self.is_ignored(service)
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
        stated = set()
        for thing in self.objects.things.values():
            spec, data = thing.spec, thing.data
            texts = (spec.get("clusterIPs") or []) + [spec.get("clusterIP")]
            texts += [one.get("ip") for one in thing.status.get("podIPs") or []]
            texts.append(thing.status.get("podIP"))
            for endpoint in data.get("endpoints") or []:
                texts += endpoint.get("addresses") or []
            for subset in data.get("subsets") or []:
                texts += [one.get("ip") for key in ("addresses", "notReadyAddresses")
                          for one in subset.get(key) or []]
            template = (spec.get("template") or {}).get("metadata") or {}
            stated.update(filter(None, map(addresses.parse, texts)))
            stated.update(objects.annotated(thing.meta, self.on))
            stated.update(objects.annotated(template, self.on))
        return stated

    def allocatable(self, address):
        ranges = self.config.service_cidrs + self.config.pod_cidrs
        return self.config.allocate and addresses.in_ranges(address, ranges)


def ready(service):
    return [endpoint for endpoint in service.endpoints if endpoint.ready]


def strip_underscore(label):
    return label.removeprefix("_")
