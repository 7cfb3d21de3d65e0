# SPDX-License-Identifier: LGPL-2.1-or-later
"""Restarts under a service manager that keeps descriptors: no lookup notices."""

import os
import signal
import socket
import struct
import subprocess

from harness import PATIENCE, Client, built, same, wait_for
from manager import Manager
from test_module_daemon import headless, manifests, numbered

NAME = "ten.moon.svc.cluster.local"
MANY = "---\n".join(headless(f"s{i}", numbered(20)) for i in range(4000))


def found(client, n=10):
    answer = client.ask("inet", NAME)
    same(len(answer.addresses), n, answer)


def check_restart(number):
    """Of programs that run, that have looked up nothing yet, and that start in between."""
    with Manager(manifests() | {"many.yaml": MANY}) as unit:
        mapped, fresh = Client(unit.env), Client(unit.patient)
        with mapped, fresh:
            for _ in range(3):
                found(mapped)
            fresh.ask("name", "localhost")  # loads the module
            unit.end(number)
            found(mapped)
            unit.start(wait=False)
            found(fresh)  # waits in the backlog, and is answered before manifests are read
            found(mapped)
            with Client(unit.patient) as new:
                found(new)
                wait_for(lambda: unit.ready == 2, "the second load")
                found(new)
            (unit.manifests / "ten.yaml").write_text(headless("ten", numbered(7)))
            for client in mapped, fresh:
                client.until("inet", NAME, lambda a: len(a.addresses) == 7)


def test_restart():
    check_restart(signal.SIGTERM)


def test_crash():
    check_restart(signal.SIGKILL)


def test_reload_reaches_the_next_process():
    """The listening socket was made by the first one, whose process ID may be another's by now."""
    with Manager(manifests()) as unit:
        for number in signal.SIGTERM, signal.SIGKILL:
            unit.end(number)
            unit.start()
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(unit.socket))
                peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            same(struct.unpack("iii", peer)[0], unit.process.pid)
            done = subprocess.run([built("kubesvc"), "--socket", unit.socket, "reload"], text=True,
                                  env=unit.env, capture_output=True)
            same((done.returncode, done.stderr), (0, ""))


def test_crash_while_loading():
    """The next one still has the snapshot of the first."""
    with Manager(manifests() | {"many.yaml": MANY}) as unit, Client(unit.patient) as client:
        unit.end(signal.SIGKILL)
        for _ in range(2):
            unit.start(wait=False)
            found(client)
            unit.end(signal.SIGKILL)
        unit.start()
        found(client)


def test_other_settings_are_not_answered_from_the_old_snapshot():
    with Manager(manifests() | {"many.yaml": MANY}) as unit, Client(unit.env) as client:
        unit.end(signal.SIGTERM)
        (unit.dir / "kubesvcd.yaml").write_text("zone: other.example\n")
        unit.start(wait=False)
        answer = client.ask("unspec", "ten.moon.svc.other.example")
        assert len(answer.addresses) in (0, 1, 10), answer  # not yet, passed on, or loaded already
        wait_for(lambda: unit.ready == 2, "the second load")
        client.until("inet", "ten.moon.svc.other.example", lambda a: len(a.addresses) == 10)


def test_a_socket_file_that_was_restored():
    """The next process gets the socket that the file leads to, not the one before it."""
    for number in signal.SIGTERM, signal.SIGKILL:
        with Manager(manifests()) as unit:
            before = unit.kept["kubesvc-socket"]
            unit.socket.unlink()
            wait_for(unit.socket.exists, "the socket")
            wait_for(lambda: unit.kept.get("kubesvc-socket", before) is not before, "its descriptor")
            unit.end(number)
            same(unit.socket.exists(), True)
            unit.start()
            with Client(unit.env) as client:
                found(client)


def test_a_socket_whose_file_is_anothers():
    """It was replaced, and the daemon died before it could hand on the new one."""
    with Manager(manifests()) as unit:
        unit.end(signal.SIGKILL)
        unit.socket.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(unit.socket))
        unit.start()
        with Client(unit.env) as client:
            found(client)


def test_stop():
    """The manager removes the directory and drops the descriptors: the names are gone at once."""
    with Manager(manifests()) as unit, Client(unit.env) as client:
        for _ in range(3):
            found(client)
        unit.end(signal.SIGTERM)
        os.unlink(unit.socket)
        for fds in unit.kept.values():
            for fd in fds:
                os.close(fd)
        unit.kept.clear()
        assert client.ask("unspec", NAME).passed_on


def die_again_and_again(unit):
    """The next start is the sixth in a row: manifests are read later."""
    for _ in range(5):
        unit.end(signal.SIGKILL)
        unit.start()
    unit.end(signal.SIGKILL)


def test_again_and_again():
    """From the sixth short life on, manifests are read later and later; names are answered."""
    with Manager(manifests()) as unit, Client(unit.patient) as client:
        found(client)
        die_again_and_again(unit)
        for n in range(1, 4):
            before = unit.ready
            unit.start(wait=False)
            found(client)
            wait_for(lambda: unit.log().count("manifests are read in") == n, "the pause")
            found(client)
            if n < 3:
                unit.end(signal.SIGKILL)
        wait_for(lambda: unit.ready > before, "the load after the pause")
        found(client)


def test_a_late_start_that_fails_ends_the_daemon():
    """As one that fails at once does: nothing else would end the service manager's wait for it."""
    with Manager(manifests()) as unit:
        die_again_and_again(unit)
        (unit.dir / "state").chmod(0o777)
        unit.start(wait=False)
        same(unit.process.wait(PATIENCE), 1)
        log = unit.log().splitlines()
        assert "manifests are read in" in log[-2], log
        assert "others can write to the directory" in log[-1], log


def start_undelayed(unit, **options):
    for fd in unit.kept.pop("kubesvc-starts", []):
        os.close(fd)
    unit.start(**options)


def test_killed_between_any_two_messages_to_the_manager():
    """Whatever was said last, the next process has the socket and a snapshot."""
    with Manager(manifests()) as unit:
        for n in range(1, 9):
            unit.end(signal.SIGKILL)
            unit.heeds, ready = n, unit.ready
            start_undelayed(unit, wait=False)
            wait_for(lambda: unit.heeds == 0 or unit.ready > ready, "its end or its last message")
            heard_out = unit.heeds > 0
            unit.end(signal.SIGKILL)
            unit.heeds = None
            (unit.dir / "log").write_text("")
            same(len(unit.kept.get("kubesvc-socket", [])), 1, n)
            start_undelayed(unit)
            log = unit.log()
            assert "answering from the snapshot of the previous process" in log, (n, log)
        assert heard_out, "it has more to say"


def test_only_sealed_memory_is_a_snapshot():
    """A file could shrink while it is read."""
    with Manager(manifests()) as unit:
        unit.end(signal.SIGTERM)
        (fd,) = unit.kept["kubesvc-snapshot"]
        (unit.dir / "copy").write_bytes(os.pread(fd, os.fstat(fd).st_size, 0))
        os.close(fd)
        unit.kept["kubesvc-snapshot"] = [os.open(unit.dir / "copy", os.O_RDONLY)]
        unit.start()
        assert "answering from the snapshot" not in unit.log(), unit.log()
