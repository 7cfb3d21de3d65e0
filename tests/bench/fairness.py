# SPDX-License-Identifier: LGPL-2.1-or-later
"""What one user can take away from another: lookups and changes while an attacker does its worst.

Attackers and the user who looks up names run as users of their own and in sessions of their own, on
the same processors as the daemon. Every row is one kind of attack by one user, compared with the same at
rest; see attack.c. Lookups are the first of a process each, which go over the socket; from its second
one on a process reads the snapshot by itself, and no attack reaches it.
"""

import os
import pathlib
import subprocess
import time

from scale import ONE_POD, change
from tools import QUICK, Asker, Daemon, available, environment, progress, tool

SECONDS = 2 if QUICK else 6
CHANGES = 10 if QUICK else 40
ATTACKER, OTHER = 65531, 65532

SERVICES = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: ns-1}
spec: {clusterIP: 10.96.0.1, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: svc-1, namespace: ns-1}
spec: {clusterIP: None, selector: {app: app-1}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: wide, namespace: ns-1}
spec: {clusterIP: None, selector: {app: wide}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: wide, namespace: ns-1}
spec:
  serviceName: wide
  replicas: 50000
  selector: {matchLabels: {app: wide}}
  template: {metadata: {labels: {app: wide}}, spec: {containers: [{name: c, image: i}]}}
"""
WEB = "web.ns-1.svc.cluster.local"
WIDE = "wide.ns-1.svc.cluster.local"
PROBE = "probe.svc-1.ns-1.svc.cluster.local"

# Title, mode, processes, connections of each, name.
ATTACKS = [
    ("at rest", None, 0, 0, ""),
    ("4 busy processes that ask nothing", "spin", 4, 1, WEB),
    ("200 connections that pipeline requests", "keep", 1, 200, WEB),
    ("1,000 of them", "keep", 2, 500, WEB),
    ("500 that ask for 50,000 addresses", "large", 2, 250, WIDE),
    ("1,000 that send a byte a millisecond", "drip", 2, 500, WEB),
    ("200 that ask for reports and read nothing", "report", 2, 100, "status"),
    ("connections with a request, without end", "ask", 4, 1, WEB),
    ("connections without a request", "connect", 4, 1, WEB),
    ("1,000 processes that wait to connect", "queue", 1000, 1, WEB),
]


def as_user(uid):
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]


class Attack:
    """The processes of one user, in one session."""

    def __init__(self, daemon, mode, processes, connections, name):
        self.process = subprocess.Popen(
            [*as_user(ATTACKER), tool("attack"), str(daemon.socket), mode, str(processes),
             str(connections), name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)

    def end(self):
        """How often they could connect."""
        self.process.stdin.close()
        made = sum(int(line.split()[0]) for line in self.process.stdout)
        self.process.wait()
        return made


def measure(daemon, asker, title, mode, *how):
    progress(title)
    attack = Attack(daemon, mode, *how) if mode else None
    asker.begin(f"?{WEB}", 1, pause=1000)
    time.sleep(SECONDS)
    times = sorted(change(daemon, ONE_POD, daemon.directories[0] / "probe.yaml", PROBE, CHANGES))
    samples = asker.end()
    made = attack.end() if attack else 0
    median, p99, longest = samples.figures()
    return [f"  {title}", len(samples.all), samples.wrong, f"{median / 1000:.2f}",
            f"{p99 / 1000:.2f}", f"{longest / 1000:.1f}", f"{times[len(times) // 2] / 1000:.1f}",
            f"{times[-1] / 1000:.1f}", f"{made}" if made else "-"]


def run():
    """A table, or the reason why there is none."""
    if os.geteuid() != 0 or not available("setpriv"):
        return [], ["fairness: needs root and setpriv, for users of their own"]
    with Daemon({"services.yaml": SERVICES}, config="podCIDRs: [10.128.0.0/9]\n") as daemon:
        for directory in pathlib.Path(), daemon.dir:
            directory.chmod(0o755)
        asker = Asker("kubesvc", environment(daemon.socket), wrapper=as_user(OTHER), tolerant=True)
        rows = [measure(daemon, asker, *attack) for attack in ATTACKS]
        asker.close()
    head = ["first lookups of another user", "number", "failed", "median ms", "p99 ms", "longest ms",
            "change ms", "longest", "connections"]
    return [(head, rows)], []
