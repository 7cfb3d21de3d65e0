# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random worlds, asked by DNS, and the rules written a second time (tests/oracle): the SRV records of
everything that may have some, and addresses by absolute names."""

import itertools
import os
import pathlib
import tempfile
import time

from dns_server import DnsServer
from harness import Daemon, limit
from test_differential import UPSTREAM, Comparison, Nameserver, Wire, World, seeds

from oracle import srv
from oracle.services import is_token

SECONDS = float(os.environ.get("KUBESVC_DIFFERENTIAL_SECONDS", "40")) / 2
PORTS = [f"_{port}._{protocol}" for port in ("http", "dns", "sql", "admin", "x", "")
         for protocol in ("tcp", "udp", "")]


def names_of(oracle):
    """Below every Service: nothing, its ports, its endpoints and what is neither."""
    for service in list(oracle.services.values())[:12]:
        labels = {label for endpoint in service.endpoints for label in oracle.labels(endpoint)}
        for below in ["", *PORTS, *sorted(labels)[:4], "absent"]:
            yield f"{below}.{oracle.zone_name(service)}".lstrip(".")
    yield from (oracle.config.zone, f"svc.{oracle.config.zone}", f"nosuch.nosuch.svc.{oracle.config.zone}")


def check_srv(oracle, dns, name):
    response = dns.ask(name, "SRV", tcp=True)  # by UDP addresses may have no room
    assert response.rcode in srv.kind_of(oracle, name), (name, response.rcode, srv.kind_of(oracle, name))
    wanted = srv.records(oracle, name) if response.rcode == "NOERROR" else set()
    if wanted is None:
        return
    got = [data.split() for data in response.data("SRV")]
    told = [(target.rstrip("."), int(number)) for _, _, number, target in got]
    assert len(set(told)) == len(told) and set(told) == wanted, (name, told, wanted)
    weight = str(max(1, 100 // len(wanted))) if wanted else None
    assert all(row[:2] == ["0", weight] for row in got), (name, got)
    for target in {target for target, _ in told}:
        for kind in "A", "AAAA":
            brought = sorted(record.data for record in response.additional
                             if record.name == f"{target}." and record.type == kind)
            assert brought == sorted(dns.whole(target, kind).data(kind)), (name, target, kind)


def check_addresses(oracle, dns, name):
    for kind, family in ("A", 4), ("AAAA", 6):
        response, outcome = dns.whole(name, kind), oracle.absolute(name, family)
        wanted = {oracle.bound(address) for address in outcome.addresses}
        got = set(response.data(kind))
        if any(map(is_token, wanted)):
            assert len(got) == len(wanted), (name, kind, got, wanted)
        else:
            assert got == wanted, (name, kind, got, wanted)
        code = {"NXDOMAIN": "NXDOMAIN", "LEFT": "REFUSED", "OUTSIDE": "REFUSED"}.get(outcome.kind, "NOERROR")
        assert outcome.either or response.rcode == code, (name, kind, response.rcode, outcome)


def check_world(world, nameserver):
    with tempfile.TemporaryDirectory(prefix="w", dir=".") as directory:
        path = pathlib.Path(directory).resolve()
        config = world.write(path) + f"nameservers: ['{nameserver.address}']\n"
        with Daemon([], config, dir=path) as daemon, DnsServer(daemon) as dns:
            wire = Wire(daemon.socket)
            comparison = Comparison(world, wire)
            problem = comparison.learn()
            wire.close()
            assert not problem, problem
            oracle = comparison.oracle
            if not oracle.objects.things:
                return 0
            names = list(names_of(oracle))
            for name in names:
                check_srv(oracle, dns, name)
            for name in itertools.islice(names, 0, None, 7):
                check_addresses(oracle, dns, name)
            return len(names)


@limit(SECONDS + 60)
def test_srv_records_of_random_worlds():
    end, asked, worlds = time.monotonic() + SECONDS, 0, 0
    with Nameserver(UPSTREAM) as nameserver:
        for seed in seeds():
            if time.monotonic() > end:
                break
            try:
                asked += check_world(World(seed), nameserver)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}: {error}") from error
            worlds += 1
    print(f"{worlds} worlds, {asked} names")
    assert asked > 100
