"""How long the event loop is busy at most while something large is worked out.

loop.c counts the turns of the daemon's event loop in CPU time: in the longest one nobody is answered.
A Service beside the large things, with another cluster IP in each version of the file, says when all
of it is visible; a batch is published as a whole.
"""

import contextlib
import pathlib
import shutil
import struct
import time

from tools import QUICK, Daemon, has, progress, tool, wait_for

ROUNDS = 1 if QUICK else 3
LONG = 5  # milliseconds

PROBE = """\
apiVersion: v1
kind: Service
metadata: {name: probe, namespace: bench}
spec: {clusterIP: 192.0.2.#}
"""
SERVICE = """\
---
apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: bench}
spec: {clusterIP: None, selector: {app: NAME}, ports: [{name: http, port: 80}]}
"""
WORKLOAD = """\
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: large, namespace: bench}
spec:
  serviceName: large
  replicas: #
  selector: {matchLabels: {app: large}}
  template: {metadata: {labels: {app: large}}, spec: {containers: [{name: c, image: i}]}}
"""
SLICE = """\
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv4
metadata: {name: large, namespace: bench, labels: {kubernetes.io/service-name: large}}
endpoints:
"""
POD = """\
---
apiVersion: v1
kind: Pod
metadata: {name: p-%d, namespace: bench, labels: {app: app-%d, pod: p-%d}}
spec: {containers: [{name: c, image: i}]}
status: {phase: Running, podIP: %s, conditions: [{type: Ready, status: "True"}]}
"""
CONFIGS = ["podCIDRs: [10.128.0.0/9]\n", "podCIDRs: [10.128.0.0/9]\nendpointPodNames: true\n"]


class Steps:
    """What loop.c counts."""

    def __init__(self):
        self.path = pathlib.Path("steps").resolve()
        self.reset()
        self.wrapper = ["env", f"LD_PRELOAD={tool('libloop.so')}", f"LOOP_FILE={self.path}"]

    def reset(self):
        if self.path.exists():
            with open(self.path, "r+b", buffering=0) as file:
                file.write(bytes(24))
        else:
            self.path.write_bytes(bytes(24))

    def longest(self):
        """Milliseconds."""
        return struct.unpack("=3Q", self.path.read_bytes())[1] / 1000


def address(version, i):
    return f"10.{version % 2 * 100 + (i >> 16)}.{i >> 8 & 255}.{i & 255}"


def workload(version):
    return SERVICE.replace("NAME", "large") + WORKLOAD.replace("#", str(60000 - version % 2))


def one_slice(version):
    return SERVICE.replace("NAME", "large").replace(" selector: {app: large},", "") + SLICE + "".join(
        f"- {{addresses: [{address(version, i)}], hostname: host-{i}}}\n" for i in range(60000))


def namespace(version):
    """All in one namespace, and no two Pods with the same labels."""
    return "".join(SERVICE.replace("NAME", f"app-{i}") for i in range(10000)) + "".join(
        POD % (i, i % 10000, i, address(version, i)) for i in range(150000))


CASES = [
    ("60,000 replicas of a StatefulSet and their Service", workload),
    ("an EndpointSlice of 60,000 hostnames", one_slice),
    ("a namespace of 10,000 Services and 150,000 Pods", namespace),
]


def write(directory, make, version):
    hidden = directory / ".large.yaml"
    hidden.write_text(PROBE.replace("#", str(version)) + make(version))
    hidden.rename(directory / "large.yaml")


def is_visible(daemon, version):
    return has(daemon, "probe.bench.svc.cluster.local", f"192.0.2.{version}")


def measure(make):
    """The longest step in each of four situations."""
    directory = pathlib.Path("large").resolve()
    directory.mkdir()
    steps = Steps()
    longest = []

    @contextlib.contextmanager
    def situation():
        steps.reset()
        yield
        time.sleep(1)  # what is put in order afterwards counts as well
        longest.append(steps.longest())

    write(directory, make, 1)
    daemon = Daemon(directory, config=CONFIGS[0], ready=False, wrapper=steps.wrapper)
    try:
        with situation():
            daemon.wait_state("READY=1", 120)
        with situation():
            write(directory, make, 2)
            wait_for(lambda: is_visible(daemon, 2), "the other version", 120)
        with situation():
            daemon.config.write_text(CONFIGS[1])
            daemon.reload()
        with situation():
            (directory / "large.yaml").unlink()
            wait_for(lambda: not is_visible(daemon, 2), "none", 120)
    finally:
        daemon.stop()
        shutil.rmtree(daemon.dir)
        shutil.rmtree(directory)
    return longest


def run():
    """One table: head and rows."""
    rows = []
    for title, make in CASES:
        rounds = []
        for i in range(ROUNDS):
            progress(f"{title}: {i + 1} of {ROUNDS}")
            rounds.append(measure(make))
        worst = [max(column) for column in zip(*rounds)]
        above = sum(value > LONG for values in rounds for value in values)
        rows.append([f"  {title}", *(f"{value:.1f}" for value in worst), above])
    return [(["longest step, ms of CPU time", "load", "replace", "reload", "remove",
              f"situations above {LONG} ms"], rows)]
