# SPDX-License-Identifier: LGPL-2.1-or-later
"""The caller's buffer: every length of it, and answers of every size (guest rules 33 to 38)."""

from fake_daemon import FOUND, WITHHELD, FakeDaemon, Host, answer, packed, table
from harness import BUILD, Client, limit, patient_env, run_program, same

NAME = "web.moon.svc.cluster.local"


def addresses(n):
    return [f"127.{i >> 16}.{i >> 8 & 255}.{i & 255}" for i in range(1, n + 1)]


def test_every_length():
    """With aliases, both families, and names that the request's room cannot foresee."""
    hosts = [
        Host("a", ["127.0.0.1"]),
        Host(NAME, addresses(3) + ["::1", "::2"], ["web", "old.example"]),
        Host("x" * 63 + ".y" * 95, addresses(2) + ["::1"]),
    ]
    for i, host in enumerate(hosts):
        with FakeDaemon(f"s{i}", table({"web": host})):
            four = sum("." in a for a in host.addresses)
            run_program("direct", BUILD / "libnss_kubesvc.so.2", "buffers", "web", four,
                        len(host.addresses) - four, "127.0.0.1", env=patient_env(f"s{i}"))


def test_sizes_round_the_steps_of_glibc():
    hosts = {f"n{n}": Host(NAME, addresses(n)) for n in [1, 2, *range(15, 32), 100, 1000]}
    for n in 20, 60, 500:
        hosts[f"six{n}"] = Host(NAME, [f"fd00::{i:x}" for i in range(1, n + 1)])
    with FakeDaemon("s", table(hosts)), Client(patient_env("s")) as client:
        for name, host in hosts.items():
            for kind in ("unspec", "inet6", "name2-inet6") if "six" in name else (
                    "unspec", "inet", "inet+canon", "name", "name2-inet"):
                got = client.ask(kind, name)
                same(sorted(got.addresses), sorted(host.addresses), f"{kind} {name}")


def limited(everything, withheld, n):
    """A behaviour without work to do: what it sends, it sends within the deadline."""
    return lambda request, _: everything if request.room >= n else withheld


def test_ten_thousand_addresses():
    raw = packed(addresses(10000), 4)
    behave = limited(answer(FOUND, [NAME], raw), answer(FOUND, [NAME], raw, flags=WITHHELD), 10000)
    with FakeDaemon("s", behave), Client(patient_env("s")) as client:
        for kind in "unspec", "inet", "name":
            got = client.ask(kind, "many")
            same(sorted(got.addresses), sorted(addresses(10000)), kind)


@limit(120)
def test_as_many_as_the_protocol_allows():
    n = 1048576
    raw = [b"\x7f" + i.to_bytes(3, "big") for i in range(n)]
    everything = answer(FOUND, [NAME], raw)
    withheld = answer(FOUND, [NAME], raw, flags=WITHHELD)
    with FakeDaemon("s", limited(everything, withheld, n)):
        with Client(patient_env("s")) as client:
            got = client.ask("name", "many")
            same((len(got.addresses), got.addresses[0]), (n, "127.0.0.0"))
            same(got.addresses[-1], "127.15.255.255")


def test_more_than_the_protocol_allows():
    """No buffer is grown for it."""
    for path, said in ("a", {"said_inet": 1048577}), ("b", {"said_inet6": 1 << 31}), (
            "c", {"said_inet": 1, "said_size": 4065, "length": 24 + 4065}), (
            "d", {"said_inet": 1, "said_size": 0xFFFFF000, "length": 24 + 0xFFFFF000}):
        lie = answer(FOUND, [NAME], flags=WITHHELD, **said)
        with FakeDaemon(path, lambda *_: lie) as daemon, Client(patient_env(path)) as client:
            assert client.ask("unspec", "many").passed_on
            same(len(daemon.requests), 1, said)


def test_room_never_wastes_an_answer():
    """An answer that is sent whole is used: so the rotation moves once for one lookup."""
    whole = []

    def behave(request, connection):
        n = 23 + len(request.name)
        host = Host(NAME, addresses(n))
        data = table({request.name: host})(request, connection)
        if len(data) > 4 * n:
            whole.append(request.name)
        return data

    with FakeDaemon("s", behave), Client(patient_env("s")) as client:
        names = ["x" * i for i in range(1, 60)]
        for kind in "unspec", "inet", "name":
            whole.clear()
            for name in names:
                same(len(client.ask(kind, name).addresses), 23 + len(name), kind)
            same(whole, names, kind)
