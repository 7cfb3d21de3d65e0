# SPDX-License-Identifier: LGPL-2.1-or-later
"""Services, their endpoints and addresses: docs/rules.md, sections A, B and J."""

from dataclasses import dataclass, field

from . import addresses
from .objects import annotated, parse_all

SERVICE_NAME = "kubernetes.io/service-name"
SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"
TOLERATE = "service.alpha.kubernetes.io/tolerate-unready-endpoints"
SENTINEL = [("", "", 0)]  # the port of what has no ports


@dataclass
class Endpoint:
    address: object
    hostname: str
    pod_name: str
    ready: bool
    ports: list  # of (name, protocol, number)
    stated: bool  # its address was not invented
    reverse: bool = True  # may it be named by its address?
    also: list = field(default_factory=list)  # further labels, when a rule is off


@dataclass
class Service:
    namespace: str
    name: str
    external: str  # the target of an ExternalName, else None
    headless: bool  # answers with its endpoints
    may_be_empty: bool  # headless by its own word: ignoreEmptyService does not concern it
    cluster_ips: list
    ports: list
    endpoints: list


def ports_of(ports):
    return [(port.get("name") or "", port.get("protocol") or "TCP", port.get("port") or 0)
            for port in ports or []]


class Services:
    """All Services of the files, by (namespace, name)."""

    def __init__(self, objects, pods, config, on):
        self.objects, self.pods, self.config, self.on = objects, pods, config, on
        self.slices = objects.of("EndpointSlice")
        self.all = {}
        for thing in objects.of("Service"):
            self.all[thing.namespace, thing.name] = self.service(thing)

    # addresses of a Service

    def service(self, thing):
        on, spec = self.on, thing.spec
        service = Service(thing.namespace, thing.name, None, False, False, [],
                          ports_of(spec.get("ports")) or SENTINEL, [])
        texts = spec.get("clusterIPs") or [spec.get("clusterIP")]
        if spec.get("type") == "ExternalName" and (on(9) or not texts[0]):
            service.external = spec.get("externalName") or ""
            if not on(62) or not on(43):
                service.endpoints = self.endpoints(thing, [4, 6])
            return service
        if texts[0] == "None" and on(1):
            service.headless = service.may_be_empty = True
            service.endpoints = (self.annotated_endpoints(thing, service)
                                 or self.endpoints(thing, self.families(thing, [])))
            return service
        service.cluster_ips = parse_all(texts, on)
        service.endpoints = self.endpoints(thing, self.families(thing, service.cluster_ips))
        if not service.cluster_ips:
            service.cluster_ips = annotated(thing.meta, on)
        if not service.cluster_ips:
            self.without_cluster_ip(thing, service)
        if not on(2):
            service.headless = True
        if not on(55):
            service.cluster_ips = service.cluster_ips + self.outer_addresses(thing)
        return service

    def annotated_endpoints(self, thing, service):
        """What the annotation states of a headless Service."""
        return [Endpoint(address, None, None, True, service.ports, True)
                for address in annotated(thing.meta, self.on)]

    def without_cluster_ip(self, thing, service):
        """Allocation, or its ready stated endpoints; else it exists without data (rule 54)."""
        if not thing.may_allocate:
            return
        if self.on("stated-endpoints") and any(e.ready and e.stated for e in service.endpoints):
            service.headless = True
        elif self.has_real_pods(thing):
            service.headless = True
        elif self.on("service-address"):
            service.cluster_ips = [
                addresses.Token("service", "Service", thing.namespace, thing.name, 0, family)
                for family in self.allocated_families(thing.spec)]
            service.endpoints = self.endpoints(thing, self.families(thing, service.cluster_ips))

    def has_real_pods(self, thing):
        """Its endpoints are pods that a runtime runs or does not: rule 111."""
        if self.config.runtimes is None or not thing.spec.get("selector"):
            return False
        mirror = self.objects.get("Endpoints", thing.namespace, thing.name)
        return (not any(self.belongs(s, thing) for s in self.slices)
                and not (mirror and not any(pod.stated for pod in self.pods_of(thing))))

    def allocated_families(self, spec):
        available = addresses.range_families(self.config.service_cidrs)
        wanted = families_said(spec) or available
        if not self.on("service-families"):
            wanted = available
        elif spec.get("ipFamilyPolicy") in ("PreferDualStack", "RequireDualStack"):
            wanted = wanted[:1] + [family for family in (4, 6) if family not in wanted[:1]]
        else:
            wanted = wanted[:1]
        return [family for family in wanted if family in available]

    def outer_addresses(self, thing):
        ingress = (thing.status.get("loadBalancer") or {}).get("ingress") or []
        return parse_all([one.get("ip") for one in ingress]
                         + (thing.spec.get("externalIPs") or []), self.on)

    def families(self, thing, cluster_ips):
        """Of which families a Service's pods count (rule 28; what the API server fills in:
        registry/core/service/storage/alloc.go initIPFamilyFields)."""
        if not self.on(28):
            return [4, 6]
        if families_said(thing.spec):
            return families_said(thing.spec)
        if cluster_ips:
            return list({addresses.family_of(ip): None for ip in cluster_ips})
        if (thing.spec.get("ipFamilyPolicy") in ("PreferDualStack", "RequireDualStack")
                or not self.on("single-stack")):
            return [4, 6]
        return self.first_family(thing)

    def first_family(self, thing):
        """A cluster has one, which its pods' first addresses are of; where they differ, IPv4."""
        firsts = [addresses.family_of(pod.addresses[0]) for pod in self.pods_of(thing)
                  if pod.addresses]
        return [min(firsts)] if firsts else [4, 6]

    def pods_of(self, thing):
        selector = thing.spec.get("selector")
        return [pod for pod in self.pods if selector and pod.namespace == thing.namespace
                and self.selected(selector, pod.labels)]

    # endpoints of a Service

    def endpoints(self, thing, families):
        """Rules 93 and 104: which sources count."""
        on = self.on
        slices = [s for s in self.slices if self.belongs(s, thing)]
        selector = thing.spec.get("selector")
        mirror = self.objects.get("Endpoints", thing.namespace, thing.name)
        found = [e for s in slices for e in self.of_slice(s, thing)]
        if not selector:
            if mirror and on(21) and self.is_mirrored(mirror):
                found += self.of_endpoints(mirror, thing)
            if not on(32):
                found += [e for pod in self.pods if pod.namespace == thing.namespace
                          for e in self.of_pod(pod, thing, families)]
            return self.tidy(found)
        pods = self.pods_of(thing)
        stated = [pod for pod in pods if pod.stated]
        if on(93):
            if slices:
                return self.tidy(found)
            if not stated and mirror and on("join"):
                return self.tidy(self.of_endpoints(mirror, thing))
            if stated and not on("join"):
                pods = stated
        elif mirror:
            found += self.of_endpoints(mirror, thing)
        return self.tidy(found + [e for pod in pods for e in self.of_pod(pod, thing, families)])

    def belongs(self, slice_, thing):
        if not self.on(16):
            return slice_.name.startswith(thing.name + "-")
        return (slice_.namespace == thing.namespace
                and slice_.labels.get(SERVICE_NAME) == thing.name)

    def selected(self, selector, labels):
        matches = [labels.get(key) == value for key, value in selector.items()]
        return all(matches) if self.on(24) else any(matches)

    def is_mirrored(self, mirror):
        """Rule 22."""
        return not self.on(22) or not (
            mirror.labels.get(SKIP_MIRROR) == "true"
            or LEADER in (mirror.meta.get("annotations") or {}))

    def of_slice(self, slice_, thing):
        on, ports = self.on, slice_.data.get("ports")
        if not ports and not on(19):
            return
        for endpoint in slice_.data.get("endpoints") or []:
            conditions = endpoint.get("conditions") or {}
            ready = conditions.get("ready")
            if on(17):
                ready = ready is None or ready
            elif ready is not False:
                ready = conditions.get("serving", True) is not False
            if thing.spec.get("publishNotReadyAddresses") and not on(23):
                ready = True
            texts = endpoint.get("addresses") or []
            for address in parse_all(texts if on(20) else texts[:1], on):
                yield Endpoint(address, endpoint.get("hostname") or None, target_pod(endpoint),
                               bool(ready), ports_of(ports) or SENTINEL, True)

    def of_endpoints(self, mirror, thing):
        """Rule 21."""
        forced = thing.spec.get("publishNotReadyAddresses") and not self.on(23)
        for port, one, ready in self.repacked(mirror.data.get("subsets") or []):
            for address in parse_all([one.get("ip")], self.on):
                yield Endpoint(address, one.get("hostname") or None, target_pod(one),
                               bool(ready or forced), ports_of([port]) if port else SENTINEL, True)

    def repacked(self, subsets):
        """(port, address, whether it is ready there): pkg/api/v1/endpoints/util.go RepackSubsets.
        Equal addresses (of one uid) are the first of them, and ready at a port if all are."""
        hosts, at_port = {}, {}
        for number, subset in enumerate(subsets):
            for port in subset.get("ports") or [None]:
                for key, ready in ("addresses", True), ("notReadyAddresses", False):
                    for one in subset.get(key) or []:
                        host = (addresses.parse(one.get("ip")) or one.get("ip"),
                                (one.get("targetRef") or {}).get("uid"))
                        if not self.on("repack"):
                            host += (number, key, one.get("hostname"))
                        hosts.setdefault(host, one)
                        states = at_port.setdefault(identity_of(port), (port, {}))[1]
                        states[host] = states.get(host, True) and ready
        for port, states in at_port.values():
            for host, ready in states.items():
                yield port, hosts[host], ready

    def of_pod(self, pod, thing, families):
        """Rules 24 to 30 and 38."""
        on, spec = self.on, thing.spec
        if pod.phase in ("Failed", "Succeeded") and on(27):
            return
        ready = (pod.ready and not pod.deleting) if on(25) else True
        publish = spec.get("publishNotReadyAddresses")
        if not on(30) and (thing.meta.get("annotations") or {}).get(TOLERATE) == "true":
            publish = True
        if publish and (on(26) or not pod.deleting):
            ready = True
        ports = self.ports_of_pod(pod, spec)
        if ports is None:
            return
        hostname = pod.hostname if pod.subdomain == thing.name or not on(38) else None
        if not on(44) and pod.override:
            hostname = pod.override
        for address in pod.addresses:
            if addresses.family_of(address) in families:
                yield Endpoint(address, hostname or None, pod.name, ready, ports,
                               stated=not is_token(address),
                               reverse=not pod.node or not on("node-reverse"),
                               also=[] if on(39) else [pod.name])

    def ports_of_pod(self, pod, spec):
        """The Service's ports, resolved against the containers (rule 29)."""
        ports = []
        for port in spec.get("ports") or []:
            target = port.get("targetPort")
            if not isinstance(target, str):
                ports += ports_of([port | {"port": target or port["port"]}])
            elif target in pod.container_ports:
                ports += ports_of([port | {"port": pod.container_ports[target]}])
            elif not self.on(29):
                return None
        return ports or SENTINEL

    def tidy(self, endpoints):
        endpoints = list(endpoints)
        if not self.on(18):
            unready = {e.address for e in endpoints if not e.ready}
            endpoints = [e for e in endpoints if e.address not in unready]
        return endpoints


def families_said(spec):
    return [{"IPv4": 4, "IPv6": 6}[family] for family in spec.get("ipFamilies") or []]


def is_token(address):
    return isinstance(address, addresses.Token)


def identity_of(port):
    """As the API server completes it (core/v1 defaults.go)."""
    return port and (port.get("name") or "", port.get("protocol") or "TCP", port.get("port"))


def target_pod(endpoint):
    """CoreDNS object/endpoint.go takes the name of a targetRef, of whatever kind it is."""
    return (endpoint.get("targetRef") or {}).get("name")
