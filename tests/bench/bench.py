#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`make bench`: lookups, what a store of manifests costs, and for how long, in one table each.

    make bench                 all of it, some minutes
    make bench BENCH=lookup    lookups through glibc (lookups.py)
    make bench BENCH=scale     load, memory, changes, throughput (scale.py)
    make bench BENCH=fairness  what one user can take away from another (fairness.py)
    make bench BENCH=cluster   what following a cluster's API costs (cluster.py)
    make bench BENCH=runtimes  what it costs to know where pods run (runtimes.py)
    make bench BENCH=dns       DNS queries, compared with other nameservers (nameservers.py)
    make bench BENCH=proxy     connections to cluster IPs (forwarding.py)
    make bench BENCH_QUICK=1   fewer repetitions

Runs in a network and mount namespace of its own, where files of /etc can be other ones and a
nameserver can have port 53; as an ordinary user in a user namespace. Where that is not allowed, less
is measured, and it says what and why.
"""

import fcntl
import os
import platform
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

import cluster
import fairness
import forwarding
import lookups
import nameservers
import runtimes
import scale
from tools import table

PARTS = "lookup", "scale", "fairness", "cluster", "runtimes", "dns", "proxy"
ISOLATED = "KUBESVC_BENCH_ISOLATED"


def isolate():
    """Runs itself again in namespaces, if it may; returns whether it is there."""
    if ISOLATED in os.environ:
        return os.environ[ISOLATED] == "1"
    command = ["unshare", "-mn"] if os.geteuid() == 0 else ["unshare", "-rmn"]
    allowed = shutil.which("unshare") and subprocess.run(
        [*command, "true"], stderr=subprocess.DEVNULL).returncode == 0
    os.environ[ISOLATED] = "1" if allowed else "0"
    if allowed:
        os.execvp(command[0], [*command, sys.executable, "-B", *sys.argv])
    return False


def raise_loopback():
    """Sets IFF_UP: a new network namespace's loopback is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1))


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                if line.startswith("model name")), platform.machine())
    libc = " ".join(platform.libc_ver())
    return (f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} x {cpu}, Linux {platform.release()}, "
            f"{libc}, load average {os.getloadavg()[0]:.1f}")


def main():
    wanted = sys.argv[1:] or list(PARTS)
    if set(wanted) - set(PARTS):
        sys.exit(__doc__)
    isolated = isolate()
    if isolated:
        raise_loopback()
    print(machine())
    reasons = []
    # To watch a directory the kernel visits every name that it has cached there; /tmp has many.
    with tempfile.TemporaryDirectory(prefix="ks-", dir="/var/tmp") as directory:
        os.chdir(directory)
        if "lookup" in wanted:
            rows, reasons = lookups.run(isolated)
            table(["lookups", "median us", "p99 us", "/ null", "per second"], rows)
        for head, rows in scale.run() if "scale" in wanted else ():
            print()
            table(head, rows)
        if "fairness" in wanted:
            tables, missing = fairness.run()
            reasons += missing
            for head, rows in tables:
                print()
                table(head, rows)
        if "cluster" in wanted:
            print()
            table(["following a cluster", ""], cluster.rows())
        if "runtimes" in wanted:
            print()
            table(["pods that run on this machine", ""], runtimes.rows())
        if "dns" in wanted:
            head, rows, missing = nameservers.run()
            reasons += missing
            print()
            table(head, rows)
        if "proxy" in wanted and isolated:
            rows, missing = forwarding.rows()
            reasons += missing
            print()
            table(["connections to cluster IPs", "median us", "p99 us", "/ endpoint"], rows)
        elif "proxy" in wanted:
            reasons.append("connections to cluster IPs, without a network namespace of its own")
        os.chdir("/")
    for reason in reasons:
        print(f"not measured: {reason}")


if __name__ == "__main__":
    main()
