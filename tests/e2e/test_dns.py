# SPDX-License-Identifier: LGPL-2.1-or-later
"""kubesvc-dns: names by DNS, from the daemon's snapshot, also while the daemon is away."""

import signal
import time
import socket
import statistics
import subprocess
import sys

from dns_client import frame, parse, receive, request
from dns_server import DnsServer, addresses
from harness import PATIENCE, Daemon, built, same, wait_for

ZONE = "default.svc.cluster.local"
WORLD = """
apiVersion: v1
kind: Service
metadata: {name: regular-svc}
spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: headless-svc}
spec: {clusterIP: None}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: headless-1, labels: {kubernetes.io/service-name: headless-svc}}
addressType: IPv4
endpoints: [{addresses: [10.1.0.1]}, {addresses: [10.1.0.2]}, {addresses: [10.1.0.3]}]
"""


def world(address="10.0.0.1"):
    return {"world.yaml": WORLD.replace("10.0.0.1", address)}


def test_a_service_has_one_address_and_a_headless_one_all():
    with Daemon(world()) as daemon, DnsServer(daemon) as dns:
        for tcp in (False, True):
            response = dns.ask(f"regular-svc.{ZONE}", tcp=tcp)
            same((response.rcode, response.authoritative, response.recursive), ("NOERROR", True, False))
            same([str(record) for record in response.answer], [f"regular-svc.{ZONE}. 5 A 10.0.0.1"])
            same(addresses(dns.ask(f"headless-svc.{ZONE}", tcp=tcp)), ["10.1.0.1", "10.1.0.2", "10.1.0.3"])
            same(dns.ask(f"absent.{ZONE}", tcp=tcp).rcode, "NXDOMAIN")
            same(dns.ask("www.example.com", tcp=tcp).rcode, "REFUSED")


def test_answers_follow_the_manifests():
    with Daemon(world()) as daemon, DnsServer(daemon) as dns:
        serial = int(dns.ask("cluster.local", "SOA").data("SOA")[0].split()[2])
        daemon.write("world.yaml", world("10.0.0.9")["world.yaml"])
        dns.until(f"regular-svc.{ZONE}", "A", lambda r: r.data("A") == ["10.0.0.9"])
        later = int(dns.ask("cluster.local", "SOA").data("SOA")[0].split()[2])
        assert 0 < (later - serial) % (1 << 32) < 1 << 31, (serial, later)


def test_a_killed_daemon_leaves_its_names_and_a_stopped_one_takes_them_along():
    daemon = Daemon(world())
    with DnsServer(daemon) as dns:
        same(daemon.stop(signal.SIGKILL), -signal.SIGKILL)
        for _ in range(100):
            same(dns.ask(f"regular-svc.{ZONE}").data("A"), ["10.0.0.1"])
        with Daemon(world(), dir=daemon.dir) as after:
            after.write("world.yaml", world("10.0.0.9")["world.yaml"])
            dns.until(f"regular-svc.{ZONE}", "A", lambda r: r.data("A") == ["10.0.0.9"])
            same(after.stop(), 0)
            same(dns.ask(f"regular-svc.{ZONE}").rcode, "SERVFAIL")


def test_a_daemon_that_has_started_is_asked_at_once():
    """Also if it was away for long: the question itself finds it."""
    daemon = Daemon(world())
    with DnsServer(daemon) as dns:
        for _ in range(3):
            same(daemon.stop(), 0)
            dns.until(f"regular-svc.{ZONE}", "A", lambda r: r.rcode == "SERVFAIL")
            with Daemon(world(), dir=daemon.dir) as daemon:
                for tcp in False, True:
                    same(dns.ask(f"regular-svc.{ZONE}", tcp=tcp).data("A"), ["10.0.0.1"])


def test_questions_wait_while_the_daemon_restarts():
    """Those that came while there was none are answered by the next one, unless it takes too long to start."""
    daemon = Daemon(world())
    with DnsServer(daemon) as dns:
        def restart():
            nonlocal daemon
            same(daemon.stop(), 0)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, dns.at.connect() as tcp:
                udp.settimeout(PATIENCE)
                udp.connect(dns.at.at)
                message = request(f"regular-svc.{ZONE}")
                udp.send(message)
                tcp.sendall(frame(message))
                daemon = Daemon(world(), dir=daemon.dir)
                rcodes = [parse(udp.recv(65535)).rcode, parse(receive(tcp)).rcode]
            same(dns.ask(f"regular-svc.{ZONE}").data("A"), ["10.0.0.1"])
            return rcodes == ["NOERROR", "NOERROR"]

        wait_for(restart, "a restart that no question notices")
        same(daemon.stop(), 0)


def test_a_daemon_that_hangs_is_not_waited_for():
    with Daemon(world()) as daemon, DnsServer(daemon) as dns:
        daemon.process.send_signal(signal.SIGSTOP)
        try:
            taken = []
            for _ in range(100):
                started = time.monotonic()
                same(dns.ask(f"regular-svc.{ZONE}").data("A"), ["10.0.0.1"])
                taken.append(time.monotonic() - started)
            assert statistics.median(taken) < 1, taken
        finally:
            daemon.process.send_signal(signal.SIGCONT)


def test_nothing_is_known_before_there_is_a_daemon():
    with DnsServer("absent/socket", config="zone: Example.Org\n") as dns:
        same(dns.ask("regular-svc.default.svc.example.org").rcode, "SERVFAIL")
        dns.wait_line("no kubesvcd is listening there")


STARTER = """
import os, sys
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.dup2(int(sys.argv[1]), 3)
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_requests_wait_while_it_starts():
    """A socket of the service manager has them before there is a process; it answers none without a snapshot."""
    with Daemon(world()) as daemon, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        server.bind(("127.0.0.1", 0))
        client.settimeout(PATIENCE)
        client.connect(server.getsockname())
        for number in range(50):
            client.send(request(f"regular-svc.{ZONE}", number=number))
        process = subprocess.Popen(
            [sys.executable, "-c", STARTER, str(server.fileno()), built("kubesvc-dns"), "--config", "/dev/null",
             "--socket", daemon.socket], pass_fds=[server.fileno()])
        try:
            for _ in range(50):
                same(parse(client.recv(65535)).data("A"), ["10.0.0.1"])
        finally:
            process.terminate()
            same(process.wait(), 0)
