# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon in a broken environment: its log is not read, its service manager is stuck, its
socket file is removed, its standard descriptors are closed, its manifests make too much work."""

import fcntl
import os
import pathlib
import shutil
import signal
import socket
import subprocess

from harness import (PATIENCE, Client, Daemon, built, need_program, need_root, same, skip, unsanitized,
                     wait_for)

F_SETPIPE_SZ = 1031
NAME = "web.moon.svc.cluster.local"
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: %s, namespace: moon}
spec: {clusterIP: %s, selector: {app: web}, ports: [{port: 80}]}
---
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: moon}
spec:
  replicas: %d
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: a, image: a}]}}
---
"""
WEB = {"web.yaml": SERVICE % ("web", "10.0.0.1")}


def shell(script):
    return ["sh", "-c", f'{script} exec "$@"', "sh"]


def answers(client):
    return client.ask("inet", NAME).addresses == ["10.0.0.1"]


def test_directories_that_others_may_write_to():
    """For the socket and for the leases: a user who can put files there could answer instead of the
    daemon, or choose its addresses."""
    for which, mode in ("run", 0o777), ("run", 0o1777), ("state", 0o775), ("state", 0o757):
        where = pathlib.Path(f"{which}-{mode:o}").resolve()
        (where / which).mkdir(parents=True)
        (where / which).chmod(mode)
        daemon = Daemon(WEB, dir=where, ready=False)
        same(daemon.process.wait(PATIENCE), 1)
        line = daemon.wait_line("others can write to the directory")
        assert str(where / which) in line and f"{mode:04o}" in line, line
        purpose = {"run": "the socket", "state": "the state"}[which]
        assert line.rstrip().endswith(f"; not using it for {purpose}"), line
        (where / which).chmod(0o755)
        with Daemon(WEB, dir=where):
            pass


def test_directories_of_others():
    need_root()
    for which in "run", "state":
        where = pathlib.Path(which).resolve()
        (where / which).mkdir(parents=True)
        os.chown(where / which, 65534, 0)
        daemon = Daemon(WEB, dir=where, ready=False)
        same(daemon.process.wait(PATIENCE), 1)
        daemon.wait_line("belongs to another user (uid 65534)")


def test_nobody_reads_the_log():
    os.mkfifo("log")
    log = os.open("log", os.O_RDWR | os.O_NONBLOCK)
    fcntl.fcntl(log, F_SETPIPE_SZ, 4096)
    with Daemon(WEB, wrapper=shell("exec 2>log;")) as daemon:
        for i in range(100):
            daemon.write(f"bad{i}.yaml", "a: [b\n")
        daemon.write("new.yaml", SERVICE % ("new", "10.0.0.2"))
        with Client(daemon.env) as client:
            client.until("inet", "new.moon.svc.cluster.local", lambda a: not a.error)
            same(answers(client), True)
            # who reads again is told how much is missing
            while len(os.read(log, 4096)) == 4096:
                pass
            daemon.write("late.yaml", "a: [b\n")
            said = b""

            def told():
                nonlocal said
                try:
                    said += os.read(log, 4096)
                except BlockingIOError:
                    pass
                return b" dropped (stderr blocked)" in said and b"late.yaml" in said

            wait_for(told, "what is missing in the log")
    os.close(log)


def fill(full):
    try:
        while True:
            full.sendto(b"x", "supervisor")
    except BlockingIOError:
        pass


def test_supervisor_that_takes_nothing():
    supervisor = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    supervisor.bind("supervisor")
    full = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    full.setblocking(False)
    fill(full)
    path = os.path.abspath("supervisor")
    with Daemon(WEB, wrapper=["env", f"NOTIFY_SOCKET={path}"], ready=False) as daemon:
        daemon.wait_line("ready: 1 object,")
        with Client(daemon.env) as client:
            same(answers(client), True)
        # and it is told when it takes something again
        supervisor.settimeout(PATIENCE)
        while b"READY=1" not in supervisor.recv(4096):
            pass
        # A reload that it could not be told of at first has a beginning and an end.
        fill(full)
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_line("configuration reloaded")
        told = b""
        while b"READY=1" not in told:
            told += supervisor.recv(4096) + b"\n"
        assert told.index(b"RELOADING=1") < told.index(b"READY=1"), told


def test_socket_file_is_removed():
    with Daemon(WEB) as daemon, Client(daemon.env) as client:
        daemon.socket.unlink()
        client.until("inet", NAME, lambda a: not a.error)
        shutil.rmtree(daemon.socket.parent)
        client.until("inet", NAME, lambda a: not a.error)
        daemon.wait_line("was removed or replaced; restored")
        daemon.stop()
        same(list(daemon.socket.parent.iterdir()), [], "left behind")


def test_socket_file_is_replaced_by_another_daemons():
    with Daemon(WEB) as first:
        shutil.rmtree(first.socket.parent)
        other = {"web.yaml": SERVICE % ("web", "10.0.0.9")}
        wrapper = shell(f'set -- "$@" --socket {first.socket};')
        with Daemon(other, wrapper=wrapper) as second, Client(first.env) as client:
            first.wait_line("cannot be recreated: another daemon is already listening")
            same(client.ask("inet", NAME).addresses, ["10.0.0.9"])
            second.stop()
            # the first one takes its place again
            client.until("inet", NAME, lambda a: a.addresses == ["10.0.0.1"])


def test_standard_descriptors_are_closed():
    for closed in ("0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"):
        with Daemon(WEB, wrapper=shell(f"exec {closed};")) as daemon:
            links = [os.readlink(f"/proc/{daemon.process.pid}/fd/{fd}") for fd in range(3)]
            for fd in range(3):
                if f"{fd}<&-" in closed or f"{fd}>&-" in closed:
                    same(links[fd], "/dev/null", f"descriptor {fd} after {closed}")


def test_few_descriptors():
    """Too few, of which some may be open already: it says so instead of running without manifests,
    or unable to say that it is ready. A lower limit that it may raise is none."""
    for n in 8, 12, 16, 20, 24, 30:
        daemon = Daemon(WEB, ready=False, wrapper=shell(f"ulimit -n {n};"))
        same(daemon.process.wait(PATIENCE), 1)
        daemon.wait_line("at least 32 more files must be possible to open")
        same(len(daemon.lines), 1, daemon.lines)
        daemon.stop()
    with Daemon(WEB, wrapper=shell("ulimit -S -n 16;")) as daemon, Client(daemon.env) as client:
        assert answers(client)


def test_no_file_may_be_written():
    with Daemon({"web.yaml": SERVICE % ("web", '""')}, wrapper=shell("ulimit -f 0;")) as daemon:
        daemon.wait_line("leases: cannot be written: File too large")
        with Client(daemon.env) as client:
            same(len(client.ask("inet", NAME).addresses), 1)


def test_no_proc():
    unsanitized("the sanitizers want /proc")
    wrapper = [need_program("unshare"), "-m" if os.geteuid() == 0 else "-rm",
               *shell("mount -t tmpfs none /proc &&")]
    tried = subprocess.run([*wrapper, "true"], capture_output=True, text=True)
    if tried.returncode:
        skip(f"no mount namespace here: {tried.stderr.strip()}")
    with Daemon(WEB, wrapper=wrapper) as daemon, Client(daemon.env) as client:
        client.until("inet", NAME, lambda a: a.addresses == ["10.0.0.1"])


def test_umask_that_takes_everything():
    files = {"web.yaml": SERVICE % ("web", '""')}
    with Daemon(files, wrapper=shell("umask 777;")) as daemon:
        pass
    same((daemon.dir / "state" / "leases").stat().st_mode & 0o777, 0o600)


def test_lookups_go_on_while_much_is_worked_out():
    """A few kilobytes that make a million endpoints: a source that is always due, at the priority of
    the clients, would let none of them in before all is done."""
    many = "".join(SERVICE % (f"s{i}", "None") for i in range(800))
    with Daemon(WEB) as daemon, Client(daemon.env) as client:
        daemon.write("many.yaml", many + DEPLOYMENT % 800)
        answered = unanswered = 0
        while client.ask("inet", "s9.moon.svc.cluster.local").error:
            if answers(client):
                answered += 1
            else:
                unanswered += 1
        same(answered > unanswered, True, f"{answered} lookups answered, {unanswered} not: more")


def test_object_that_is_too_large():
    endpoints = "\n".join(f"- addresses: [10.1.{i >> 8 & 255}.{i & 255}]" for i in range(500000))
    slice_ = f"""apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv4
metadata: {{name: huge, namespace: moon}}
endpoints:
{endpoints}
"""
    with Daemon(WEB) as daemon, Client(daemon.env) as client:
        daemon.write("huge.yaml", slice_)
        daemon.wait_line("one object takes more than 64 MiB of memory", 40)
        same(answers(client), True)


def test_a_few_lines_that_ask_for_millions_of_endpoints():
    app = """apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  replicas: 60000
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}
"""
    headless = "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%04u}\n" \
        "spec: {clusterIP: None, selector: {app: web}}\n"
    crowd = app + "".join(headless % i for i in range(2000))
    with Daemon(WEB | {"crowd.yaml": crowd}, namespace="moon") as daemon:
        daemon.wait_line("more than 2097152 endpoints")
        with Client(daemon.env) as client:
            same(answers(client), True)
            same(len(client.until("inet", "s0000", lambda a: not a.error).addresses), 60000)
            same(client.ask("inet", "s1999.moon.svc.cluster.local").error, "EAI_NONAME")
            said = subprocess.run([built("kubesvc"), "explain", "s1999.moon"], env=daemon.env,
                                  capture_output=True, text=True, timeout=60)
            assert "all Services together have too many endpoints" in said.stdout, said
            # the next one in turn has them when one of the others is gone
            same(client.ask("inet", "s0034.moon.svc.cluster.local").error, "EAI_NONAME")
            daemon.write("crowd.yaml", crowd.replace(headless % 0, ""))
            client.until("inet", "s0034", lambda a: len(a.addresses) == 60000)
            same(client.ask("inet", "s1999.moon.svc.cluster.local").error, "EAI_NONAME")
            # and they are back with fewer
            daemon.write("crowd.yaml", crowd.replace("60000", "3"))
            client.until("inet", "s1999", lambda a: len(a.addresses) == 3)
