# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon's two threads: lookups never wait for the loader thread, whatever holds it up, and the
service manager learns of it when that lasts."""

import os
import pathlib
import pty
import socket
import subprocess
import tempfile
import threading
import time

from harness import (BUILD, PATIENCE, SANITIZED, Client, Daemon, built, client_env, same, unsanitized,
                     wait_for)

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: moon}
spec: {clusterIP: 10.9.9.9, ports: [{port: 80}]}
"""
REPLICAS = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: moon}
spec:
  serviceName: db
  replicas: %d
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: i}]}}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: moon}
spec: {clusterIP: None, selector: {app: db}}
"""


def priorities(daemon):
    """Of each thread: its name, nice and scheduling policy."""
    result = {}
    for task in pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir():
        name, rest = (task / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
        fields = rest.split()
        result[name] = (int(fields[16]), int(fields[38]))
    return result


def test_the_loader_thread_steps_back():
    with Daemon({"a.yaml": SERVICE.replace("NAME", "a")}, namespace="moon") as daemon:
        before = os.getpriority(os.PRIO_PROCESS, 0)
        found = priorities(daemon)
        same(found["kubesvcd"], (before, os.SCHED_OTHER))
        same(found["kubesvcd-loader"], (min(before + 5, 19), os.SCHED_BATCH))


class Watchdog:
    """A supervisor that notes when it was last told that all is well."""

    def __init__(self, daemon_env):
        self.directory = tempfile.mkdtemp(prefix="ks-")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"{self.directory}/notify")
        self.pings, self.ready = 0, threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        self.env = daemon_env | {"NOTIFY_SOCKET": f"{self.directory}/notify",
                                 "WATCHDOG_USEC": "300000"}

    def _read(self):
        while True:
            text = self.socket.recv(4096).decode()
            self.pings += "WATCHDOG=1" in text
            if "READY=1" in text:
                self.ready.set()


def run_daemon(directory, env, stderr):
    """With the environment and the terminal of its own that Daemon does not give."""
    config = directory / "kubesvcd.yaml"
    config.write_text("{}\n")
    return subprocess.Popen(
        [built("kubesvcd"), "--config", config, "--socket", directory / "run" / "socket", "--state",
         directory / "state", "--manifests", directory / "manifests", "--namespace", "moon"],
        env={k: v for k, v in os.environ.items() if not k.startswith("KUBESVC_")} | env,
        stderr=stderr)


def test_a_disk_that_does_not_answer_stops_no_lookup_and_is_told():
    unsanitized("the sanitizers want to be loaded first")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="d", dir=".")).resolve()
    (directory / "manifests").mkdir()
    (directory / "manifests" / "db.yaml").write_text(REPLICAS % 3)
    slow = directory / "slow"
    watchdog = Watchdog({"SLOW_DISK": str(slow),
                         "LD_PRELOAD": str(BUILD / "e2e" / "preload_slow_disk.so")})
    process = run_daemon(directory, watchdog.env, None)
    try:
        same(watchdog.ready.wait(PATIENCE), True, "ready")
        wait_for(lambda: watchdog.pings >= 5, "signs of life")
        slow.touch()
        hidden = directory / "manifests" / ".db.yaml.new"
        hidden.write_text(REPLICAS % 5)
        hidden.rename(directory / "manifests" / "db.yaml")
        with Client(client_env(directory / "run" / "socket")) as client:
            client.until("inet", "db", lambda a: len(a.addresses) == 5, PATIENCE)
            seen = None

            def has_fallen_silent():
                nonlocal seen
                before, seen = seen, watchdog.pings
                time.sleep(0.5)
                return before == seen == watchdog.pings

            wait_for(has_fallen_silent, "silence")
            same(len(client.ask("inet", "db").addresses), 5)
        slow.unlink()
        count = watchdog.pings
        wait_for(lambda: watchdog.pings > count, "signs of life again")
    finally:
        slow.unlink(missing_ok=True)
        process.terminate()
        same(process.wait(PATIENCE), 0)


def test_how_far_a_load_is_stands_on_a_terminal():
    many = 5000 if SANITIZED else 30000
    directory = pathlib.Path(tempfile.mkdtemp(prefix="d", dir=".")).resolve()
    (directory / "manifests").mkdir()
    (directory / "manifests" / "many.yaml").write_text("".join(f"""---
apiVersion: v1
kind: Pod
metadata: {{name: p{i}, namespace: moon}}
spec: {{containers: [{{name: c, image: i}}]}}
""" for i in range(many)))
    ours, its = pty.openpty()
    process = run_daemon(directory, {}, its)
    os.close(its)
    shown = b""
    try:
        while b"ready: " not in shown:
            shown += os.read(ours, 4096)
    finally:
        process.terminate()
        same(process.wait(PATIENCE), 0)
        os.close(ours)
    lines = shown.split(b"\r\x1b[K")
    progress = [line for line in lines if line.startswith(b"loading: ")]
    same(len(progress) > 0, True, shown[-500:])
    same(all(b" of 1 files, " in line and line.endswith(b" objects") for line in progress), True,
         progress)
    ready, = (line for line in lines if b"ready: " in line)
    same(ready.startswith(f"ready: {many} objects".encode()), True, ready)


def test_the_end_is_not_waited_for_amid_a_load():
    pods = "".join(f"""---
apiVersion: v1
kind: Pod
metadata: {{name: p{i}, namespace: moon}}
spec: {{containers: [{{name: c, image: i}}]}}
""" for i in range(5000 if SANITIZED else 60000))
    with Daemon({"many.yaml": pods}, namespace="moon", ready=False) as daemon:
        wait_for(daemon.socket.exists, "the socket")
        same(daemon.stop(), 0)
        same(daemon.socket.exists(), False)
