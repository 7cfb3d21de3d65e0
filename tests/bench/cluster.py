# SPDX-License-Identifier: LGPL-2.1-or-later
"""What following a cluster costs: the first sync of many endpoints, memory, and a stream of changes.

The API server is the scripted one of the end-to-end tests, so its own time is in the first figure.
"""

import os
import pathlib
import shutil
import time

from tools import QUICK, Daemon, has, percentile, progress, wait_for

from api_server import ApiServer, Follower, endpoint_slice, namespace, service

SERVICES = 1000 if QUICK else 10000
ENDPOINTS = 16
RATE = 100
SECONDS = 10 if QUICK else 60
TICKS = os.sysconf("SC_CLK_TCK")


def cpu(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(process, what):
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(text.split(f"{what}:")[1].split()[0]) / 1024


def slice_of(i, turn=0):
    return endpoint_slice(f"ns-{i % 100}", f"svc-{i}-x", f"svc-{i}",
                          *(f"10.{turn % 200}.{i % 250}.{n + 1}" for n in range(ENDPOINTS)))


def rows():
    """[(what, figure)]"""
    directory = pathlib.Path("cluster-bench").resolve()
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    before = os.getcwd()
    os.chdir(directory)
    try:
        with ApiServer() as api:
            progress(f"a cluster of {SERVICES} Services")
            for i in range(100):
                api.put("namespaces", namespace(f"ns-{i}"))
            for i in range(SERVICES):
                api.put("services", service(f"ns-{i % 100}", f"svc-{i}"))
                api.put("endpointslices", slice_of(i))
            return measure(api)
    finally:
        os.chdir(before)
        shutil.rmtree(directory)


def seconds_to_answer(api, daemon, turn):
    """Asked by a process each time, which takes one millisecond."""
    began = time.monotonic()
    api.put("endpointslices", slice_of(0, turn))
    wait_for(lambda: has(daemon, "svc-0.ns-0.svc.cluster.local", f"10.{turn}.0.1"), "a change")
    return time.monotonic() - began


def measure(api):
    began = time.monotonic()
    with Follower(api, "out") as follower:
        follower.until_state("synced", 120)
        found = [(f"first sync of {SERVICES} Services, {SERVICES * ENDPOINTS} endpoints",
                  f"{time.monotonic() - began:.1f} s"),
                 ("... CPU of kubesvc-cluster", f"{cpu(follower.process):.1f} s"),
                 ("memory of kubesvc-cluster, peak", f"{memory(follower.process, 'VmHWM'):.0f} MB")]
        config = f"manifests:\n- path: {follower.output}\n  recursive: true\n"
        with Daemon([], config=config, ready=False) as daemon:
            daemon.wait_state("READY=1", 120)
            found.append(("memory of kubesvcd, peak", f"{memory(daemon.process, 'VmHWM'):.0f} MB"))
            progress(f"{RATE} changes a second for {SECONDS} s")
            used = [cpu(p) for p in (follower.process, daemon.process)]
            start = time.monotonic()
            for n in range(RATE * SECONDS):
                api.put("endpointslices", slice_of(n % SERVICES, 1 + n // SERVICES))
                time.sleep(max(0, start + (n + 1) / RATE - time.monotonic()))
            lasted = time.monotonic() - start
            for name, process, before in zip(("kubesvc-cluster", "kubesvcd"),
                                             (follower.process, daemon.process), used):
                share = (cpu(process) - before) / lasted * 100
                found.append((f"CPU of {name} at {RATE} changes a second", f"{share:.1f} %"))
            progress("changes one by one")
            taken = sorted(seconds_to_answer(api, daemon, turn) * 1000 for turn in range(2, 102))
            found.append(("from a change to its answer, median and p99",
                          f"{percentile(taken, 0.5):.0f} and {percentile(taken, 0.99):.0f} ms"))
    return found
