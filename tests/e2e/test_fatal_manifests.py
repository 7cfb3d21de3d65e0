# SPDX-License-Identifier: LGPL-2.1-or-later
"""A file at which the daemon dies whenever it starts is passed over, and only that one."""

import os
import pathlib
import re
import signal
import subprocess

from harness import Client, Daemon, built, same, unsanitized, wait_for

NAME = "web.moon.svc.cluster.local"
WEB = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: moon}
spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}
"""
# Memory beyond what a daemon has with a few names, enough for all but the files below.
SPACE = 32 << 20
FATAL = "skipping it until it changes"


def replicas():
    """What comes to take memory when all files have been read."""
    return "".join(
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d%d}, spec: {replicas: 100000,"
        " selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}},"
        " spec: {containers: [{name: c, image: i}]}}}}\n---\n" % i for i in range(5))


def addresses():
    """Many addresses in few bytes: they take memory while the file is read."""
    text = "1.1.1.1," * 32000 + "1.1.1.1"
    lines = ["apiVersion: v1", "kind: List", f"x: &a '{text}'", "items:"]
    lines += ["- {apiVersion: v1, kind: Service, metadata: {name: s%d, annotations: "
              "{kubesvc.io/addresses: *a}}, spec: {ports: [{port: 80}]}}" % i for i in range(400)]
    return "\n".join(lines) + "\n"


def data_of(daemon):
    """Bytes of memory that the daemon may write to."""
    text = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    return 1024 * int(re.search(r"^VmData:\s+(\d+)", text, re.MULTILINE)[1])


def start(directory, space, ready=False):
    return Daemon(directory / "manifests", dir=directory, ready=ready,
                  wrapper=["prlimit", f"--data={space}", "--core=0", "--"])


def die(daemon):
    """Waits until the daemon has died of itself."""
    wait_for(lambda: daemon.process.poll() is not None, "death", 60)
    same(daemon.process.returncode < 0, True, daemon.process.returncode)


def run(command, daemon):
    command = [built("kubesvc"), "--socket", daemon.socket, command]
    return subprocess.run(command, env=daemon.env, capture_output=True, text=True, check=False).stdout


def status(daemon):
    return run("status", daemon)


def answers(daemon, name=NAME):
    with Client(daemon.env) as client:
        return client.ask("inet", name).addresses


def test_file_that_takes_all_memory_when_it_is_read():
    pass_over(addresses())


def test_file_that_takes_all_memory_when_it_is_worked_out():
    pass_over(replicas())


def pass_over(text):
    unsanitized("memory is limited")
    with Daemon({"a.yaml": WEB, "z.yaml": WEB.replace("web", "last")}) as daemon:
        directory, space = daemon.dir, data_of(daemon) + SPACE
    (directory / "manifests" / "m.yaml").write_text(text)
    for _ in range(3):
        die(start(directory, space))
    with start(directory, space, ready=True) as daemon:
        line = daemon.wait_line(FATAL)
        same("m.yaml: error: " in line and "died 3 times" in line, True, line)
        same(answers(daemon), ["10.0.0.1"])
        same(answers(daemon, "last.moon.svc.cluster.local"), ["10.0.0.1"])
        same(FATAL in status(daemon), True)
        same(FATAL in run("doctor", daemon), True)
    # it stays so as long as the file does, and no longer
    with start(directory, space, ready=True) as daemon:
        daemon.wait_line(FATAL)
        daemon.write("m.yaml", WEB.replace("web", "mended"))
        with Client(daemon.env) as client:
            client.until("inet", "mended.moon.svc.cluster.local", lambda a: not a.error)
    with start(directory, space, ready=True) as daemon:
        same(any(FATAL in line for line in daemon.lines), False)


def test_ends_that_are_no_deaths_of_a_file():
    """Neither an orderly end in the midst of it, nor fewer deaths, nor deaths with a start between."""
    pipe = pathlib.Path("m").resolve()
    pipe.mkdir()
    (pipe / "web.yaml").write_text(WEB * 20000)
    daemon = Daemon(pipe, ready=False)
    directory = daemon.dir
    for _ in range(5):
        daemon.stop(signal.SIGTERM)
        daemon = Daemon(pipe, dir=directory, ready=False)
    for _ in range(4):
        for _ in range(2):
            daemon.stop(signal.SIGKILL)
            daemon = Daemon(pipe, dir=directory, ready=False)
        daemon.wait_state("READY=1")
    same(any(FATAL in line for line in daemon.lines), False)
    same(answers(daemon), ["10.0.0.1"])
    same(daemon.stop(), 0)
    same(os.path.getsize(directory / "state" / "starting") < 8192, True)
