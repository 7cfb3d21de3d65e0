# SPDX-License-Identifier: LGPL-2.1-or-later
"""Questions aimed at a world: existing names of every shape, at every level of abbreviation, and
near misses. A question is (kind, text, namespace), kind being inet, inet6, unspec or ptr."""

import ipaddress

from . import addresses
from .services import is_token
from .invent import HOSTNAMES, SERVICES

MALFORMED = ["web..{}", ".{}", "-{}", "{}..", "{} x", "*.{}", "{}*", "", ".", "a/{}",
             "{}." + "x" * 64, "x." * 130 + "{}"]


class Questions:
    def __init__(self, world, oracle, rng):
        self.world, self.oracle, self.rng = world, oracle, rng
        self.zone = world.config.zone
        self.services = list(oracle.services.values())
        name, namespace = self.zone.split(".")
        self.head = oracle.services.get((namespace, name))  # the zone is its short name
        self.namespaces = world.namespaces + ["nosuch"]
        # In the ranges only addresses that are understood may be asked for.
        self.sure = not any(token not in oracle.bindings and is_visible(token, oracle)
                            for token in tokens_of(oracle))
        self.known = [a for a in sorted(oracle.stated | set(oracle.bindings.values()))]
        self.labels = self.all_labels()

    def all_labels(self):
        labels = {label for service in self.services for endpoint in service.endpoints
                  for label in self.oracle.labels(endpoint)}
        labels |= {pod.name for pod in self.oracle.pods} | {e.hostname for s in self.services
                                                            for e in s.endpoints if e.hostname}
        labels |= {addresses.dashed(a) for a in self.known}
        return sorted(labels) + HOSTNAMES + ["_tcp", "any", "over"]

    def ask(self):
        rng = self.rng
        if rng.random() < 0.12:
            return "ptr", self.address(), None
        family = rng.choice(["inet", "inet", "inet6", "unspec"])
        if self.world.shadows and rng.random() < 0.04:
            here, there, name = rng.choice(self.world.shadows)
            return family, f"{name}.{there}", here
        if self.head and rng.random() < 0.06:
            return family, f"{self.endpoint_label(self.head)}.{self.zone}", None
        name = self.absolute()
        namespace = rng.choice([None, *self.namespaces])
        own = [other for other in self.world.namespaces if f".{other}.svc." in name]
        if own and rng.random() < 0.4:
            namespace = own[0]
        name = self.abbreviated(name, namespace)
        if rng.random() < 0.07:
            name = "".join(rng.choice([c.upper(), c]) for c in name)
        if rng.random() < 0.03:
            name = rng.choice(MALFORMED).format(name)
        return family, name, namespace

    def absolute(self):
        rng = self.rng
        if self.services and rng.random() < 0.8:
            service = rng.choice(self.services)
            namespace, name = service.namespace, service.name
        else:
            service = None
            namespace = rng.choice(self.namespaces)
            name = rng.choice([*SERVICES, "front_end", "decoy"])
        full = f"{name}.{namespace}.svc.{self.zone}"
        shape = rng.choices(["service", "endpoint", "port", "pod", "other"], [35, 25, 9, 11, 20])[0]
        if shape == "endpoint":
            return f"{self.endpoint_label(service)}.{full}"
        if shape == "port":
            return f"{self.port(service)}.{full}"
        if shape == "pod":
            return f"{self.pod_label()}.{namespace}.pod.{self.zone}"
        return self.other(namespace, full) if shape == "other" else full

    def endpoint_label(self, service):
        own = [label for e in service.endpoints for label in self.oracle.labels(e)
               ] if service else []
        return self.rng.choice(own if own and self.rng.random() < 0.6 else self.labels)

    def port(self, service):
        rng = self.rng
        port, protocol = rng.choice(["http", "dns", "sql", "admin", "x"]), rng.choice(
            ["tcp", "tcp", "udp"])
        if service and rng.random() < 0.6:
            named = [p for p in service.ports if p[0]] + [
                p for e in service.endpoints for p in e.ports if p[0]]
            if named:
                port, protocol, _ = rng.choice(named)
                protocol = protocol.lower()
        mark = rng.choice(["_", "_", ""])
        return f"{mark}{port}.{rng.choice(['_', mark])}{protocol}"

    def pod_label(self):
        rng = self.rng
        own = [a for pod in self.oracle.pods for a in map(self.oracle.bound, pod.addresses)
               if not is_token(a)]
        label = addresses.dashed(rng.choice((own or ["10.71.0.1"]) + self.known[:5]))
        return rng.choice([label] * 6 + ["10-71-0-77", "fd00-71--77", "10-71-0-300", "blah",
                                         "fd00-71-0-0--1", "0-0-0-0-0-ffff-a47-1", "x." + label,
                                         label.upper()])

    def other(self, namespace, full):
        zone, rng = self.zone, self.rng
        return rng.choice([
            zone, f"svc.{zone}", f"pod.{zone}", f"{namespace}.svc.{zone}",
            f"{namespace}.pod.{zone}",
            f"nosuch.svc.{zone}", f"dns-version.{zone}", f"ns.dns.{zone}", f"foo.{zone}",
            f"{rng.choice(self.labels)}.{zone}", f"{rng.choice(self.labels)}.{zone}",
            f"{full[:-len(zone)]}x{zone}", f"not{zone}", f"x.y.z.{full}", f"x._http._tcp.{full}",
            f"_._.{full}", f"_._.{full}", f"_.{full}", f"_._tcp.{full}",
            f"web.{namespace}.{zone}", f"{full}.default.svc.{zone}", f"{full}.com", "localhost",
            "localhost", "www.example.com", "web.example.com", f"_tcp.{full}",
            f"{namespace}.svc", namespace,
            "svc", "pod", f"any.{namespace}.svc.{zone}", f"*.{namespace}.svc.{zone}",
            "web.prod.svc.other.zone", "a.b.c.d.e", f"a.b.c.d.e.{zone}", f"{full}svc",
            f"nothing.{namespace}.svc.{zone}", f"{rng.choice(SERVICES)}.nosuch.svc.{zone}"])

    def abbreviated(self, name, namespace):
        """A name cut at one of the places that the search list can mend, or elsewhere."""
        rng = self.rng
        if rng.random() < 0.25:
            return name + "."
        cuts = ["", f".{self.zone}", f".svc.{self.zone}"]
        own = namespace or self.world.config.namespace
        cuts += 3 * [f".{own}.svc.{self.zone}"] + [f".pod.{self.zone}"]
        cuts += [f".{other}.svc.{self.zone}" for other in self.world.namespaces]
        cut = rng.choice([cut for cut in cuts if name.endswith(cut)])
        shorter = name[:len(name) - len(cut)]
        return shorter + rng.choice(["", "", "", "", "."])

    def address(self):
        rng, config = self.rng, self.world.config
        pool = self.known + ["203.0.113.9", "203.0.113.8", "10.66.6.8", "10.9.9.9", "fd00:9::9",
                             *config.node_ips]
        if self.sure:
            pool += ["127.244.0.200", "127.96.0.201", "fd44::99", "fd96::98"]
        address = rng.choice(pool)
        if rng.random() < 0.1:
            beside = str(ipaddress.ip_address(address) + 1)
            ranges = config.service_cidrs + config.pod_cidrs
            if self.sure or not addresses.in_ranges(beside, ranges):
                address = beside
        if ":" not in address and rng.random() < 0.1:
            address = f"::ffff:{address}"
        return address


def tokens_of(oracle):
    """All addresses that are given in a world."""
    tokens = [a for service in oracle.services.values() for a in service.cluster_ips]
    tokens += [a for pod in oracle.pods for a in pod.addresses]
    return sorted(t for t in set(tokens) if is_token(t))


def is_visible(token, oracle):
    """Could any answer depend on the address that a token stands for?"""
    return any(token in [e.address for e in service.endpoints] + service.cluster_ips
               for service in oracle.services.values()) or any(
        token in oracle.named(pod) for pod in oracle.pods)


def answer(oracle, question):
    kind, text, namespace = question
    return oracle.reverse(text) if kind == "ptr" else oracle.resolve(text, kind, namespace)
