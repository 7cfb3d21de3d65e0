# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mapped snapshots in programs that do what programs do, and from daemons that are none."""

import array
import ctypes
import errno
import fcntl
import mmap
import os
import re
import socket
import struct
import subprocess
import sys
import time

from fake_daemon import MAP, FakeDaemon, Host, answer, frame, pending, table, unsupported
from fake_daemon import TRY_AGAIN
from harness import (
    BUILD, Client, Daemon, built, need_program, need_root, patient_env, run_program, same, skip,
    unsanitized,
)
from test_inspect import watch
from test_mapped import map_it, questions
from test_module_daemon import headless, manifests, numbered

NAME = "ten.moon.svc.cluster.local"
RESPONSE_MAP = 0x44
FUTURE_WRITE = 0x10
SEALS = fcntl.F_SEAL_SHRINK | FUTURE_WRITE
SNAPSHOT = 0x31534B4E


def stress(command, *arguments, at_most=1):
    """With a real daemon, which is asked a few times at most, and whose snapshot is mapped once."""
    with Daemon(manifests()) as daemon:
        run_program("stress", command, NAME, *arguments, env=daemon.env | {"STRESS_MAPPED": "1"})
        assert questions(daemon) <= at_most, questions(daemon)
        assert 1 <= maps(daemon) <= at_most, maps(daemon)


def maps(daemon):
    metrics = subprocess.run([built("kubesvc"), "metrics"], env=daemon.env, check=True,
                             capture_output=True, text=True).stdout
    return int(re.search(r"^kubesvc_maps_total (\d+)$", metrics, re.M)[1])


def direct(daemon, *arguments):
    run_program("direct", BUILD / "libnss_kubesvc.so.2", *arguments, env=daemon.env)
    return questions(daemon)


# --- Programs ---


def test_short_threads():
    stress("short-threads", 1000)


def test_a_thousand_threads_at_once():
    stress("crowd", 1000)


def test_fork_storm():
    stress("forks", 200, at_most=300)


def test_exec_storm_inherits_nothing():
    stress("execs", 150, at_most=300)


def test_longjmp_out_of_a_lookup():
    stress("jumps", 2000, at_most=100)


def test_cancelled_threads():
    stress("cancels", 500, at_most=10)


def test_signals_without_restart():
    stress("signals", 10000)


def test_descriptors_closed_between_lookups():
    stress("closing", 200)


def test_minimal_stack():
    unsanitized("sanitizers widen every frame")
    stress("small-stack")


def test_open_and_close_the_module():
    with Daemon(manifests()) as daemon:
        same(direct(daemon, "reopen", NAME, 300), 1)


def test_every_length_and_alignment_of_buffer():
    with Daemon(manifests() | {"both.yaml": headless("both", numbered(3)),
                               "six.yaml": headless("both", ["fd00::1", "fd00::2"])
                               .split("---\n")[1]}) as daemon:
        same(direct(daemon, "buffers", "both.moon.svc.cluster.local", 3, 2, "10.9.0.1"), 1)


def test_status_and_errno():
    """NOTFOUND is 0, SUCCESS 1, UNAVAIL -1; the last three numbers as in nss-status.md."""
    with Daemon(manifests()) as daemon:
        same(direct(daemon, "expect", NAME, 2, 1, 0, 0, NAME, 10, 0, errno.ENOENT, 4,
                    "none.moon.svc.cluster.local", 2, 0, errno.ENOENT, 1,
                    "none.moon", 2, -1, errno.ENOENT, 3), 1)


def test_32_bit_program_maps():
    unsanitized("there is no sanitized 32-bit module")
    if not (BUILD / "m32/e2e/client").exists():
        skip("the compiler makes no 32-bit programs")
    with Daemon(manifests()) as daemon:
        env = daemon.env | {"LD_LIBRARY_PATH": f"{BUILD}/m32:{BUILD}/m32/e2e"}
        with Client(env, hosts="kubesvc", program=built("m32/e2e/client")) as client:
            map_it(client)
            for _ in range(10):
                for kind in "unspec+canon", "inet", "name":
                    same(sorted(client.ask(kind, "many.moon").addresses), sorted(numbered(30)))
                same(client.ask("addr", "10.9.0.1").error, None)
        same(questions(daemon), 1)


# --- Programs that cannot map ---


def check_hindered(how, asked):
    with Daemon(manifests()) as daemon:
        same(direct(daemon, "hindered", NAME, how), asked, how)


def test_no_address_space():
    unsanitized("sanitizers need the address space")
    check_hindered("memory", 3)


def test_no_second_descriptor():
    unsanitized("sanitizers need descriptors of their own")
    check_hindered("descriptors", 3)


def test_locked_memory():
    unsanitized("sanitizers map memory of their own")
    check_hindered("locked", 3)


def test_sandboxes():
    """What a sandbox refuses is not missed; that the region stays out of cores is dispensable."""
    unsanitized("sanitizers make system calls of their own")
    for call in "fcntl", "recvmsg", "lseek", "mmap":
        check_hindered(call, 3)
    check_hindered("madvise", 1)


def test_no_way_to_the_socket():
    """A chroot or a sandbox, entered later, does not take away what is mapped: not when a name has to
    be asked for that leads out of the zone, not while the daemon wants to see all questions. Only
    the end of the daemon does. SUCCESS is 1, NOTFOUND 0, UNAVAIL -1."""
    unsanitized("sanitizers make system calls of their own")
    outside = ("apiVersion: v1\nkind: Service\nmetadata: {name: outside, namespace: moon}\n"
               "spec: {type: ExternalName, externalName: www.example.com}\n")
    with Daemon(manifests() | {"outside.yaml": outside}) as daemon:
        command = [built("e2e/direct"), BUILD / "libnss_kubesvc.so.2", "severed", NAME,
                   "outside.moon.svc.cluster.local"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env=daemon.env) as severed:
            def both():
                severed.stdin.write("\n")
                severed.stdin.flush()
                return severed.stdout.readline()

            for _ in range(2):
                same(both(), "1 0 2\n", "NAME, OUTSIDE and its h_errno")
            with watch(daemon, "questions"):
                same(both(), "1 0 2\n", "while questions are watched")
            same(both(), "1 0 2\n", "afterwards")
            same(daemon.stop(), 0)
            same(both(), "-1 -1 3\n", "once the daemon is stopped")
            severed.stdin.close()
            same(severed.wait(), 0)


def test_another_clock():
    """In a time namespace of its own a program cannot tell a fresh snapshot from an old one."""
    unshare = need_program("unshare")
    other = [unshare, "-T", "--monotonic", "1000000", "--fork", "--"]
    shown = subprocess.run([*other, sys.executable, "-c", "import time; print(time.monotonic())"],
                           capture_output=True, text=True)
    if shown.returncode or float(shown.stdout) < time.monotonic() + 500000:
        skip(f"no time namespace here: {shown.stderr.strip()[:100]}")
    with Daemon(manifests()) as daemon, Client(daemon.env, wrapper=other) as client:
        start = time.monotonic()
        for _ in range(200):
            same(len(client.ask("inet", NAME).addresses), 10)
        same(questions(daemon), 200)
        assert maps(daemon) <= 1 + time.monotonic() - start


# --- The region ---


def refused(function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        return error.errno
    raise AssertionError(f"{function} is allowed")


def punch(fd):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.fallocate(fd, 3, ctypes.c_long(0), ctypes.c_long(4096)) < 0:
        raise OSError(ctypes.get_errno(), "fallocate")


def regions_of(pid):
    """Paths by which root could open the regions that a process holds."""
    for name in os.listdir(f"/proc/{pid}/fd"):
        path = f"/proc/{pid}/fd/{name}"
        if "memfd:" in os.readlink(path):
            yield path
    for line in open(f"/proc/{pid}/maps", encoding="utf-8"):
        if "memfd:" in line:
            yield f"/proc/{pid}/map_files/{line.split()[0]}"


def test_root_cannot_write_into_the_region():
    need_root()
    with Daemon(manifests()) as daemon, Client(daemon.env) as client:
        map_it(client)
        opened = 0
        for path in [*regions_of(daemon.process.pid), *regions_of(client.process.pid)]:
            try:
                fd = os.open(path, os.O_RDWR)
            except OSError:
                continue
            opened += 1
            same(refused(os.pwrite, fd, b"x", 200), errno.EPERM, path)
            same(refused(os.ftruncate, fd, 0), errno.EPERM, path)
            same(refused(os.ftruncate, fd, 1 << 24), errno.EPERM, path)
            same(refused(punch, fd), errno.EPERM, path)
            same(refused(mmap.mmap, fd, 4096, mmap.MAP_SHARED, mmap.PROT_WRITE), errno.EPERM, path)
            same(refused(fcntl.fcntl, fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE), errno.EPERM)
            os.close(fd)
        assert opened >= 2, opened
        for line in open(f"/proc/{client.process.pid}/maps", encoding="utf-8"):
            if "memfd:" in line:
                with open(f"/proc/{client.process.pid}/mem", "r+b", buffering=0) as memory:
                    memory.seek(int(line.split("-")[0], 16))
                    refused(memory.write, b"x")
        same(len(client.ask("inet", NAME).addresses), 10)
        same(questions(daemon), 1)


# --- Daemons that are none ---


def memfd(size=4096, version=2, seals=SEALS, heartbeat=0):
    fd = os.memfd_create("test-region", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    os.pwrite(fd, struct.pack("<II", SNAPSHOT, min(size, 4096) // 8), 0)
    os.pwrite(fd, struct.pack("<II", heartbeat, version), 36)
    os.pwrite(fd, struct.pack("<I", 1), 64)
    if size < 4096:
        os.ftruncate(fd, size)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


def pipe():
    reader, writer = os.pipe()
    os.close(writer)
    return reader


def send(connection, data, fds):
    connection.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])


def good_frame():
    return frame(RESPONSE_MAP, struct.pack("<II", 1, 0))


def check_hostile(about, respond, mapped=False):
    """Whatever comes instead of a snapshot, lookups go on by the socket, and nothing is left."""
    asked = []

    def behave(request, connection):
        if request.type != MAP:
            return table({NAME: Host(NAME, ["127.0.0.1"])})(request, connection)
        asked.append(request)
        return respond(connection)

    with FakeDaemon(about.replace(" ", "-"), behave, maps=True) as daemon:
        with Client(patient_env(daemon.path)) as client:
            for _ in range(5):
                same(client.ask("inet", NAME).addresses, ["127.0.0.1"], about)
            maps = open(f"/proc/{client.process.pid}/maps", encoding="utf-8").read()
            same("memfd:" in maps, mapped, about)
    assert asked, about


def test_descriptors_that_are_no_snapshots():
    files = {
        "unsealed": lambda: [memfd(seals=0)],
        "may shrink": lambda: [memfd(seals=FUTURE_WRITE)],
        "may be written": lambda: [memfd(seals=fcntl.F_SEAL_SHRINK)],
        "short": lambda: [memfd(size=100)],
        "empty": lambda: [memfd(size=0)],
        "other version": lambda: [memfd(version=3)],
        "ordinary file": lambda: [os.open(__file__, os.O_RDONLY)],
        "device": lambda: [os.open("/dev/zero", os.O_RDONLY)],
        "directory": lambda: [os.open(".", os.O_RDONLY)],
        "pipe": lambda: [pipe()],
        "two": lambda: [memfd(), memfd()],
        "hundred": lambda: [memfd() for _ in range(100)],
    }
    for about, make in files.items():
        fds = make()
        check_hostile(about, lambda connection, fds=fds: send(connection, good_frame(), fds))
        for fd in fds:
            os.close(fd)


def test_frames_that_bring_no_snapshot():
    data = good_frame()
    bare = {
        "no descriptor": data,
        "hang up": None,
        "half a header": data[:7],
        "no payload": data[:16],
        "long": frame(RESPONSE_MAP, b"x" * 4000),
        "longer than it is": frame(RESPONSE_MAP, length=0xFFFFFFFF),
        "other magic": frame(RESPONSE_MAP, bytes(8), magic=1),
        "other protocol": frame(RESPONSE_MAP, bytes(8), version=9),
        "pending": pending(),
        "not known": frame(0x7F, bytes(8)),
        "not now": answer(TRY_AGAIN),
        "unsupported": unsupported(),
    }
    for about, response in bare.items():
        check_hostile(about, lambda _connection, response=response: response)
    fd = memfd()
    for about, response in bare.items():
        if response and about != "no descriptor":
            check_hostile(about + " but a descriptor",
                          lambda c, response=response: send(c, response, [fd]))

    def late(connection):
        connection.sendall(data[:16])
        send(connection, data[16:], [fd])

    check_hostile("late", late)
    os.close(fd)


def test_a_snapshot_of_nothing():
    """Sound as far as can be seen, and empty: it is mapped, and the socket is asked."""
    fd = memfd()
    check_hostile("nothing in it", lambda connection: send(connection, good_frame(), [fd]),
                  mapped=True)
    os.close(fd)


def test_a_large_answer_of_a_daemon_that_seems_to_hang():
    """It is given less time, but once for a lookup: not again for each larger buffer of glibc's."""
    fd = memfd(heartbeat=int(time.monotonic()) - 20)
    many = Host(NAME, [f"127.1.0.{i}" for i in range(1, 101)])

    def behave(request, connection):
        if request.type != MAP:
            return table({NAME: many})(request, connection)
        return send(connection, good_frame(), [fd])

    with FakeDaemon("s", behave, maps=True), Client(patient_env("s")) as client:
        for _ in range(5):
            same(sorted(client.ask("inet", NAME).addresses), sorted(many.addresses))
    os.close(fd)
