# SPDX-License-Identifier: LGPL-2.1-or-later
"""Daemons that stall, lie, hang up and talk nonsense: no program waits long for one, or suffers."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

from fake_daemon import (FOUND, INET6, NO_DATA, NOT_FOUND, PENDING, WITHHELD, FakeDaemon, answer,
                         fill_backlog, found, frame, packed, pending)
from harness import BUILD, HERE, Client, built, client_env, limit, patient_env, same, unsanitized

NAME = "web.moon.svc.cluster.local"
SHORT = "web.moon"
GOOD = found(NAME, ["127.0.0.1", "127.0.0.2"])
LONG = 2000  # milliseconds: what 250 of them may become on a busy machine


def check_distrusted(data, about=""):
    """`data` for an answer is none: a name of ours fails for now, another is handed on; and the
    next lookup asks again."""
    with FakeDaemon("s", lambda *_: data) as daemon, Client(patient_env("s")) as client:
        for kind in "unspec", "inet", "inet+canon", "name2-inet":
            daemon.requests.clear()
            got = client.ask(kind, NAME)
            assert got.error and not got.passed_on, (about, kind, got)
            assert daemon.requests, (about, kind)
        got = client.ask("unspec", SHORT)
        assert got.passed_on and got.error is None, (about, got)
    os.unlink("s")


def test_hangs_up():
    for size in 0, 1, 15, 16, 20, 39, 40, 50, len(GOOD) - 1:
        check_distrusted(GOOD[:size], size)


def test_hangs_up_before_the_request():
    with FakeDaemon("s", lambda *_: None, reads=False), Client(patient_env("s")) as client:
        for _ in range(200):
            assert client.ask("inet", SHORT).passed_on


def test_wrong_frames():
    head = answer(NO_DATA)[16:]
    for about, data in {
        "magic": frame(0x41, head, magic=0x4356534C),
        "version 0": frame(0x41, head, version=0),
        "version 2": frame(0x41, head, version=2),
        "type": frame(0x44, head),
        "request as answer": frame(0x01, head),
        "length 0": frame(0x41, b""),
        "head cut off": frame(0x41, head[:-1]),
        "head too long": frame(0x41, head + b"\0"),
        "length over all": frame(0x41, head, length=0xFFFFFFFF),
        "PENDING with payload": frame(PENDING, GOOD),
        "text": b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n" * 2,
        "zeros": bytes(4096),
        "ones": b"\xff" * 4096,
    }.items():
        check_distrusted(data, about)


def test_wrong_answers():
    four, six = packed(["127.0.0.1"], 4), packed(["::1"], 6)
    for about, data in {
        "status 0": answer(0),
        "status 6": answer(6),
        "status 255": answer(255),
        "no address": answer(FOUND, [NAME]),
        "no name": answer(FOUND, [], four),
        "2^31 addresses": answer(FOUND, [NAME], four, said_inet=1 << 31),
        "2^31 of each": answer(FOUND, [NAME], four, said_inet=1 << 31, said_inet6=1 << 31),
        "2^32-1 addresses": answer(FOUND, [NAME], four, said_inet=0xFFFFFFFF, said_inet6=1),
        "2^31 withheld": answer(FOUND, [NAME], flags=WITHHELD, said_inet=1 << 31),
        "more addresses said": answer(FOUND, [NAME], four, said_inet=2),
        "fewer addresses said": answer(FOUND, [NAME], four * 2, said_inet=1),
        "more names said": answer(FOUND, [NAME], four, said_names=2),
        "fewer names said": answer(FOUND, [NAME, "x"], four, said_names=1),
        "17 names": answer(FOUND, ["x"] * 17, four),
        "65535 names": answer(FOUND, ["x"], four, said_names=65535),
        "names too long together": answer(FOUND, [NAME], four, said_size=4065),
        "2^32-1 bytes of names": answer(FOUND, [NAME], four, said_size=0xFFFFFFFF),
        "no bytes of names": answer(FOUND, [], four, said_names=1),
        "a name of 254": answer(FOUND, ["x." * 126 + "xx"], four),
        "a label of 64": answer(FOUND, ["x" * 64], four),
        "an empty name": answer(FOUND, ["", "x"], four),
        "a final dot": answer(FOUND, [NAME + "."], four),
        "a blank": answer(FOUND, ["web moon"], four),
        "a line feed": answer(FOUND, ["web\nmoon"], four),
        "an octet of 255": answer(FOUND, ["web\xff"], four),
        "a bad alias": answer(FOUND, [NAME, "-"], four),
        "a NUL missing": frame(0x41, answer(FOUND, ["abc"], four, said_size=3)[16:43] + four[0]),
        "names in NO_DATA": answer(NO_DATA, [NAME]),
        "addresses in NOT_FOUND": answer(NOT_FOUND, [], four),
        "counts in NOT_FOUND": answer(NOT_FOUND, said_inet=1, length=24),
        "WITHHELD in NO_DATA": answer(NO_DATA, flags=WITHHELD),
    }.items():
        check_distrusted(data, about)
    for kind, wrong in [
        ("inet", answer(FOUND, [NAME], [], six)),
        ("inet", answer(FOUND, [NAME], four, six)),
        ("inet6", answer(FOUND, [NAME], four)),
        ("addr", answer(FOUND, [NAME], four)),
        ("addr", answer(FOUND, [])),
    ]:
        with FakeDaemon("s", lambda *_: wrong), Client(patient_env("s")) as client:
            got = client.ask(kind, "127.0.0.1" if kind == "addr" else SHORT)
            assert got.passed_on, (kind, got)
        os.unlink("s")


def test_withholds_for_ever():
    """What fits and is withheld again is a lie; what does not fit lets glibc grow its buffer to the
    protocol's limit and no further."""
    for n, most in (1, 2), (1000, 20), (1048576, 60):
        lie = answer(FOUND, [NAME], flags=WITHHELD, said_inet=n)
        with FakeDaemon("s", lambda *_: lie) as daemon, Client(patient_env("s")) as client:
            got = client.ask("inet", SHORT)
            assert got.passed_on, got
            assert len(daemon.requests) <= most, (n, len(daemon.requests))
        os.unlink("s")


def test_withholds_slowly():
    """glibc calls again with a larger buffer each time. For the program that is one lookup, with one
    deadline; and the module knows from the first answer how large the buffer has to be."""
    def behave(request, _connection):
        time.sleep(0.2)
        count = {"said_inet6" if request.family == INET6 else "said_inet": 1000000}
        return answer(FOUND, [NAME], flags=WITHHELD, **count)

    for i, kind in enumerate(("unspec", "inet", "inet6+canon", "name")):
        with FakeDaemon(f"slow{i}", behave) as daemon, Client(client_env(f"slow{i}")) as client:
            got = client.ask(kind, NAME)
            assert got.error, got
            # Two families make two lookups of the module.
            assert len(daemon.requests) <= 4, len(daemon.requests)


def test_large_answers_are_asked_for_few_times():
    n = 10000
    raw = [b"\x7f\1" + i.to_bytes(2, "big") for i in range(n)]
    all_of_it, withheld = answer(FOUND, [NAME], raw), answer(FOUND, [NAME], raw, flags=WITHHELD)

    def behave(request, _connection):
        if request.name == SHORT:
            return GOOD
        return all_of_it if request.room >= n else withheld

    with FakeDaemon("s", behave) as daemon, Client(patient_env("s")) as client:
        for kind in "unspec", "inet":
            same(len(client.ask(kind, NAME).addresses), n, kind)
            assert len(daemon.requests) <= 4, len(daemon.requests)
            same(len(client.ask(kind, SHORT).addresses), 2)
            daemon.requests.clear()


def test_byte_by_byte():
    def behave(_request, connection):
        for byte in GOOD:
            connection.send(bytes([byte]))

    with FakeDaemon("s", behave), Client(patient_env("s")) as client:
        got = client.ask("name", SHORT)
        same((got.addresses, got.canon), (["127.0.0.1", "127.0.0.2"], NAME))


def check_slow(client, daemon=None):
    """One lookup waits, those after it do not, and the daemon is not asked by them."""
    got = client.ask("unspec", NAME)
    same((got.error, got.passed_on), ("EAI_AGAIN", []))
    assert 200 < got.ms < LONG, got
    asked = len(daemon.requests) if daemon else 0
    fast = [client.ask("name", f"foreign{i}.example") for i in range(5)]
    assert all(a.passed_on for a in fast), fast
    assert min(a.ms for a in fast) < 100, fast
    if daemon and sum(a.ms for a in fast) < 500:
        same(len(daemon.requests), asked)


def test_stalls():
    hold = threading.Event()

    def stall(after):
        def behave(_request, connection):
            connection.sendall(GOOD[:after])
            hold.wait()

        return behave

    for after in 0, 1, 16, 30, 45, len(GOOD) - 1:
        with FakeDaemon("s", stall(after)) as daemon, Client(client_env("s")) as client:
            check_slow(client, daemon)
        os.unlink("s")
    hold.set()


def test_drips():
    """A byte now and then does not keep a program waiting: the deadline is for the whole."""

    def behave(_request, connection):
        for byte in GOOD * 100:
            connection.send(bytes([byte]))
            time.sleep(0.02)

    with FakeDaemon("s", behave), Client(client_env("s")) as client:
        check_slow(client)


def test_never_accepts():
    with FakeDaemon("s", accepts=False), Client(client_env("s")) as client:
        check_slow(client)


def test_backlog_full():
    with FakeDaemon("s", accepts=False):
        filling = fill_backlog("s")
        clients = [Client(client_env("s")) for _ in range(4)]
        results = []
        threads = [threading.Thread(target=lambda c=c: (check_slow(c), results.append(c)))
                   for c in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        same(len(results), 4)
        for closing in clients + filling:
            closing.close()


@contextlib.contextmanager
def backlog_full_for_a_moment(path):
    """A daemon whose backlog is full at first, and which then answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen(0)
        for connection in fill_backlog(path):
            connection.close()

        def drain():
            time.sleep(0.05)  # so that the lookup is trying already
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    if connection.recv(4096):
                        connection.sendall(GOOD)
                    connection.close()

        draining = threading.Thread(target=drain)
        draining.start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
        draining.join()
    os.unlink(path)


def found_behind_full_backlog():
    with Client(client_env("s")) as client:
        client.ask("name", "localhost")  # loads the module
        with backlog_full_for_a_moment("s"):
            return client.ask("name", SHORT).error is None


def found_without(call):
    """As found_behind_full_backlog, in a sandbox that refuses this system call."""
    with backlog_full_for_a_moment("s"):
        return subprocess.run([built("e2e/direct"), BUILD / "libnss_kubesvc.so.2", "hindered", NAME,
                               call], env=client_env("s")).returncode == 0


def test_backlog_full_for_a_moment():
    """On a busy machine the deadline may come first; not five times."""
    assert any(found_behind_full_backlog() for _ in range(5))


def test_backlog_full_in_a_sandbox():
    """Where connect may not be made to wait, it is tried again."""
    unsanitized("sanitizers make system calls of their own")
    for call in "setsockopt", "fcntl":
        assert any(found_without(call) for _ in range(5)), call


def test_stopped_daemon():
    fake = [sys.executable, "-B", HERE / "fake_daemon.py", "s", f"{NAME}=127.0.0.1"]
    process = subprocess.Popen(fake, stdout=subprocess.PIPE, text=True)
    same(process.stdout.readline(), "ready\n")
    with Client(client_env("s")) as client:
        client.until("inet", NAME, lambda a: a.addresses == ["127.0.0.1"])
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        check_slow(client)
        process.send_signal(signal.SIGCONT)
        client.until("inet", NAME, lambda a: a.addresses == ["127.0.0.1"])
        process.kill()
        process.wait()
        assert client.until("inet", SHORT, lambda a: a.error is None).passed_on
        same(client.ask("unspec", NAME).error, "EAI_AGAIN")


def test_pending_then_an_answer():
    def behave(_request, connection):
        for _ in range(6):
            connection.sendall(pending())
            time.sleep(0.1)
        return GOOD

    with FakeDaemon("s", behave), Client(client_env("s")) as client:
        got = client.until("name", NAME, lambda a: a.error is None)
        same(got.addresses, ["127.0.0.1", "127.0.0.2"])
        assert got.ms > 500, got


def test_pending_then_silence():
    hold = threading.Event()

    def behave(_request, connection):
        connection.sendall(pending() * 3)
        hold.wait()

    with FakeDaemon("s", behave), Client(client_env("s")) as client:
        check_slow(client)
        hold.set()


@limit(120)
def test_pending_for_ever():
    """30 s, and the daemon, which is well, is not left alone after it."""

    def behave(request, connection):
        if request.name == SHORT:
            return GOOD
        while True:
            connection.sendall(pending())
            time.sleep(0.05)

    with FakeDaemon("s", behave), Client(client_env("s")) as client:
        # Not at once where a busy machine delays a frame.
        got = client.until("unspec", NAME, lambda a: a.ms > 25000, seconds=100)
        same((got.error, got.passed_on), ("EAI_AGAIN", []))
        assert got.ms < 60000, got
        got = client.ask("name", SHORT)
        assert got.addresses == ["127.0.0.1", "127.0.0.2"] or got.ms >= 250, got


def damage(rng, data):
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data))
        match rng.randrange(5):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                data[at] ^= 1 << rng.randrange(8)
            case 2:
                data[at : at + rng.randint(1, 8)] = b""
            case 3:
                data[at:at] = rng.randbytes(rng.randint(1, 8))
            case 4:
                data[at : at + 4] = rng.choice([0, 1, 255, 1 << 16, 1 << 20, 1 << 31, (1 << 32) - 1]
                                               ).to_bytes(4, "little")
        data = data or bytearray(1)
    return bytes(data)


def test_damaged_answers():
    """Any result will do, but there is one, and the program lives."""
    rng = random.Random(20240229)
    both = found(NAME, ["127.0.0.1", "127.0.0.2", "::1"], ["web", "old.example"])
    kinds = ["unspec", "unspec+canon", "inet", "inet6", "name", "name2-inet6", "addr"]

    def behave(request, _connection):
        good = found(NAME, [a for a in ("127.0.0.1", "127.0.0.2", "::1")
                            if request.family == 0 or (":" in a) == (request.family == INET6)])
        return damage(rng, rng.choice([good, good, both, pending() + good]))

    with FakeDaemon("s", behave), Client(patient_env("s")) as client:
        for _ in range(3000):
            kind = rng.choice(kinds)
            got = client.ask(kind, "127.0.0.1" if kind == "addr" else NAME)
            assert got.error or got.addresses, got
