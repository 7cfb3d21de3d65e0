# SPDX-License-Identifier: LGPL-2.1-or-later
"""What it costs to know where pods run: reading the files of runtimes, joining, and changes."""

import json
import os
import pathlib
import shutil
import statistics
import time

from tools import QUICK, Daemon, progress

from harness import Client

PODS = 5000
CHANGES = 20 if QUICK else 100
LOADS = 1 if QUICK else 5


def manifests():
    pods = [f"""kind: Pod
apiVersion: v1
metadata: {{name: pod-{i}, namespace: ns-{i % 20}, labels: {{app: app-{i}}}}}
spec: {{containers: [{{name: c, image: i}}]}}
---
kind: Service
apiVersion: v1
metadata: {{name: app-{i}, namespace: ns-{i % 20}}}
spec: {{clusterIP: None, selector: {{app: app-{i}}}}}
""" for i in range(PODS)]
    return {f"{n}.yaml": "---\n".join(pods[n::20]) for n in range(20)}


def address(i, turn=0):
    return f"10.{64 + turn % 100}.{i // 250}.{i % 250 + 1}"


def network(turn=0, changed=None):
    lines = [f"{i:064x} {address(i, turn if i == changed else 0)}  pod-{i},c,{i:012x}\n"
             for i in range(PODS)]
    return "10.64.0.1\n" + "".join(lines)


def result(i, turn=0):
    arguments = [["K8S_POD_NAMESPACE", f"ns-{i % 20}"], ["K8S_POD_NAME", f"pod-{i}"]]
    return json.dumps({"kind": "cniCacheV1", "containerId": f"{i:064x}", "config": "e30=" * 300,
                       "ifName": "eth0", "networkName": "n", "cniArgs": arguments,
                       "result": {"ips": [{"address": address(i, turn) + "/16"}]}})


def name(i):
    return f"app-{i}.ns-{i % 20}.svc.cluster.local"


def until(client, i, wanted):
    while client.ask("inet", name(i)).addresses != [wanted]:
        pass


def cpu(daemon):
    """Milliseconds of its threads, which are counted in clock ticks elsewhere."""
    tasks = pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6


def change(daemon, client, write):
    """Median milliseconds until a change is visible, and CPU milliseconds for each."""
    taken, before = [], cpu(daemon)
    for turn in range(1, CHANGES + 1):
        write(turn)
        began = time.monotonic()
        until(client, 77, address(77, turn))
        taken.append(time.monotonic() - began)
    return statistics.median(taken) * 1000, (cpu(daemon) - before) / CHANGES


def start(runtime, directory, objects):
    return Daemon(objects, config=f"sources: [{{{runtime}: {{directory: {directory}}}}}]\n")


def load(runtime, directory, objects):
    """How much CPU a daemon takes until it is ready."""
    with start(runtime, directory, objects) as daemon:
        return cpu(daemon)


def loads(runtime, directory, objects):
    return statistics.median(load(runtime, directory, objects) for _ in range(LOADS))


def measure(runtime, fill, write):
    directory = pathlib.Path(runtime).resolve()
    directory.mkdir()
    objects = manifests()
    empty = [loads(runtime, directory, these) for these in ({}, objects)]
    fill(directory)
    full = [loads(runtime, directory, these) for these in ({}, objects)]
    with start(runtime, directory, objects) as daemon, Client(daemon.env) as client:
        until(client, 77, address(77))
        visible, used = change(daemon, client, lambda turn: write(directory, turn))
    return [(f"{runtime}: {PODS} pods read, CPU", f"{full[0] - empty[0]:.0f} ms"),
            (f"{runtime}: ... joined with their objects and published",
             f"{full[1] - empty[1]:.0f} ms"),
            (f"{runtime}: one of them has another address, visible after", f"{visible:.1f} ms"),
            (f"{runtime}: CPU for that", f"{used:.2f} ms")]


def fill_results(directory):
    for i in range(PODS):
        (directory / f"n-{i:064x}-eth0").write_text(result(i))


def rows():
    """[(what, figure)]"""
    directory = pathlib.Path("runtimes-bench").resolve()
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    before = os.getcwd()
    os.chdir(directory)
    try:
        progress(f"{PODS} pods of runtimes")
        return [
            *measure("podman", lambda d: (d / "net").write_text(network()),
                     lambda d, turn: (d / "net").write_text(network(turn, 77))),
            *measure("cni", fill_results,
                     lambda d, turn: (d / f"n-{77:064x}-eth0").write_text(result(77, turn))),
        ]
    finally:
        os.chdir(before)
        shutil.rmtree(directory)
