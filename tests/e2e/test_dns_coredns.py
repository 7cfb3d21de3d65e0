# SPDX-License-Identifier: LGPL-2.1-or-later
"""kubesvc-dns compared with CoreDNS, both for one kube-apiserver, where $KUBE_BIN has them: random Services and random
questions. What differs must be a row of the table in docs/dns.md; KUBESVC_COREDNS_QUESTIONS says how many are
asked (default: 3000)."""

import collections
import json
import os
import pathlib
import random
import re
import subprocess

from api_server import Follower
from dns_client import Dns
from dns_server import DnsServer, free_port
from harness import Daemon, limit, skip, wait_for
from nameserver import Nameserver
from real_api import inside

QUESTIONS = int(os.environ.get("KUBESVC_COREDNS_QUESTIONS", "3000"))
ZONE = "cluster.local"
NAMESPACES = ["a", "b", "empty"]
TYPES = ["A"] * 4 + ["AAAA"] * 2 + ["SRV"] * 4 + ["CNAME", "SOA", "NS", "TXT", "PTR", "MX"]
PORT_NAMES = ["http", "dns", "sql"]


def ports(chance):
    names = chance.sample(PORT_NAMES, chance.randint(1, 3))
    return [{"name": name, "port": 80 + i, "protocol": chance.choice(["TCP", "UDP"])} for i, name in enumerate(names)]


class Service:
    """One of some kind, and what it needs in the API."""

    def __init__(self, chance, number, ns):
        self.ns, self.name = ns, f"s{number}"
        self.kind = chance.choice(["cluster", "headless", "headless", "portless", "inside", "outside", "bare"])
        self.full = f"{self.name}.{ns}.svc.{ZONE}"
        self.ports = [] if self.kind in ("portless", "inside", "outside") else ports(chance)
        self.labels, self.slices, self.dual = [], [], False
        self.spec = {"ports": self.ports} if self.ports else {}
        if self.kind in ("headless", "portless", "cluster"):
            self.spec |= {"clusterIP": "None"} if self.kind != "cluster" else {}
            for i in range(chance.randint(1, 2)):
                self.add_slice(chance, number, i)
        elif self.kind == "bare":  # without endpoints
            self.spec["clusterIP"] = chance.choice(["None", None])
            self.spec = {key: value for key, value in self.spec.items() if value}
        elif self.kind in ("inside", "outside"):
            target = f"s{chance.randrange(20)}.a.svc.{ZONE}" if self.kind == "inside" else "www.example"
            self.spec = {"type": "ExternalName", "externalName": target}

    def add_slice(self, chance, number, i):
        endpoints = []
        for n in range(chance.randint(1, 4)):
            address = f"10.{100 + number}.{i}.{n + 1}"
            endpoint = {"addresses": [address], "conditions": {"ready": chance.random() < 0.8}}
            label = address.replace(".", "-")
            if chance.random() < 0.4:
                endpoint["hostname"] = label = f"h{i}{n}"
            self.labels.append(label)
            endpoints.append(endpoint)
        self.slices.append({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"{self.name}-{i}", "namespace": self.ns,
                         "labels": {"kubernetes.io/service-name": self.name}},
            "endpoints": endpoints,
            "ports": [port | {"port": port["port"] + 8000 + i} for port in self.ports]})

    def objects(self):
        yield {"apiVersion": "v1", "kind": "Service", "metadata": {"name": self.name, "namespace": self.ns},
               "spec": self.spec}
        yield from self.slices


def names_of(chance, services):
    """A name that one might ask for, and the Service that it is about."""
    service = chance.choice(services)
    if chance.random() < 0.15:
        return chance.choice([ZONE, f"svc.{ZONE}", f"pod.{ZONE}", f"dns-version.{ZONE}", f"x.{ZONE}",
                              *(f"{ns}.svc.{ZONE}" for ns in [*NAMESPACES, "absent"]),
                              f"s99.a.svc.{ZONE}", f"s1.absent.svc.{ZONE}", f"a.b.{ZONE}"]), None
    below = chance.choice(["", "", "", *(f"_{port}._{protocol}." for port in PORT_NAMES for protocol in ("tcp", "udp")),
                           *(f"{label}." for label in service.labels[:3]), "absent.", "x.y.", "_http.",
                           *(f"_http._tcp.{label}." for label in service.labels[:1])])
    name = below + service.full
    return (name.upper() if chance.random() < 0.1 else name), service


def question(chance, services):
    if chance.random() < 0.08:
        addresses = [e["addresses"][0] for s in services for part in s.slices for e in part["endpoints"]]
        address = chance.choice([*addresses, "10.96.0.99"])
        return ".".join(reversed(address.split("."))) + ".in-addr.arpa", "PTR", None
    name, service = names_of(chance, services)
    return name, chance.choice(TYPES), service


def outcome(server, name, kind):
    response = server.whole(name, kind, edns=1232)
    serial = re.compile(r"(SOA \S+ \S+) \d+")
    lower = [sorted(serial.sub(r"\1 N", str(record)).lower() for record in section)
             for section in (response.answer, response.authority, response.additional)]
    return response.rcode, response.authoritative, *lower


def reason(name, kind, service, ours, theirs):
    """The row of the table that a difference is, None: there is none."""
    name = name.lower()
    codes = ours[0], theirs[0]
    if kind == "SOA" and codes == ("NXDOMAIN", "NOERROR"):
        return "SOA of a name that does not exist"
    if service is None and codes == ("NOERROR", "NXDOMAIN") and not ours[2]:
        return "other types of the zone, svc, pod, a namespace"
    if kind == "PTR" and codes[0] == "REFUSED":
        return "an address without a name"
    if kind == "PTR" and codes == ("NXDOMAIN", "NXDOMAIN"):
        return "the SOA of addresses without a name"
    if name == ZONE and kind == "NS":
        return "NS of the zone"
    if service is None:
        return None
    if kind == "SRV" and ours[:4] == theirs[:4] and set(ours[4]) < set(theirs[4]):
        return "addresses for many SRV records"
    at_service, endpoint = name == service.full, name.split(".")[0] in service.labels
    if kind == "SRV" and service.kind == "portless" and codes == ("NOERROR", "NXDOMAIN"):
        return "SRV of a headless Service without ports"
    if service.kind in ("inside", "outside") and at_service:
        if [line.split()[2:] for line in ours[2]] == [line.split()[2:] for line in theirs[2]] != []:
            return "how long a target outside the zone may be kept"
        if kind == "AAAA":
            return "AAAA of an ExternalName whose target in the zone has IPv4 only"
        if ours[2] and not theirs[2]:
            return "other types of an ExternalName"
    if kind == "SRV" and endpoint and service.kind == "cluster" and not ours[2]:
        return "SRV of an endpoint of a Service with a cluster IP"
    return None


def server_of(api, upstream):
    binary = api.binaries / "coredns"
    if not binary.exists():
        skip("needs coredns in KUBE_BIN")
    port = free_port()
    corefile = pathlib.Path("Corefile").resolve()
    corefile.write_text(f".:{port} {{\n  bind 127.0.0.1\n  kubernetes {ZONE} 10.in-addr.arpa {{\n"
                        f"    kubeconfig {api.reader_kubeconfig()} x\n  }}\n"
                        f"  forward example {upstream.address}\n}}\n")
    log = open("coredns.log", "w", encoding="utf-8")
    return subprocess.Popen([binary, "-conf", corefile], stdout=log, stderr=log), Dns(port)


def compare(api):
    seed = int(os.environ.get("KUBESVC_COREDNS_SEED", random.randrange(1 << 30)))
    print(f"seed {seed}")
    chance = random.Random(seed)
    for ns in NAMESPACES:
        api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns}})
    services = [Service(chance, number, NAMESPACES[number % 2]) for number in range(40)]
    for service in services:
        for value in service.objects():
            api.create(value)
    last = Service(random.Random(1), 99, "a")
    last.name, last.full, last.spec, last.slices = "zz", f"zz.a.svc.{ZONE}", {"clusterIP": "10.96.0.200", "ports": [{"port": 1}]}, []
    for value in last.objects():
        api.create(value)
    pathlib.Path("hosts").write_text("192.0.2.80 www.example\n")
    upstream = Nameserver("hosts")
    process, theirs = server_of(api, upstream)
    config = ("pods: disabled\nmanifests:\n- path: {}\n  recursive: true\n  allocate: false\n"
              f"nameservers: ['{upstream.address}']\n")
    try:
        with Follower(api.reader_kubeconfig()) as follower:
            follower.until_state("synced")
            with Daemon([], config=config.format(follower.output)) as daemon, DnsServer(daemon) as ours:
                for server in ours.at, theirs:
                    wait_for(lambda: _has(server, last.full), "both to know the last Service", 60)
                differences(chance, services, ours.at, theirs)
    finally:
        process.kill()
        process.wait()


def _has(server, name):
    try:
        return server.ask(name).data("A") == ["10.96.0.200"]
    except OSError:
        return False


def differences(chance, services, ours, theirs):
    rows, unknown, asked = collections.Counter(), {}, set()
    for _ in range(QUESTIONS):
        name, kind, service = question(chance, services)
        asked.add((name, kind))
        both = outcome(ours, name, kind), outcome(theirs, name, kind)
        if both[0] == both[1]:
            continue
        why = reason(name, kind, service, *both)
        rows[why or "UNKNOWN"] += 1
        if not why:
            unknown[name, kind, service and service.kind] = both
    print(f"{QUESTIONS} questions, {len(asked)} of them different ones; {sum(rows.values())} answers differ:")
    for why, n in rows.most_common():
        print(f"  {n:6} {why}")
    for key, both in list(unknown.items())[:20]:
        print(*key)
        for who, what in zip(("ours", "theirs"), both):
            print("   ", who, json.dumps(what))
    assert not unknown, f"{len(unknown)} differences that docs/dns.md does not list"


@limit(900)
def test_like_coredns():
    inside("compare")
