# SPDX-License-Identifier: LGPL-2.1-or-later
"""The module in programs that do what programs do (guest rules 33 to 57)."""

import json
import os
import pathlib
import select
import socket
import struct
import subprocess
import threading

from fake_daemon import FakeDaemon, Host, fill_backlog, pending, table
from harness import (
    BUILD, Client, Daemon, built, client_env, limit, need_program, need_root, patient_env,
    run_program, same, skip, unsanitized, wait_for,
)

NAME = "web.moon.svc.cluster.local"
ADDRESSES = [f"127.0.0.{i}" for i in range(1, 6)]
HOSTS = {NAME: Host(NAME, ADDRESSES)}


def stress(command, *arguments, behave=None, **clock):
    with FakeDaemon("s", behave or table(HOSTS)):
        run_program("stress", command, NAME, *arguments, env=patient_env("s", **clock))


def direct(*arguments):
    run_program("direct", BUILD / "libnss_kubesvc.so.2", *arguments, env=patient_env("s"))


def test_short_threads():
    stress("short-threads", 1000)


def test_fork_storm():
    stress("forks", 200)


def test_exec_storm_inherits_nothing():
    stress("execs", 150)


def test_longjmp_out_of_a_lookup():
    stress("jumps", 500)


def test_longjmp_out_of_a_lookup_that_waits():
    """The alarm is not kept waiting for as long as the daemon asks for more time."""
    over = threading.Event()

    def behave(_request, connection):
        while not over.wait(0.05):
            connection.sendall(pending())

    with FakeDaemon("s", behave) as daemon:
        took = int(run_program("stress", "alarm", NAME, env=patient_env("s", slower=8)))
        over.set()
        same(len(daemon.requests), 1)
    assert took < 10000, took


def test_signals_during_a_slow_lookup():
    """They are let in now and then, and the question is asked again for it."""
    asked = []

    def behave(request, connection):
        asked.append(request)
        if len(asked) > 3:
            return table(HOSTS)(request, connection)
        while select.select([connection], [], [], 0.05)[0] == []:
            connection.sendall(pending())
        return None

    stress("signals", 1, behave=behave, slower=8)
    same(len(asked), 4)


def test_signals_that_the_program_blocks():
    asked = []

    def behave(request, connection):
        asked.append(request)
        for _ in range(40):
            if select.select([connection], [], [], 0.05)[0]:
                return None
            connection.sendall(pending())
        return table(HOSTS)(request, connection)

    stress("blocked", behave=behave, slower=8)
    same(len(asked), 1)


def test_cancelled_threads():
    stress("cancels", 500)


def test_signals_without_restart():
    stress("signals", 10000)


def test_standard_descriptors_stay_closed():
    """While the module asks, 0 to 2 of the program are not its socket, and exec would close it."""
    seen = []
    flags = []

    def behave(request, connection):
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid = struct.unpack("3i", raw)[0]
        seen.append({int(fd) for fd in os.listdir(f"/proc/{pid}/fd")})
        for path in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
            flags.append(int(path.read_text().split("flags:")[1].split()[0], 8))
        return table(HOSTS)(request, connection)

    stress("closed", behave=behave)
    assert seen and all(not open_ & {0, 1, 2} for open_ in seen), seen
    assert flags and all(f & os.O_CLOEXEC for f in flags), flags


def test_descriptors_closed_between_lookups():
    stress("closing", 200)


def test_out_of_descriptors():
    stress("exhausted")


def test_minimal_stack():
    unsanitized("sanitizers widen every frame")
    stress("small-stack")


def test_daemon_hangs_up_and_sigpipe_is_deadly():
    """10,000 lookups that fail before, in and after the request leave no descriptor."""
    with FakeDaemon("s", lambda *_: None, reads=False):
        run_program("stress", "broken-pipe", NAME, 10000, env=client_env("s"))


def test_failing_lookups_leak_nothing():
    for path in "absent", "dir/absent", ".":
        run_program("stress", "broken-pipe", NAME, 20000, env=client_env(path))


def test_turkish_letters():
    localedef = need_program("localedef")
    made = subprocess.run([localedef, "-i", "tr_TR", "-f", "UTF-8", "./tr_TR.UTF-8"],
                          capture_output=True)
    if not pathlib.Path("tr_TR.UTF-8/LC_CTYPE").exists():
        skip(f"no tr_TR.UTF-8 here: {made.stderr.decode().strip()[:100]}")
    env = patient_env("s", LC_ALL="tr_TR.UTF-8", LOCPATH=os.getcwd())
    upper = "API.SVC.CLUSTER.LOCAL"
    with FakeDaemon("s", table({upper.lower(): Host(upper, ["127.0.0.1"])})):
        with Client(env) as client:
            same(client.ask("inet", upper).addresses, ["127.0.0.1"])
            # Reserved by an I, so that it is final where the daemon is not there.
            same(client.ask("inet", "I-.." + upper).error, "EAI_NONAME")


def test_open_and_close_the_module():
    with FakeDaemon("s", table(HOSTS)):
        direct("reopen", NAME, 300)


def test_sandbox_of_the_nscd_client():
    unsanitized("sanitizers make system calls of their own")
    with FakeDaemon("s", table(HOSTS)):
        direct("sandbox", NAME)


def test_sandbox_that_refuses():
    with FakeDaemon("s", table(HOSTS)) as daemon:
        for call in "socket", "connect":
            direct("refused", NAME, call)
        same(daemon.requests, [])


def traced(names, env):
    """The system calls of one lookup of each name."""
    strace = need_program("strace")
    unsanitized("sanitizers make system calls of their own")
    done = subprocess.run([strace, "-o", "trace", built("e2e/direct"),
                           BUILD / "libnss_kubesvc.so.2", "trace", *names],
                          env=env, capture_output=True, text=True)
    if done.returncode:
        skip(f"strace cannot trace here: {done.stderr.strip()[-100:]}")
    calls = [line.split("(")[0] for line in open("trace") if "(" in line]
    result = []
    for call in calls:
        if call == "getppid":
            result.append([])
        elif call == "getpgid":
            yield result.pop()
        elif result:
            result[-1].append(call)


def test_foreign_names_cost_no_system_call():
    names = ["a.b.c.www.example.com", "localhost", "LOCALHOST.", "1.2.3.4.5.in-addr.arpa", "", ".",
             "a..b", "-x", "x" * 64, "y." * 200, "a b", "evil\nname", "bad..svc", "\u00fc.svc"]
    same(list(traced(names, patient_env("s"))), [[]] * len(names))


def test_system_calls_of_a_lookup():
    """No write to the program's descriptors, no log, no file: only these."""
    with FakeDaemon("s", table(HOSTS)):
        calls = set(sum(traced([NAME] * 20, patient_env("s")), []))
    assert calls <= {"socket", "connect", "sendto", "poll", "ppoll", "read", "recvmsg",
                     "close", "rt_sigprocmask"}, calls


def test_system_calls_behind_a_full_backlog():
    """The lookup waits in connect at first, where it has a place in the line."""
    with FakeDaemon("s", accepts=False):
        filling = fill_backlog("s")
        calls = sum(traced([NAME], client_env("s")), [])
        for connection in filling:
            connection.close()
    calls = ["fcntl" if call == "fcntl64" else call for call in calls]
    same(calls[1:7], ["socket", "connect", "setsockopt", "fcntl", "connect", "fcntl"], calls)
    assert set(calls[7:]) <= {"connect", "poll", "ppoll", "close", "rt_sigprocmask",
                              "rt_sigpending"}, calls


def test_setgid_program_ignores_the_environment():
    need_root()
    setpriv = need_program("setpriv")
    os.chmod(".", 0o755)
    for path in "direct", "plain":
        pathlib.Path(path).write_bytes(pathlib.Path(built("e2e/direct")).read_bytes())
        os.chmod(path, 0o755)
    os.chown("direct", 0, 65534)
    os.chmod("direct", 0o2755)
    module = pathlib.Path("m.so")
    module.write_bytes((BUILD / "libnss_kubesvc.so.2").read_bytes())
    # SUCCESS is 1. The name cannot be that of a real daemon's, should one run here.
    name = "only-the-hostile-daemon-knows.moon.svc.cluster.local"
    with FakeDaemon("s", table({name: Host(name, ["127.0.0.1"])})) as daemon:
        env = patient_env(os.path.abspath("s"), namespace="moon", ASAN_OPTIONS="detect_leaks=0")
        for program, asked in ("plain", 1), ("direct", 0):
            done = subprocess.run(
                [setpriv, "--reuid=65533", "--regid=65533", "--clear-groups", f"./{program}",
                 os.path.abspath(module), "status", name],
                env=env, capture_output=True, text=True)
            same(done.returncode, 0, done.stderr)
            same(done.stdout.strip() == "1", bool(asked), program)
            same(len(daemon.requests), asked, program)
            daemon.requests.clear()


def test_32_bit_program():
    unsanitized("there is no sanitized 32-bit module")
    if not (BUILD / "m32/e2e/client").exists():
        skip("the compiler makes no 32-bit programs")
    hosts = HOSTS | {"both": Host(NAME, ["127.0.0.9", "::1"], ["alias"])}
    many = [f"127.1.{i // 250}.{i % 250}" for i in range(1000)]
    hosts["many"] = Host(NAME, many)
    env = patient_env("s", libraries=f"{BUILD}/m32:{BUILD}/m32/e2e")
    with FakeDaemon("s", table(hosts)):
        with Client(env, hosts="kubesvc", program=built("m32/e2e/client")) as client:
            same(sorted(client.ask("unspec+canon", NAME).addresses), ADDRESSES)
            same(sorted(client.ask("unspec", "both").addresses), ["127.0.0.9", "::1"])
            same(client.ask("name", "both").aliases, ["alias"])
            same(client.ask("inet6", "both").addresses, ["::1"])
            same(client.ask("addr", "127.0.0.3").canon, NAME)
            for kind in "unspec", "inet", "name":
                same(sorted(client.ask(kind, "many").addresses), sorted(many))


def threads_under(change, hosts):
    """Eight threads resolve while change() runs; what they counted."""
    with subprocess.Popen([built("e2e/stress"), "threads", NAME], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True,
                          env=patient_env("s") | {"STRESS_HOSTS": hosts}) as process:
        same(process.stdout.readline(), "started\n")
        change()
        out, _ = process.communicate(timeout=30)
        same(process.returncode, 0)
        return json.loads(out)


def test_threads_under_a_restarting_fake():
    daemons = [FakeDaemon("s", table(HOSTS))]

    def restart():
        for _ in range(30):
            before = daemons[-1]
            wait_for(lambda: len(before.requests) > 20, "requests")
            before.stop()
            os.unlink("s")
            daemons.append(FakeDaemon("s", table(HOSTS)))

    counts = threads_under(restart, "kubesvc")
    same(counts["wrong"], 0)
    assert counts["found"] > 500, counts


@limit(120)
def test_threads_under_a_restarting_daemon():
    """With the real daemon: every lookup is answered, or handed on, never anything else."""
    manifest = {
        "web.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: moon}\n"
                    "spec: {clusterIP: 127.96.7.7, ports: [{port: 80}]}\n"
    }
    first = Daemon(manifest)
    os.symlink(first.socket, "s")
    counts_at = []

    def restart():
        daemon = first
        for i in range(8):
            with Client(client_env("s")) as client:
                client.until("inet", NAME, lambda a: a.addresses == ["127.96.7.7"])
            same(daemon.stop(), 0)
            daemon = Daemon(daemon.dir / "manifests", dir=daemon.dir)
        counts_at.append(daemon)

    counts = threads_under(restart, "kubesvc")
    same(counts_at[0].stop(), 0)
    same(counts["wrong"], 0)
    assert counts["found"] > 500, counts
