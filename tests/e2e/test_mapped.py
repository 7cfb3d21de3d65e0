# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lookups that are answered from the daemon's snapshot, mapped into the program."""

import collections
import json
import os
import signal
import subprocess

from harness import Client, Daemon, built, need_program, same, unsanitized, wait_for
from inspect_client import inspect
from test_inspect import watch
from test_module_daemon import headless, manifests, numbered

NAME = "ten.moon.svc.cluster.local"


def map_it(client):
    """Two lookups, if the machine is not busy: the second one maps."""
    client.map("inet", "ten.moon", numbered(10))


def questions(daemon):
    return inspect(daemon.socket, "status")[0]["questions"]["total"]


def test_only_the_first_lookup_is_asked():
    with Daemon(manifests()) as daemon, Client(daemon.env) as client:
        for _ in range(20):
            for kind in "unspec", "unspec+canon", "inet", "inet+canon", "name", "name2-inet":
                got = client.ask(kind, "many.moon")
                same(sorted(got.addresses), sorted(numbered(30)), kind)
            same(client.ask("inet", "none.moon.svc").error, "EAI_NONAME")
            same(client.ask("unspec", NAME[:-1] + "x").passed_on != [], True)
            same(client.ask("inet6", NAME).error, "EAI_NODATA")
            same(client.ask("addr", "10.9.0.1").error, None)
        same(questions(daemon), 1)


def test_system_calls():
    """Of a hundred lookups only two connect, and the others call nothing."""
    unsanitized("sanitizers make calls of their own")
    strace = need_program("strace")
    with Daemon(manifests()) as daemon:
        with Client(daemon.env, wrapper=[strace, "-f", "-o", "trace", "-e",
                                         "trace=socket,connect,sendto,recvmsg,mmap"]) as client:
            for _ in range(100):
                same(len(client.ask("name", "ten.moon").addresses), 10)
    trace = open("trace", encoding="utf-8").read()
    same(trace.count("connect("), 2)
    same(trace.count("MAP_SHARED"), 1)


def check_even(leaders, n, about):
    """Drawn at random: each leads as often as the others, within five standard deviations."""
    turns = collections.Counter(leaders)
    expected = len(leaders) / n
    deviation = (expected * (1 - 1 / n)) ** 0.5
    assert all(abs(turns[leader] - expected) < 5 * deviation for leader in turns), (about, turns)
    same(len(turns), n, about)


def test_each_address_leads_equally_often():
    with Daemon(manifests()) as daemon, Client(daemon.env) as client:
        map_it(client)
        check_even([client.ask("name2-inet", "two.moon").addresses[0] for _ in range(1000)], 2,
                   "one name")
        led = {"two": [], "ten": []}
        for _ in range(1000):
            for name, leaders in led.items():
                same(client.ask("name2-inet6", f"{name}.moon").error, "NO_DATA")
                leaders.append(client.ask("name2-inet", f"{name}.moon").addresses[0])
        check_even(led["two"], 2, "two names in turn")
        check_even(led["ten"], 10, "two names in turn")


def test_changes_are_seen():
    with Daemon(manifests()) as daemon, Client(daemon.env) as client:
        map_it(client)
        asked = questions(daemon)
        for n in 3, 300, 1:
            daemon.write("ten.yaml", headless("ten", numbered(n)))
            client.until("name", "ten.moon", lambda a: len(a.addresses) == n)
        same(questions(daemon), asked)


def test_growth():
    """A store that outgrows its memory moves to other memory; no answer is lost."""
    with Daemon(manifests()) as daemon, Client(daemon.env) as client:
        map_it(client)
        daemon.write("large.yaml", "---\n".join(headless(f"s{i}", numbered(20))
                                                 for i in range(3000)))
        while len(client.ask("name", "s2999.moon").addresses) != 20:
            same(len(client.ask("name", "ten.moon").addresses), 10)
        same(len(client.ask("name", "ten.moon").addresses), 10)
        os.unlink(daemon.directories[0] / "large.yaml")
        client.until("name", "s2999.moon", lambda a: a.passed_on)
        same(len(client.ask("name", "ten.moon").addresses), 10)


def test_a_killed_daemon_is_not_missed():
    """A program keeps its mapped names, even while no daemon listens. Changes of a new daemon arrive."""
    with Daemon(manifests()) as daemon, Client(daemon.env) as client:
        map_it(client)
        same(daemon.stop(signal.SIGKILL), -signal.SIGKILL)
        for _ in range(20):
            same(len(client.ask("inet", NAME).addresses), 10)
        same(client.ask("unspec", "none.moon.svc.cluster.local").error, "EAI_NONAME")
        daemon.write("ten.yaml", headless("ten", numbered(7)))
        with Daemon(daemon.directories[0], dir=daemon.dir):
            client.until("inet", NAME, lambda a: len(a.addresses) == 7)


def test_a_stopped_process_is_not_missed():
    with Daemon(manifests()) as daemon, Client(daemon.env) as client:
        map_it(client)
        daemon.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, daemon.process.pid, os.WSTOPPED | os.WNOWAIT)
        for _ in range(100):
            same(len(client.ask("inet", NAME).addresses), 10)
        daemon.process.send_signal(signal.SIGCONT)


def test_stopping_on_purpose_ends_the_names():
    with Daemon(manifests()) as daemon, Client(daemon.env) as client:
        map_it(client)
        same(daemon.stop(), 0)
        assert client.ask("unspec", NAME).passed_on
        assert client.ask("unspec", "ten.moon").passed_on


def test_watched_questions_come_by_the_socket():
    with Daemon(manifests()) as daemon, Client(daemon.env) as client:
        map_it(client)
        with watch(daemon, "questions"):
            before = questions(daemon)
            for _ in range(5):
                client.ask("inet", NAME)
            same(questions(daemon), before + 5)
        wait_for(lambda: silent(daemon, client), "lookups that are not asked")


def silent(daemon, client):
    before = questions(daemon)
    client.ask("inet", NAME)
    return questions(daemon) == before


def test_lookups_by_socket():
    with Daemon(manifests(), config="lookups: socket\n") as daemon, Client(daemon.env) as client:
        for _ in range(5):
            same(len(client.ask("inet", "ten.moon").addresses), 10)
        same(questions(daemon), 5)


def answered_by(daemon, *names):
    done = subprocess.run([built("kubesvc"), "query", "-o", "json", *names], env=daemon.env,
                          capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    return [item["answeredBy"] for item in answer.get("items", [answer])]


def test_query_tells_the_way():
    with Daemon(manifests()) as daemon:
        same(answered_by(daemon, "ten.moon"), ["map"])
        same(answered_by(daemon, "ten.moon", "many.moon"), ["map", "map"])
        daemon.config.write_text("lookups: socket\n")
        daemon.reload()
        wait_for(lambda: answered_by(daemon, "ten.moon") == ["socket"], "lookups that are asked")


def test_a_reload_can_change_it():
    with Daemon(manifests()) as daemon, Client(daemon.env) as client:
        map_it(client)
        daemon.config.write_text("lookups: socket\n")
        daemon.reload()
        wait_for(lambda: not silent(daemon, client), "lookups that are asked")


def test_programs_that_cannot_map():
    """No address space or no descriptor left for it: the socket answers."""
    prlimit = need_program("prlimit")
    unsanitized("sanitizers need the address space")
    with Daemon(manifests()) as daemon:
        with Client(daemon.env, wrapper=[prlimit, "--as=20000000"]) as client:
            for _ in range(3):
                same(len(client.ask("inet", "ten.moon").addresses), 10)


def test_idle_programs_share_one_region():
    """However often it is compacted."""
    with Daemon(manifests()) as daemon:
        clients = [Client(daemon.env) for _ in range(5)]
        for client in clients:
            map_it(client)
        for i in range(400):
            daemon.write("two.yaml", headless("two", numbered(100 + i % 2)))
            clients[0].until("name", "two.moon", lambda a, n=100 + i % 2: len(a.addresses) == n)
        inodes = set()
        for client in clients:
            same(len(client.ask("inet", "ten.moon").addresses), 10)
            maps = open(f"/proc/{client.process.pid}/maps", encoding="utf-8").read()
            inodes |= {line.split()[4] for line in maps.splitlines() if "kubesvc-snapshot" in line}
        same(len(inodes), 1)
        assert inspect(daemon.socket, "status")[0]["snapshot"]["compactions"] > 0
        for client in clients:
            client.close()
