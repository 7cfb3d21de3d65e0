# SPDX-License-Identifier: LGPL-2.1-or-later
"""Module and real daemon together, where what the one does depends on the other."""

import collections
import os
import signal
import socket

from harness import (
    BUILD, Client, Daemon, built, client_env, patient_env, same, skip, unsanitized, wait_for,
)

NAMES = {"two": 2, "ten": 10, "many": 30}


def headless(name, addresses):
    endpoints = "".join(f"- {{addresses: [{a}]}}\n" for a in addresses)
    family = "IPv6" if ":" in addresses[0] else "IPv4"
    return (f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: moon}}\n"
            "spec: {clusterIP: None}\n---\n"
            f"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: {family}\n"
            f"metadata: {{name: {name}-{family.lower()}, namespace: moon,"
            f" labels: {{kubernetes.io/service-name: {name}}}}}\nendpoints:\n{endpoints}")


def numbered(n):
    return [f"10.9.{i // 250}.{i % 250 + 1}" for i in range(n)]


def manifests():
    return {f"{name}.yaml": headless(name, numbered(n)) for name, n in NAMES.items()}


def check_turns(leaders, n, about):
    """Each address led about equally often."""
    turns = collections.Counter(leaders)
    assert len(turns) == n and max(turns.values()) - min(turns.values()) <= 2, (about, turns)


def test_each_address_leads_equally_often():
    """30 of them do not fit the buffer that glibc tries first: asking again must not turn twice."""
    with Daemon(manifests(), config="lookups: socket\n") as daemon, Client(daemon.env) as client:
        for kind in "name", "name2-inet":
            for name, n in NAMES.items():
                answers = [client.ask(kind, f"{name}.moon").addresses for _ in range(6 * n)]
                for addresses in answers:
                    same(sorted(addresses), sorted(numbered(n)))
                check_turns([a[0] for a in answers], n, f"{kind} {name}")


def test_turns_as_getent_asks():
    """AF_INET6 first each time; then two names in turn."""
    with Daemon(manifests(), config="lookups: socket\n") as daemon, Client(daemon.env) as client:
        leaders = []
        for _ in range(40):
            same(client.ask("name2-inet6", "two.moon").error, "NO_DATA")
            leaders.append(client.ask("name2-inet", "two.moon").addresses[0])
        check_turns(leaders, 2, "two")
        leaders = {"two": [], "ten": []}
        for _ in range(40):
            for name, led in leaders.items():
                led.append(client.ask("name2-inet", f"{name}.moon").addresses[0])
        for name, led in leaders.items():
            check_turns(led, NAMES[name], f"{name} in turn")


def test_ten_thousand_addresses():
    four = [f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}" for i in range(1, 10001)]
    six = [f"fd00::{i:x}" for i in range(1, 501)]
    with Daemon({"a.yaml": headless("crowd", four),
                 "b.yaml": headless("crowd", six).split("---\n")[1]}) as daemon:
        with Client(daemon.env) as client:
            for kind in "unspec", "inet", "name":
                got = client.until(kind, "crowd.moon.svc.cluster.local", lambda a: not a.error)
                expected = four + six if kind == "unspec" else four
                same(sorted(got.addresses), sorted(expected), kind)
            same(sorted(client.ask("inet6", "crowd.moon").addresses), sorted(six))


def test_32_bit_program_asks_64_bit_daemon():
    unsanitized("there is no sanitized 32-bit module")
    if not (BUILD / "m32/e2e/client").exists():
        skip("the compiler makes no 32-bit programs")
    with Daemon(manifests()) as daemon:
        env = client_env(daemon.socket, libraries=f"{BUILD}/m32")
        with Client(env, hosts="kubesvc", program=built("m32/e2e/client")) as client:
            for kind in "unspec+canon", "inet", "name":
                got = client.ask(kind, "many.moon")
                same(sorted(got.addresses), sorted(numbered(30)), kind)
                assert got.canon == ("many.moon.svc.cluster.local" if kind != "inet" else None)
            same(client.ask("addr", "10.9.0.1").error, None)
            same(client.ask("inet", "none.moon.svc").error, "EAI_NONAME")


def test_stopped_continued_killed():
    """What a program sees that has no snapshot mapped."""
    with Daemon(manifests(), config="lookups: socket\n") as daemon, Client(daemon.env) as client:
        assert client.ask("inet", "ten.moon").addresses
        daemon.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, daemon.process.pid, os.WSTOPPED | os.WNOWAIT)
        waited = client.ask("unspec", "ten.moon.svc.cluster.local")
        same((waited.error, waited.passed_on), ("EAI_AGAIN", []))
        assert waited.ms < 2000, waited
        others = [client.ask("name", f"foreign{i}.example") for i in range(5)]
        assert all(a.passed_on for a in others) and min(a.ms for a in others) < 100, others
        daemon.process.send_signal(signal.SIGCONT)
        client.until("inet", "ten.moon", lambda a: len(a.addresses) == 10)
        same(daemon.stop(signal.SIGKILL), -signal.SIGKILL)
        killed = client.ask("unspec", "ten.moon.svc.cluster.local")
        same((killed.error, killed.passed_on), ("EAI_AGAIN", []))
        assert client.ask("inet", "ten.moon").passed_on
        with Daemon(daemon.directories[0], dir=daemon.dir):
            same(len(client.ask("inet", "ten.moon").addresses), 10)


def test_not_loaded_yet_is_not_gone():
    """A first load that takes its time: names of ours are a temporary failure, others go on."""
    slices = "---\n".join(headless(f"s{i}", numbered(20)) for i in range(5000))
    asked = [ask_while_loading(slices, zone) for zone in ("cluster.local", "moon.example")]
    if 0 in asked:
        skip("this machine loaded 5,000 Services before it could be asked")


def listens(path):
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def ask_while_loading(manifest, zone):
    """How often it was still loading."""
    name, loading = f"s4999.moon.svc.{zone}", 0
    with Daemon({"big.yaml": manifest}, config=f"zone: {zone}\n", ready=False) as daemon, \
         Client(patient_env(daemon.socket)) as client:
        wait_for(lambda: listens(daemon.socket) or daemon.process.poll() is not None, "the socket")
        while "READY=1" not in daemon.states():
            answer = client.ask("unspec", name)
            loading += answer.error == "EAI_AGAIN"
            # Answered is what is published, which READY=1 comes after.
            assert answer.error == "EAI_AGAIN" or len(answer.addresses) == 20, answer
            same(answer.passed_on, [])
            assert client.ask("name", "foreign.example").passed_on
        client.until("inet", "s4999.moon", lambda a: len(a.addresses) == 20)
    return loading
