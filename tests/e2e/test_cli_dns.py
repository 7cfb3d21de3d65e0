# SPDX-License-Identifier: LGPL-2.1-or-later
"""query --dns: the daemon, libc and a nameserver compared."""

import json
import pathlib
import re
import subprocess

import test_cli_shapes as shapes
from dns_server import DnsServer
from harness import BUILD, Daemon, built, same, with_nsswitch
from nameserver import Nameserver, free_port
from test_cli_golden import CLI, world

HEADLESS = ["127.244.0.1", "127.244.0.2", "127.244.0.3"]


def query(daemon, server, *arguments, wrapper=()):
    option = f"--dns={server}" if server else "--dns"
    return subprocess.run([*wrapper, built("kubesvc"), "query", option, *arguments],
                          env=daemon.env | {"LD_LIBRARY_PATH": str(BUILD)}, text=True,
                          capture_output=True)


def rows(done):
    """{way: (answer, compared)} of the table."""
    lines = done.stdout.splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("WAY"))
    return {cells[0]: (cells[1], cells[2])
            for cells in (re.split(r" {3,}", line) for line in lines[head + 1:])}


def serving(hosts):
    path = pathlib.Path("hosts.dns")
    path.write_text(hosts)
    return Nameserver(path)


def test_the_three_ways_agree():
    wrapper = with_nsswitch("files kubesvc [NOTFOUND=return] dns")
    zone = "moon.svc.cluster.local"
    hosts = "".join(f"{address} headless-svc.{zone}\n" for address in HEADLESS)
    with world() as daemon, serving(hosts + "10.96.0.7 stated.sun.svc.cluster.local\n") as server:
        for name in "headless-svc", f"headless-svc.{zone}", "headless-svc.moon":
            done = query(daemon, server.address, name, wrapper=wrapper)
            same((done.returncode, done.stderr), (0, ""), name)
            ways = rows(done)
            same(set(ways), {"daemon", "libc", "DNS"})
            same({tuple(sorted(answer.split(", "))) for answer, _ in ways.values()},
                 {tuple(HEADLESS)}, name)
            same([compared for _, compared in ways.values()], ["-", "the same", "the same"])
        ways = rows(query(daemon, server.address, "10.96.0.7", wrapper=wrapper))
        same({answer for answer, _ in ways.values()}, {"stated.sun.svc.cluster.local"})
        done = query(daemon, server.address, "typo", wrapper=wrapper)
        same(done.returncode, 2)
        same(rows(done)["DNS"], ("NXDOMAIN", "the same"))


def test_dns_differs():
    hosts = "192.0.2.77 headless-svc.moon.svc.cluster.local\n"
    with world() as daemon, serving(hosts) as server:
        done = query(daemon, server.address, "headless-svc")
        same(done.returncode, 0)
        answer, compared = rows(done)["DNS"]
        same(answer, "192.0.2.77")
        assert compared.startswith("192.0.2.77 only from DNS, 127.244.0.1 only from kubesvc"), compared
        same(rows(query(daemon, server.address, "regular-svc"))["DNS"],
             ("NXDOMAIN", "not found by DNS: NXDOMAIN"))
        report = json.loads(query(daemon, server.address, "headless-svc", "-o", "json").stdout)
        shapes.check(report, "Answer", shapes.documented(), "query --dns")
        same((report["dns"]["addresses"], report["dns"]["same"]), (["192.0.2.77"], False))


def test_no_nameserver():
    with world() as daemon:
        answer, compared = rows(query(daemon, f"127.0.0.1:{free_port()}", "headless-svc"))["DNS"]
        same((answer, compared), ("Connection refused", "not found by DNS: Connection refused"))
        done = query(daemon, "dns.example", "headless-svc")
        same((done.returncode, done.stdout), (1, ""))
        assert "'dns.example' is not a nameserver" in done.stderr, done.stderr


def test_names_of_a_pod_are_searched_for():
    """In the namespace given, with the search list of a pod there."""
    with world() as daemon, serving("192.0.2.10 db.sun.svc.cluster.local\n") as server:
        for arguments in ("db", "-n", "sun"), ("db.sun",), ("db.sun.svc",), ("db.sun.svc.cluster.local",):
            answer, _ = rows(query(daemon, server.address, "-4", *arguments))["DNS"]
            same(answer, "192.0.2.10", arguments)


def test_kubesvc_dns_is_found_by_the_configuration():
    """And all of its answers are those of the daemon."""
    wrapper = with_nsswitch("files kubesvc [NOTFOUND=return] dns")
    port = free_port()
    config = f"nodeIPs: [192.0.2.99]\ndns: {{listen: ['127.0.0.1:{port}']}}\n"
    with Daemon(CLI / "world", config=config, namespace="moon") as daemon, \
            DnsServer(daemon, config=config, listen=False):
        for name in "headless-svc", "regular-svc", "stated.sun", "db.sun", "data.sun", "127.96.0.1", "typo":
            ways = rows(query(daemon, None, name, wrapper=wrapper))
            same([compared for _, compared in ways.values()], ["-", "the same", "the same"], (name, ways))
