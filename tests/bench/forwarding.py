# SPDX-License-Identifier: LGPL-2.1-or-later
"""What it costs to reach a pod by its Service's cluster IP, and what many Services cost the proxy."""

import contextlib
import os
import pathlib
import subprocess
import time

import proxying
from harness import Daemon
from tools import QUICK, progress, tool
from test_proxy import change, ip_of, pods, workload

CONNECTIONS = 2000 if QUICK else 20000
SERVICES, ENDPOINTS = 1000, 10


def microseconds(nanoseconds):
    ordered = sorted(nanoseconds)
    return ordered[len(ordered) // 2] / 1000, ordered[len(ordered) * 99 // 100] / 1000


def measured(pod, address, port):
    """Microseconds of connect(), median and 99th percentile: of the endpoint itself, and of the address
    that leads to it."""
    done = subprocess.run([tool("connect"), pod, "8080", address, str(port), str(CONNECTIONS)],
                          stdout=subprocess.PIPE, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    return microseconds([a for a, _ in pairs]), microseconds([b for _, b in pairs])


def row(text, figures, base=None):
    median, late = figures
    return [text, f"{median:.1f}", f"{late:.1f}", f"{median / base:.3f}" if base else ""]


ONE_RULE = """
table inet one {
    chain postrouting { type nat hook postrouting priority srcnat; }
    chain output { type nat hook output priority -100; ip daddr IP tcp dport 80 dnat ip to POD:8080; }
}
"""


@contextlib.contextmanager
def one_rule(ip, pod):
    """The least that makes the kernel translate, to tell its time from that of the proxy's rules."""
    pathlib.Path("one.nft").write_text(ONE_RULE.replace("IP", ip).replace("POD", pod))
    proxying.rules("-f", "one.nft")
    yield
    proxying.rules("delete", "table", "inet", "one")


def latency(daemon, name, kind):
    pod, ip = pods(daemon, name)[0], ip_of(daemon, name)
    before, _ = measured(pod, pod, 8080)
    with proxying.Proxy(daemon.socket, ready=True):
        direct, forwarded = measured(pod, ip, 80)
    result = [row(f"endpoint, no proxy, {kind}", before),
              row("endpoint, proxy running", direct),
              row("cluster IP", forwarded, direct[0])]
    if os.path.exists(proxying.NFT):
        with one_rule(ip, pod):
            direct, forwarded = measured(pod, ip, 80)
        result += [row("endpoint, one rule of nft instead", direct),
                   row("cluster IP, by that rule", forwarded, direct[0])]
    return result


def loading(daemon):
    with proxying.Proxy(daemon.socket) as proxy:
        start = time.monotonic()
        proxy.wait_status(f"Forwarding to {SERVICES} Services")
        return (time.monotonic() - start) * 1000


def rows():
    """Of the table: microseconds of connect(), or milliseconds."""
    progress("connections to a cluster IP")
    with Daemon({"s0.yaml": workload("s0", 1)}) as daemon:
        result = latency(daemon, "s0", "1 Service")
    progress(f"{SERVICES} Services with {ENDPOINTS} endpoints")
    manifests = {f"s{n}.yaml": workload(f"s{n}", ENDPOINTS if n else 1) for n in range(SERVICES)}
    with Daemon(manifests) as daemon:
        result += latency(daemon, "s0", f"{SERVICES} Services")
        loads = sorted(loading(daemon) for _ in range(5))
        with proxying.Proxy(daemon.socket) as proxy, proxying.Servers() as servers:
            proxy.wait_status(f"Forwarding to {SERVICES} Services")
            changes = []
            for n in range(1, 10):
                for pod in pods(daemon, f"s{n}"):
                    servers.add(pod, 8080)
                changes.append(change(daemon, f"s{n}", ip_of(daemon, f"s{n}"), 0) * 1000)
    changes.sort()
    result.append([f"milliseconds: start to loaded, {SERVICES} Services", f"{loads[2]:.0f}", f"{loads[-1]:.0f}"])
    result.append(["milliseconds: a change, after others are told", f"{changes[4]:.1f}", f"{changes[-1]:.1f}"])
    return result
