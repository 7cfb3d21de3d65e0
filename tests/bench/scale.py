# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a store of manifests costs, small and large: loading, memory, changes, lookups meanwhile.

Lookups and reports are also measured while the whole store is loaded, while a file of 150,000 Pods is
replaced, and while a Service of 60,000 endpoints is worked out.
"""

import contextlib
import os
import pathlib
import resource
import shutil
import socket
import struct
import subprocess
import threading
import time

import store
from tools import (QUICK, Asker, Daemon, environment, has, percentile, progress, tool,
                   wait_for)

LOADS = 1 if QUICK else 3
CHANGES = 50 if QUICK else 500
RATE_SECONDS = 3 if QUICK else 10
IDLE = 1000
STORES = [("slices", 10), ("pods", 10), ("slices", 10000), ("pods", 10000), ("slices", 160000),
          ("pods", 160000)]
TICKS = os.sysconf("SC_CLK_TCK")

PROBE = "probe.svc-1.ns-1.svc.cluster.local"
ONE_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: probe, namespace: ns-1, labels: {app: app-1}}
spec: {hostname: probe, subdomain: svc-1, containers: [{name: main, image: app}]}
status:
  phase: Running
  podIP: @
  conditions: [{type: Ready, status: "True"}]
"""
ONE_SLICE = """\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv4
metadata: {name: probe, namespace: ns-1, labels: {kubernetes.io/service-name: svc-1}}
endpoints:
- {addresses: [@], hostname: probe}
""" + "".join(f"- {{addresses: [10.250.0.{i}]}}\n" for i in range(1, 100))
BURST = """\
apiVersion: v1
kind: Service
metadata: {name: burst-#, namespace: ns-1}
spec: {clusterIP: None}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv4
metadata: {name: burst-#, namespace: ns-1, labels: {kubernetes.io/service-name: burst-#}}
endpoints: [{addresses: [@]}]
"""


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid):
    """Resident now and at most, MB."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines)
    return [int(values[key].split()[0]) * 1024 / 1e6 for key in ("VmRSS", "VmHWM")]


@contextlib.contextmanager
def daemon_on(directory, wrapper=()):
    """A daemon over a store, over no state; with the seconds until it was READY."""
    start = time.monotonic()
    daemon = Daemon(directory, ready=False, wrapper=wrapper)
    try:
        daemon.wait_state("READY=1", 120)
        daemon.load_seconds = time.monotonic() - start
        yield daemon
    finally:
        daemon.stop()
        shutil.rmtree(daemon.dir)


def libyaml_seconds(directory):
    files = sorted(map(str, directory.glob("*.yaml")))
    output = subprocess.run([tool("events"), *files], capture_output=True, text=True, check=True)
    return float(output.stdout.split()[2])


def change(daemon, template, target, name, count, rate=0):
    """Microseconds; see change.c."""
    pathlib.Path("template").write_text(template)
    output = subprocess.run(
        [tool("change"), "template", str(target), name, str(count), str(rate)],
        env=environment(daemon.socket), capture_output=True, text=True, check=True).stdout
    return [float(line) for line in output.split()]


def make_store(form, objects):
    directory = pathlib.Path("stores", f"{form}-{objects}").resolve()
    services = max(2, objects // 16)
    store.write(form, services, objects - services, directory)
    return directory


def measure_store(form, objects):
    """One row."""
    directory = make_store(form, objects)
    bytes_ = sum(file.stat().st_size for file in directory.iterdir())
    loads = []
    for i in range(LOADS):
        progress(f"{form}, {objects} objects: load {i + 1} of {LOADS}")
        with daemon_on(directory) as daemon:
            pid = daemon.process.pid
            loads.append((daemon.load_seconds, cpu_seconds(pid), *memory(pid),
                          libyaml_seconds(directory)))
            if i + 1 < LOADS:
                continue
            progress(f"{form}, {objects} objects: changes")
            times = sorted(change(daemon, ONE_POD if form == "pods" else ONE_SLICE,
                                  directory / "probe.yaml", PROBE, CHANGES))
            rss, peak = memory(pid)
    wall, cpu, _, load_peak, yaml = (sorted(column)[len(column) // 2] for column in zip(*loads))
    return [f"  {form}, {objects} objects", f"{bytes_ / 1e6:.1f}", f"{yaml:.2f}", f"{wall:.2f}",
            f"{cpu:.2f}", f"{cpu / yaml:.1f}" if yaml > 0.05 else "-", f"{rss:.1f}",
            f"{max(peak, load_peak):.1f}", f"{percentile(times, 0.5) / 1000:.2f}",
            f"{percentile(times, 0.99) / 1000:.2f}"]


def row(title, samples, *more):
    median, p99, longest = samples.figures()
    return [f"  {title}", f"{len(samples.all) / samples.seconds:.0f}", f"{median:.0f}",
            f"{p99:.0f}", f"{longest / 1000:.1f}", samples.wrong, *more]


def lookups_at_rest(daemon, asker, title, threads):
    before = cpu_seconds(daemon.process.pid)
    samples = asker.run("svc-0.ns-0.svc.cluster.local", 1, threads,
                        (5000 if QUICK else 50000) // threads)
    spent = cpu_seconds(daemon.process.pid) - before
    return row(title, samples, f"the daemon's part: {spent * 1e6 / len(samples.all):.2f} us of CPU time each")


def idle_connections(daemon):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    result = []
    for _ in range(IDLE):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        wait_for(lambda: connection.connect_ex(str(daemon.socket)) == 0, "a connection")
        result.append(connection)
    return result


class Reports:
    """Asks for the status again and again, in a thread of its own."""

    def __init__(self, daemon):
        self.socket, self.milliseconds, self.loading, self.goes_on = daemon.socket, [], 0, True
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while self.goes_on:
            start = time.monotonic()
            try:
                self.loading += b'"loading":' in report(self.socket, "status")
            except OSError:
                continue
            self.milliseconds.append((time.monotonic() - start) * 1000)
            time.sleep(0.02)

    def end(self):
        self.goes_on = False
        self.thread.join()
        times = sorted(self.milliseconds) or [0]
        return (f"{self.loading} of {len(times)} reports said how far it is, median "
                f"{percentile(times, 0.5):.1f}, longest {times[-1]:.1f} ms")


def report(path, *words):
    """The bytes of a report; include/kubesvc/inspect.h says what they are."""
    payload = b"".join(word.encode() + b"\0" for word in words)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(30)
        connection.connect(str(path))
        connection.sendall(struct.pack("<IBBHII", 0x4356534B, 1, 0x80, 0, len(payload), 0) + payload)
        data = bytearray()
        while more := connection.recv(65536):
            data += more
        return bytes(data)


def while_worked(daemon, asker, title, begin, is_done):
    """Lookups and reports from `begin` until `is_done`."""
    asker.begin("svc-0.ns-0.svc.cluster.local", 1)
    reports = Reports(daemon)
    cpu, start = cpu_seconds(daemon.process.pid), time.monotonic()
    begin()
    while not is_done():
        time.sleep(0.02)
    seconds = time.monotonic() - start
    told = reports.end()
    return row(title, asker.end(),
               f"visible after {seconds:.1f} s ({cpu_seconds(daemon.process.pid) - cpu:.1f} s of CPU "
               f"time), peak {memory(daemon.process.pid)[1]:.0f} MB; {told}")


def while_replaced(daemon, asker, directory):
    """Every Pod of the store gets another address."""
    hidden = directory / ".pods.yaml.new"
    store.write_pods(hidden, 10000, 150000, store.BASE + 150000)
    last = store.address(store.BASE + 150000 + 149999)
    name = f"svc-9999.ns-{store.namespace_of(9999)}.svc.cluster.local"
    return while_worked(daemon, asker, "while a file of 150,000 Pods is replaced",
                        lambda: hidden.rename(directory / "pods.yaml"),
                        lambda: has(daemon, name, last))


LARGE = """\
apiVersion: v1
kind: Service
metadata: {name: large, namespace: ns-1}
spec: {clusterIP: None, ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv4
metadata: {name: large, namespace: ns-1, labels: {kubernetes.io/service-name: large}}
endpoints:
"""


def while_one_is_large(daemon, asker, directory):
    """A Service of 60,000 endpoints, each with a hostname, comes into being."""
    hidden = directory / ".large.yaml"
    hidden.write_text(LARGE + "".join(
        f"- {{addresses: [10.{100 + (i >> 16)}.{i >> 8 & 255}.{i & 255}], hostname: host-{i}}}\n"
        for i in range(60000)))
    return while_worked(daemon, asker, "while a Service of 60,000 endpoints is worked out",
                        lambda: hidden.rename(directory / "large.yaml"),
                        lambda: has(daemon, "host-59999.large.ns-1.svc.cluster.local",
                                    f"10.100.{59999 >> 8}.{59999 & 255}"))


def while_loaded(directory):
    """The daemon reads half of its store while the other half is served."""
    first = pathlib.Path("first").resolve()
    first.mkdir()
    small = make_store("pods", 10)
    for file in small.iterdir():
        shutil.copy(file, first)
    with daemon_on(first) as daemon:
        asker = Asker("kubesvc", environment(daemon.socket), tolerant=True)
        names = sorted(directory.glob("*.yaml"))
        result = while_worked(
            daemon, asker, "while 160,000 objects are loaded",
            lambda: [os.link(name, first / f"all-{name.name}") for name in names],
            lambda: has(daemon, f"svc-9999.ns-{store.namespace_of(9999)}.svc.cluster.local",
                        store.address(store.BASE + 149999)))
        asker.close()
    shutil.rmtree(first)
    return result


def at_a_rate(daemon, asker, directory):
    """1,000 changes a second in 100 files."""
    asker.begin("svc-0.ns-0.svc.cluster.local", 1)
    backlog, took = change(daemon, BURST, directory / "burst-%d.yaml",
                           "burst-%d.ns-1.svc.cluster.local", RATE_SECONDS * 1000, 1000)
    samples = asker.end()
    return row(f"during {RATE_SECONDS * 1000} changes in {took / 1e6:.1f} s", samples,
               f"the last one visible after {backlog / 1000:.1f} ms")


def measure_lookups():
    """Rows of lookups in the largest store, in several situations."""
    directory = make_store("pods", 160000)
    rows = []
    with daemon_on(directory) as daemon:
        asker = Asker("kubesvc", environment(daemon.socket))
        for threads in 1, 4:
            progress(f"160000 objects: lookups, {threads} at a time")
            rows.append(lookups_at_rest(daemon, asker, f"{threads} at a time", threads))
        connections = idle_connections(daemon)
        rows.append(lookups_at_rest(daemon, asker, f"4 at a time, {IDLE} idle connections", 4))
        for connection in connections:
            connection.close()
        asker.close()
    progress("160000 objects: all of them are loaded")
    rows.append(while_loaded(directory))
    with daemon_on(directory) as daemon:
        asker = Asker("kubesvc", environment(daemon.socket), tolerant=True)
        progress("160000 objects: a file is replaced")
        rows.append(while_replaced(daemon, asker, directory))
        progress("160000 objects: a large Service comes")
        rows.append(while_one_is_large(daemon, asker, directory))
        progress("160000 objects: 1,000 changes a second")
        rows.append(at_a_rate(daemon, asker, directory))
        asker.close()
    return rows


def run():
    """Two tables: head and rows."""
    stores = [measure_store(*kind) for kind in STORES]
    return [
        (["stores", "MB", "libyaml s", "load s", "CPU s", "/ libyaml", "RSS MB", "peak MB",
          "change ms", "p99 ms"], stores),
        (["lookups, 160000 objects", "per second", "median us", "p99 us", "longest ms", "failed", ""],
         measure_lookups()),
    ]
