# SPDX-License-Identifier: LGPL-2.1-or-later
"""DNS queries: kubesvc-dns compared with other nameservers that know the same names.

Each server has one core, the questions come from another one. What a question costs is the server's
time of the processor, user and system, so a busy machine changes it little.
"""

import grp
import os
import pathlib
import pwd
import shutil
import subprocess
import time

from cluster import cpu
from lookups import RECORDS, ZONE, hosts_text, known, manifests
from tools import QUICK, Daemon, available, progress, tool, wait_for

from dns_client import Dns
from dns_server import DnsServer, free_port

SECONDS = 2 if QUICK else 10
WINDOW = 200
RATE = 20000
CORES = sorted(os.sched_getaffinity(0))


def pinned(core):
    return ["taskset", "-c", str(CORES[core % len(CORES)])]


class Server:
    """A nameserver that is measured; `process` is it."""

    def __init__(self, name, process, port, stop):
        self.name, self.process, self.port, self.stop = name, process, port, stop


def other(name, command, port):
    process = subprocess.Popen([*pinned(0), *map(str, command)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers():
        try:
            return bool(Dns(port, timeout=0.2).ask(f"a1.{ZONE}").data("A"))
        except OSError:
            return False

    def stop():
        process.kill()
        process.wait()

    wait_for(answers, name)
    return Server(name, process, port, stop)


def dnsmasq(port):
    hosts = pathlib.Path("hosts.dns").resolve()
    hosts.write_text(hosts_text(RECORDS))
    hosts.chmod(0o644)
    return [available("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--no-resolv",
            "--no-hosts", "--local=/#/", f"--addn-hosts={hosts}", "--listen-address=127.0.0.1",
            "--bind-interfaces", "--user=", "--group=", f"--port={port}"]


def zone_text():
    return (f"$ORIGIN {ZONE}.\n$TTL 5\n@ SOA ns hostmaster 1 7200 1800 86400 5\n@ NS ns\nns A 127.0.0.1\n"
            + "".join(f"{name} A {address}\n" for name, addresses in known(RECORDS) for address in addresses))


def knotd(port):
    directory = pathlib.Path("knot").resolve()
    directory.mkdir(exist_ok=True)
    (directory / "zone").write_text(zone_text())
    user = pwd.getpwuid(os.getuid()).pw_name
    (directory / "knot.conf").write_text(
        f"server:\n    rundir: {directory}\n    listen: 127.0.0.1@{port}\n    udp-workers: 1\n    tcp-workers: 1\n"
        f"    background-workers: 1\n    user: {user}:{grp.getgrgid(os.getgid()).gr_name}\n"
        f"database:\n    storage: {directory}/db\nlog:\n  - target: stderr\n    any: error\n"
        f"zone:\n  - domain: {ZONE}\n    storage: {directory}\n    file: zone\n")
    return [available("knotd"), "-c", directory / "knot.conf"]


def coredns(port):
    directory = pathlib.Path("coredns").resolve()
    directory.mkdir(exist_ok=True)
    (directory / "hosts").write_text(hosts_text(RECORDS))
    (directory / "Corefile").write_text(f".:{port} {{\n  bind 127.0.0.1\n  hosts {directory}/hosts\n}}\n")
    return ["env", "GOMAXPROCS=1", available("coredns"), "-conf", directory / "Corefile"]


def servers(reasons):
    """One after the other, each running; kubesvc-dns first."""
    with Daemon({"all.yaml": "".join(manifests(RECORDS))}) as daemon:
        with DnsServer(daemon, wrapper=pinned(0)) as dns:
            yield Server("kubesvc-dns", dns.process, dns.port, None)
    for command in knotd, dnsmasq, coredns:
        name = command.__name__
        if not available(name):
            reasons.append(f"{name}: not installed")
            continue
        port = free_port()
        server = other(name, command(port), port)
        yield server
        server.stop()


def load(server, names, seconds, rate=0):
    """(sent, answered, wrong, seconds, median, p99, longest)"""
    done = subprocess.run([*pinned(1), tool("dns_load"), "127.0.0.1", str(server.port), str(seconds), str(rate),
                           str(WINDOW)], input="".join(f"{name}\n" for name in names), text=True,
                          stdout=subprocess.PIPE, check=True)
    sent, answered, wrong, *rest = done.stdout.split()
    return int(sent), int(answered), int(wrong), *map(float, rest)


def questions():
    """{title: names}"""
    return {
        f"1 address, {RECORDS} names": [f"{name}.{ZONE}" for name, addresses in known(RECORDS) if len(addresses) == 1],
        "3 addresses": [f"a3.{ZONE}"],
        "50 addresses": [f"a50.{ZONE}"],
        "absent": [f"absent{i}.{ZONE}" for i in range(1000)],
    }


def measure(server):
    """{title: cells}"""
    result = {}
    for title, names in questions().items():
        progress(f"dns, {server.name}, {title}")
        load(server, names, 0.3)
        before, started = cpu(server.process), time.monotonic()
        sent, answered, wrong, seconds, *_ = load(server, names, SECONDS)
        used = cpu(server.process) - before
        if wrong != (answered if title == "absent" else 0):
            raise RuntimeError(f"{server.name}, {title}: {wrong} of {answered} answers wrong")
        paced = load(server, names, SECONDS, RATE)
        result[title] = [f"{answered / used:.0f}", f"{used / answered * 1e6:.1f}", f"{answered / seconds:.0f}",
                         str(sent - answered + paced[0] - paced[1]), *(f"{value:.0f}" for value in paced[4:])]
    return result


def run():
    """Head, rows and what was not measured."""
    reasons, results = [], {}
    if not shutil.which("taskset") or len(CORES) < 2:
        return [], [], ["dns: needs taskset and two processors"]
    for server in servers(reasons):
        for title, cells in measure(server).items():
            results.setdefault(title, []).append([f"  {server.name}", *cells])
    rows = []
    for title, lines in results.items():
        rows += [[title], *lines]
    head = ["DNS", "a CPU second", "us CPU", "a second", "lost", f"median us at {RATE}/s", "p99 us", "longest us"]
    return head, rows, reasons
