# SPDX-License-Identifier: LGPL-2.1-or-later
"""What it costs to reach a pod by its Service's cluster IP, how much of that is the kernel's translation
with whatever rules, and what many Services cost the proxy."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import time

import proxying
from harness import Daemon, wait_for
from tools import QUICK, progress, tool
from test_proxy import change, ip_of, pods, workload

ROUNDS, CONNECTIONS = (2, 1000) if QUICK else (20, 1000)
SERVICES, ENDPOINTS = 1000, 10


class Scene:
    """A server at a pod's address, and addresses to connect from."""

    def __init__(self, pod, source, wrapper=()):
        self.pod, self.source = pod, source
        self.server = subprocess.Popen([*wrapper, tool("connect"), pod, "8080"])

    def pairs(self, address, port):
        """Nanoseconds of connect() to the pod itself, and to the address that leads to it."""
        done = subprocess.run([tool("connect"), self.pod, "8080", address, str(port),
                               str(CONNECTIONS), self.source],
                              stdout=subprocess.PIPE, text=True, check=True)
        return [tuple(map(int, line.split())) for line in done.stdout.splitlines()]

    def reachable(self):
        """Does it serve yet? The first packets also find out who has which address."""
        with contextlib.suppress(OSError):
            socket.create_connection((self.pod, 8080), 1).close()
            return True
        return False

    def __enter__(self):
        wait_for(self.reachable, "the server")
        return self

    def __exit__(self, *_):
        self.server.kill()
        self.server.wait()


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


def figures(nanoseconds):
    """Microseconds: median and 99th percentile."""
    ordered = sorted(nanoseconds)
    return ordered[len(ordered) // 2] / 1000, ordered[len(ordered) * 99 // 100] / 1000


def row(text, microseconds, base=None):
    median, late = microseconds
    return [text, f"{median:.1f}", f"{late:.1f}", f"{median / base:.3f}" if base else ""]


def compared(pairs, of_endpoint, of_ip):
    """Rows, and the median of the latter."""
    direct, forwarded = (figures(part) for part in zip(*pairs))
    return [row(of_endpoint, direct), row(of_ip, forwarded, direct[0])], forwarded[0]


def latency(scene, daemon, ip, kind):
    """By turns with the proxy and with one rule, for the same state of the machine."""
    before = figures(a for a, _ in scene.pairs(scene.pod, 8080))
    by_proxy, by_rule = [], []
    for _ in range(ROUNDS):
        with proxying.Proxy(daemon.socket, ready=True):
            by_proxy += scene.pairs(ip, 80)
        if os.path.exists(proxying.NFT):
            with one_rule(ip, scene.pod):
                by_rule += scene.pairs(ip, 80)
    result, ours = compared(by_proxy, "endpoint, proxy running", "cluster IP")
    result.insert(0, row(f"endpoint, no proxy, {kind}", before))
    if by_rule:
        rows, least = compared(by_rule, "endpoint, one rule of nft instead", "cluster IP, by that rule")
        result += [*rows, ["cluster IP, proxy / rule", "", "", f"{ours / least:.3f}"]]
    return result


BEHIND_A_BRIDGE = """
apiVersion: v1
kind: Service
metadata: {name: pod}
spec: {clusterIP: 10.96.0.7, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: pod-a, labels: {kubernetes.io/service-name: pod}}
addressType: IPv4
ports: [{port: 8080}]
endpoints: [{addresses: [10.88.0.5]}]
"""


def command(*words):
    subprocess.run(words, check=True)


@contextlib.contextmanager
def bridged():
    """A pod as container runtimes make it: in a network namespace of its own, by a veth to a bridge."""
    scene = Scene("10.88.0.5", "10.112.0.0", ("unshare", "--net"))
    pid = scene.server.pid
    wait_for(lambda: os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net"), "its network")
    for line in ("link add br0 type bridge", f"link add v0 type veth peer name eth0 netns {pid}",
                 "link set v0 master br0 up", "addr add 10.88.0.1/16 dev br0", "link set br0 up",
                 "route add local 10.112.0.0/12 dev lo", "route add local 10.96.0.0/16 dev lo"):
        command("ip", *line.split())
    for line in ("addr add 10.88.0.5/16 dev eth0", "link set eth0 up", "route add default via 10.88.0.1"):
        command("nsenter", "-t", str(pid), "-n", "ip", *line.split())
    with scene:
        yield scene
    command("ip", "link", "del", "br0")


def behind_a_bridge():
    progress("a pod behind a bridge")
    with bridged() as scene, Daemon({"pod.yaml": BEHIND_A_BRIDGE},
                                    config="proxy: {services: all}\n") as daemon:
        return latency(scene, daemon, ip_of(daemon, "pod"), "pod behind a bridge")


def loading(daemon):
    with proxying.Proxy(daemon.socket) as proxy:
        start = time.monotonic()
        proxy.wait_status(f"Forwarding to {SERVICES} Services")
        return (time.monotonic() - start) * 1000


def on_loopback(daemon, kind):
    with Scene(pods(daemon, "s0")[0], "127.1.0.0") as scene:
        return latency(scene, daemon, ip_of(daemon, "s0"), kind)


def rows():
    """Of the table: microseconds of connect(), or milliseconds; and what was not measured."""
    progress("connections to a cluster IP")
    missing = []
    with Daemon({"s0.yaml": workload("s0", 1)}) as daemon:
        result = on_loopback(daemon, "1 Service")
    if all(map(shutil.which, ("ip", "nsenter", "unshare"))):
        result += behind_a_bridge()
    else:
        missing.append("connections to a pod behind a bridge, which need ip, nsenter and unshare")
    progress(f"{SERVICES} Services with {ENDPOINTS} endpoints")
    manifests = {f"s{n}.yaml": workload(f"s{n}", ENDPOINTS if n else 1) for n in range(SERVICES)}
    with Daemon(manifests) as daemon:
        result += on_loopback(daemon, f"{SERVICES} Services")
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
    return result, missing
