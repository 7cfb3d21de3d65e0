# SPDX-License-Identifier: LGPL-2.1-or-later
"""kubesvc-dns: records of all types, from manifests; and names that others have to be asked about."""

import os
import pathlib
import select
import signal
import socket

from dns_client import parse, receive, request
from dns_server import DnsServer, addresses
from fake_daemon import FOUND, MAP, FakeDaemon, answer, frame, packed, pending
from harness import HERE, Daemon, same
from nameserver import Nameserver

ZONE = "moon.svc.cluster.local"
GOLDEN = HERE / "dns_golden.txt"
WORLD = """
apiVersion: v1
kind: Service
metadata: {name: vip, namespace: moon}
spec:
  clusterIPs: [10.0.0.1, "fd00::1"]
  ipFamilies: [IPv4, IPv6]
  ports: [{name: http, port: 80, targetPort: 8080}, {name: dns, port: 53, protocol: UDP}]
---
apiVersion: v1
kind: Service
metadata: {name: single, namespace: moon}
spec: {clusterIP: 10.0.0.2, ports: [{port: 443}]}
---
apiVersion: v1
kind: Service
metadata: {name: bare, namespace: moon}
spec: {clusterIP: None}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: bare-1, namespace: moon, labels: {kubernetes.io/service-name: bare}}
addressType: IPv4
endpoints: [{addresses: [10.1.3.1]}]
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: moon}
spec: {clusterIP: None, ports: [{name: sql, port: 5432}]}
---
# Two slices: one port name, two numbers.
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1, namespace: moon, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
endpoints: [{addresses: [10.1.0.1], hostname: db-0}, {addresses: [10.1.0.2]}]
ports: [{name: sql, port: 8080}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-2, namespace: moon, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
endpoints: [{addresses: [10.1.0.3], hostname: db-1}]
ports: [{name: sql, port: 9090}, {name: web, port: 80}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-3, namespace: moon, labels: {kubernetes.io/service-name: db}}
addressType: IPv6
endpoints: [{addresses: ["fd00:1::1"], hostname: db-0}]
ports: [{name: sql, port: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: inside, namespace: moon}
spec: {type: ExternalName, externalName: vip.moon.svc.cluster.local}
---
apiVersion: v1
kind: Service
metadata: {name: outside, namespace: moon}
spec: {type: ExternalName, externalName: www.example.com}
---
apiVersion: v1
kind: Service
metadata: {name: twice, namespace: moon}
spec: {type: ExternalName, externalName: outside.moon.svc.cluster.local}
---
apiVersion: v1
kind: Service
metadata: {name: nowhere, namespace: moon}
spec: {type: ExternalName, externalName: absent.example.com}
"""
QUESTIONS = [
    f"{name}.{ZONE} {kind}" for kind in ("A", "AAAA", "SRV", "CNAME", "TXT", "ANY", "SOA")
    for name in ("vip", "db", "db-0.db", "10-1-0-2.db", "_sql._tcp.db", "_http._tcp.vip", "inside", "absent")
] + [
    f"{name}.{ZONE} SRV" for name in ("single", "bare", "_web._tcp.db", "_web._udp.db", "_._udp.vip", "_dns._udp.vip",
                                      "db-1.db", "outside", "_http._tcp.outside", "_http._tcp.inside")
] + [
    f"{name} {kind}" for name in ("cluster.local", "ns.dns.cluster.local", "dns-version.cluster.local")
    for kind in ("SOA", "NS", "A", "TXT")
] + [
    f"{name} PTR" for name in ("1.0.0.10.in-addr.arpa", "1.0.1.10.in-addr.arpa", "2.0.1.10.in-addr.arpa",
                               "9.0.96.127.in-addr.arpa", "96.127.in-addr.arpa", "9.9.9.9.in-addr.arpa",
                               "1." + "0." * 29 + "d.f.ip6.arpa")
]


def test_golden():
    with Daemon({"world.yaml": WORLD}) as daemon, DnsServer(daemon) as dns:
        got = []
        for question in QUESTIONS:
            name, kind = question.split()
            got += [f"? {question}", *dns.whole(name, kind, edns=1232).lines()]
        text = "\n".join(got) + "\n"
        if text != GOLDEN.read_text():
            print(text)
            differences = [f"{a!r}, expected {b!r}" for a, b in zip(got, GOLDEN.read_text().splitlines()) if a != b]
            raise AssertionError("\n".join(differences[:20]) or "more or fewer lines")


def test_targets_outside_are_resolved_by_the_daemon():
    hosts = pathlib.Path("hosts")
    hosts.write_text("192.0.2.80 www.example.com\n2001:db8::80 www.example.com\n")
    with Nameserver(hosts) as upstream, Daemon(
            {"world.yaml": WORLD}, config=f'nameservers: ["{upstream.address}"]\n') as daemon, \
            DnsServer(daemon, "--namespace", "moon") as dns:
        for tcp in False, True:
            response = dns.ask(f"outside.{ZONE}", tcp=tcp)
            same([str(record) for record in response.answer],
                 [f"outside.{ZONE}. 5 CNAME www.example.com.", "www.example.com. 5 A 192.0.2.80"])
            same((response.rcode, response.authoritative), ("NOERROR", True))
            same(dns.ask(f"outside.{ZONE}", "AAAA", tcp=tcp).data("AAAA"), ["2001:db8::80"])
            same([str(record) for record in dns.ask("twice", tcp=tcp).answer],
                 [f"twice. 5 CNAME twice.{ZONE}.", f"twice.{ZONE}. 5 CNAME outside.{ZONE}.",
                  f"outside.{ZONE}. 5 CNAME www.example.com.", "www.example.com. 5 A 192.0.2.80"])
            response = dns.ask(f"nowhere.{ZONE}", tcp=tcp)
            same((response.rcode, [str(record) for record in response.answer]),
                 ("NOERROR", [f"nowhere.{ZONE}. 5 CNAME absent.example.com."]))
        same(dns.ask(f"outside.{ZONE}", "TXT").data("CNAME"), ["www.example.com."])


def test_what_waits_for_a_nameserver_keeps_nothing_else_waiting():
    """The nameserver is stopped; many questions wait, and others are answered meanwhile."""
    hosts = pathlib.Path("hosts")
    hosts.write_text("192.0.2.80 www.example.com\n")
    with Nameserver(hosts) as upstream, Daemon(
            {"world.yaml": WORLD}, config=f'nameservers: ["{upstream.address}"]\n') as daemon, \
            DnsServer(daemon) as dns:
        upstream.process.send_signal(signal.SIGSTOP)
        try:
            waiting = [dns.at.connect() for _ in range(20)]
            for i, client in enumerate(waiting):
                message = request(f"outside.{ZONE}", number=i)
                client.sendall(len(message).to_bytes(2, "big") + message)
            same(dns.ask(f"single.{ZONE}").data("A"), ["10.0.0.2"])
            same(select.select(waiting, [], [], 0)[0], [], "answered before it")
            for _ in range(50):
                same(dns.ask(f"single.{ZONE}").data("A"), ["10.0.0.2"])
            for client in waiting[:10]:  # gone before the answer is there
                client.close()
        finally:
            upstream.process.send_signal(signal.SIGCONT)
        for i, client in enumerate(waiting[10:]):
            response = parse(receive(client))
            same((response.id, response.data("A")), (10 + i, ["192.0.2.80"]))
            client.close()


def test_more_questions_at_once_than_the_daemon_accepts():
    """It has 16 connections waiting and accepts none; the others are made once it does."""
    hosts = pathlib.Path("hosts")
    hosts.write_text("192.0.2.80 www.example.com\n")
    with Nameserver(hosts) as upstream, Daemon(
            {"world.yaml": WORLD}, config=f'nameservers: ["{upstream.address}"]\n') as daemon, \
            DnsServer(daemon) as dns:
        waiting = [dns.at.connect() for _ in range(40)]
        daemon.process.send_signal(signal.SIGSTOP)
        try:
            for i, client in enumerate(waiting):
                message = request(f"outside.{ZONE}", number=i)
                client.sendall(len(message).to_bytes(2, "big") + message)
            for _ in range(3):  # so all have been read
                same(dns.ask(f"single.{ZONE}", tcp=True).data("A"), ["10.0.0.2"])
        finally:
            daemon.process.send_signal(signal.SIGCONT)
        for i, client in enumerate(waiting):
            response = parse(receive(client))
            same((response.id, response.data("A")), (i, ["192.0.2.80"]))
            client.close()


def test_targets_outside_fail_without_the_daemon():
    """Its aliases are known, but not what they lead to."""
    daemon = Daemon({"world.yaml": WORLD})
    with DnsServer(daemon) as dns:
        same(daemon.stop(signal.SIGKILL), -signal.SIGKILL)
        same(dns.ask(f"outside.{ZONE}").rcode, "SERVFAIL")
        same(dns.ask(f"outside.{ZONE}", "CNAME").data("CNAME"), ["www.example.com."])
        same(addresses(dns.ask(f"inside.{ZONE}")), ["10.0.0.1"])


def give_map(daemon, connection):
    """Passes on the daemon's snapshot."""
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(str(daemon.socket))
        asked.sendall(frame(MAP, b"\xff\xff\xff\xff"))
        data, fds, _, _ = socket.recv_fds(asked, 64, 1)
    socket.send_fds(connection, [data], fds)
    for fd in fds:
        os.close(fd)


def test_what_is_no_answer_to_the_question_is_none():
    """A daemon that has a snapshot to give, and is asked for one target after the other."""
    names, inet, inet6 = ["a.example", "www.example.com"], packed(["192.0.2.80"], 4), packed(["2001:db8::80"], 6)
    good = answer(FOUND, names, inet=inet)
    wrong = {
        "the other family": answer(FOUND, names, inet6=inet6),
        "both": answer(FOUND, names, inet=inet, inet6=inet6),
        "no address": answer(FOUND, names),
        "one name": answer(FOUND, names[:1], inet=inet),
        "fewer names": answer(FOUND, names, inet=inet, said_names=3),
        "more names": answer(FOUND, names + ["b.example"], inet=inet, said_names=2),
        "not a name": answer(FOUND, ["a b", "www.example.com"], inet=inet),
        "shorter": answer(FOUND, names, inet=inet, said_inet=2),
        "half": good[:-1],
        "longer than allowed": frame(good[5], length=0xFFFFFFFF),
        "other magic": frame(good[5], good[16:], magic=1),
        "a snapshot": frame(0x44, bytes(8)),
        "nothing": b"",
        "pending, then nothing": pending(),
    }
    said = []

    def behave(request, connection):
        return give_map(daemon, connection) if request.type == MAP else said[0]

    with Daemon({"world.yaml": WORLD}) as daemon, FakeDaemon("s", behave, maps=True), \
            DnsServer(os.path.abspath("s")) as dns:
        for about, frames in wrong.items():
            said[:] = [frames]
            same(dns.ask(f"outside.{ZONE}").rcode, "SERVFAIL", about)
        said[:] = [answer(FOUND, names, inet=inet)]
        same(dns.ask(f"outside.{ZONE}", "AAAA").rcode, "SERVFAIL")
        said[:] = [pending() + good]
        same(dns.ask(f"outside.{ZONE}").data("A"), ["192.0.2.80"])
