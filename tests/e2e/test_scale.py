# SPDX-License-Identifier: LGPL-2.1-or-later
"""Large stores: complete, without long waits, and within the allowed cost. `make bench` measures the
exact cost.

KUBESVC_SCALE=N makes the stores N times as large (5: 10,000 Services and 150,000 Pods).
"""

import os
import pathlib
import resource
import socket
import sys
import time

from harness import HERE, SANITIZED, Client, Daemon, limit, same, skip, wait_for

sys.path.insert(0, str(HERE.parent / "bench"))

import store  # noqa: E402: needs the path above

SCALE = float(os.environ.get("KUBESVC_SCALE", "1"))
SERVICES, PODS = int(2000 * SCALE), int(30000 * SCALE)
LOAD_LIMIT = 60 if SANITIZED else 20


def service_name(number):
    return f"svc-{number}.ns-{store.namespace_of(number)}.svc"


def make(form, directory="store"):
    store.write(form, SERVICES, PODS, directory)
    return directory


def resident(daemon):
    """Megabytes: now and at most."""
    text = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in text.splitlines())
    return [int(fields[key].split()[0]) * 1024 / 1e6 for key in ("VmRSS", "VmHWM")]


@limit(60 + 20 * SCALE)
def test_pods_are_all_there_and_small():
    with Daemon(make("pods"), ready=False) as daemon:
        daemon.wait_state("READY=1", LOAD_LIMIT * SCALE)
        with Client(daemon.env) as client:
            for i in 1, 3, SERVICES // 2 + 1, SERVICES - 1:
                expected = [store.address(store.BASE + pod) for pod in range(i, PODS, SERVICES)]
                same(sorted(client.ask("inet", service_name(i)).addresses), sorted(expected), str(i))
        if not SANITIZED:
            for megabytes in resident(daemon):
                # 100 MB for 160,000 objects, and what a daemon with none takes
                assert megabytes < 10 + 90 * PODS / 150000, f"{megabytes:.1f} MB"


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: tide}
spec:
  replicas: %d
  selector: {matchLabels: {app: tide}}
  template:
    metadata: {labels: {app: tide}}
    spec: {containers: [{name: main, image: app}]}
---
apiVersion: v1
kind: Service
metadata: {name: tide-%d}
spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}
"""


@limit(120)
def test_memory_follows_what_is_live():
    """One Deployment of many replicas comes and goes. What is left of 30,000 is that their addresses
    are remembered, and it is no more after the tenth time."""
    with Daemon({"a.yaml": DEPLOYMENT % (0, 0)}) as daemon, Client(daemon.env) as client:
        empty = resident(daemon)[0]
        for number in range(1, 21):
            daemon.write("a.yaml", DEPLOYMENT % (30000 if number % 2 else 0, number))
            client.until("inet", f"tide-{number}", lambda answer: answer.addresses == ["10.0.0.1"])
            if number % 2 == 0 and not SANITIZED:  # that keeps what is freed
                wait_for(lambda: resident(daemon)[0] < empty + 12, f"memory to be freed, {number}")


@limit(60 + 20 * SCALE)
def test_ten_thousand_endpoints():
    count = 10000
    store.write("slices", 2, 2 * count, "store")
    with Daemon("store") as daemon, Client(daemon.env) as client:
        answer = client.ask("inet", service_name(1))
        same(len(answer.addresses), count)
        same(len(set(answer.addresses)), count)
        first = {client.ask("inet", service_name(1)).addresses[0] for _ in range(20)}
        assert len(first) > 1, "does not rotate"


@limit(90 + 30 * SCALE)
def test_lookups_while_a_large_file_is_replaced():
    """No lookup fails or waits until the module gives up, and in the end all Pods are the new ones."""
    directory = pathlib.Path(make("pods"))
    with Daemon(directory) as daemon, Client(daemon.env) as client:
        store.write_pods(directory / ".new", SERVICES, PODS, store.BASE + PODS)
        (directory / ".new").rename(directory / "pods.yaml")
        last = SERVICES - 1
        expected = [store.address(store.BASE + PODS + pod) for pod in range(last, PODS, SERVICES)]
        end, slowest = time.monotonic() + LOAD_LIMIT * SCALE, 0
        while True:
            answer = client.ask("inet", service_name(0))
            same(answer.error, None, "while it is read")
            slowest = max(slowest, answer.ms)
            if sorted(client.ask("inet", service_name(last)).addresses) == sorted(expected):
                break
            assert time.monotonic() < end, "it never comes"
        print(f"slowest lookup: {slowest:.1f} ms")


def test_a_thousand_idle_connections_and_one_that_stalls():
    with Daemon({"a.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
                           "spec: {clusterIP: 10.0.0.1}\n"}) as daemon:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < 1200:
            skip(f"no more than {hard} descriptors here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
        idle = []
        for i in range(1000):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.connect(str(daemon.socket))
            if i % 10 == 0:
                connection.send(b"KSVC")  # and no more
            idle.append(connection)
        with Client(daemon.env) as client:
            for _ in range(200):
                answer = client.ask("inet", "a")
                same(answer.addresses, ["10.0.0.1"])
        for connection in idle:
            connection.close()
