# SPDX-License-Identifier: LGPL-2.1-or-later
"""Addresses that the daemon gives out: what the same object keeps, and what it gets back."""

import contextlib
import os
import subprocess

from harness import Client, Daemon, need_program, same, skip, wait_for

NAME = "web.default.svc.cluster.local"
DEPLOYMENT = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: None, selector: {app: web}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: %d
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: a, image: a}]}}
"""


def pods(network, *hosts):
    return [f"{network}.{host}" for host in hosts]


def becomes(client, addresses):
    client.until("inet", NAME, lambda answer: sorted(answer.addresses) == addresses)


def configure(daemon, network):
    daemon.config.write_text(f"podCIDRs: [{network}.0/24]\n")


def test_a_range_that_comes_back_brings_its_leases():
    config = "podCIDRs: [10.1.0.0/24]\n"
    with Daemon({"web.yaml": DEPLOYMENT % 3}, config=config) as daemon:
        with Client(daemon.env) as client:
            becomes(client, pods("10.1.0", 1, 2, 3))
            daemon.write("web.yaml", DEPLOYMENT % 1)
            becomes(client, pods("10.1.0", 1))
            configure(daemon, "10.2.0")
            daemon.reload()
            becomes(client, pods("10.2.0", 1))
            # other pods come first in the new range
            daemon.write("first.yaml", DEPLOYMENT.replace("web", "first") % 2)
            client.until("inet", "first.default.svc.cluster.local", lambda a: not a.error)
            daemon.write("web.yaml", DEPLOYMENT % 2)
            becomes(client, pods("10.2.0", 1, 4))
            configure(daemon, "10.1.0")
            daemon.reload()
            becomes(client, pods("10.1.0", 1, 2))
        daemon.stop()
    configure(daemon, "10.2.0")
    with Daemon(daemon.directories[0], dir=daemon.dir) as again, Client(again.env) as client:
        same(sorted(client.ask("inet", NAME).addresses), pods("10.2.0", 1, 4))


def without_write_access(directory):
    """(a wrapper, what to do at the end)"""
    if os.geteuid() != 0:
        journal = directory / "leases"
        modes = [(path, path.stat().st_mode) for path in (directory, journal)]
        for path, mode in modes:
            path.chmod(mode & ~0o222)
        return [], lambda: [path.chmod(mode) for path, mode in modes]
    mount = (f"mount --bind {directory} {directory} && "
             f"mount -o remount,bind,ro {directory} {directory}")
    wrapper = [need_program("unshare"), "-m", "sh", "-c", f'{mount} && exec "$@"', "sh"]
    tried = subprocess.run([*wrapper, "true"], capture_output=True, text=True)
    if tried.returncode:
        skip(f"no mount namespace here: {tried.stderr.strip()}")
    return wrapper, lambda: None


def test_a_state_directory_that_cannot_be_written_is_read():
    with Daemon({"web.yaml": DEPLOYMENT % 3}) as daemon:
        daemon.write("web.yaml", DEPLOYMENT % 1)
        daemon.write("other.yaml", DEPLOYMENT.replace("web", "other") % 1)
        with Client(daemon.env) as client:
            becomes(client, pods("127.244.0", 1))
            client.until("inet", "other.default.svc.cluster.local", lambda a: not a.error)
        daemon.stop()
    daemon.write("web.yaml", DEPLOYMENT % 3)
    journal = (daemon.dir / "state" / "leases").read_bytes()
    with contextlib.ExitStack() as stack:
        wrapper, undo = without_write_access(daemon.dir / "state")
        stack.callback(undo)
        again = stack.enter_context(
            Daemon(daemon.directories[0], dir=daemon.dir, wrapper=wrapper))
        again.wait_line("state: not writable; using the leases found there")
        client = stack.enter_context(Client(again.env))
        becomes(client, pods("127.244.0", 1, 2, 3))
        other = client.ask("inet", "other.default.svc.cluster.local")
        same(other.addresses, ["127.244.0.4"])
        again.write("more.yaml", DEPLOYMENT.replace("web", "more") % 1)
        client.until("inet", "more.default.svc.cluster.local", lambda a: not a.error)
    same((daemon.dir / "state" / "leases").read_bytes(), journal)


def test_a_journal_that_cannot_be_used_is_kept():
    other = "kubesvc leases 2\nin another form\n"
    with Daemon({"web.yaml": DEPLOYMENT % 1}) as daemon:
        daemon.stop()
    state = daemon.dir / "state"
    (state / "leases").write_text(other)
    with Daemon(daemon.directories[0], dir=daemon.dir) as again:
        again.wait_line("leases: unknown format version 2; kept as leases.version-2")
        again.stop()
    same((state / "leases.version-2").read_text(), other)

    lines = (state / "leases").read_text().splitlines(keepends=True)
    damaged = "".join([lines[0], "+ pod 127.244.0.9 default/Pod/x 12345678\n", *lines[1:]])
    (state / "leases").write_text(damaged)
    with Daemon(daemon.directories[0], dir=daemon.dir) as again, Client(again.env) as client:
        becomes(client, pods("127.244.0", 1))
        wait_for(lambda: "127.244.0.9" not in (state / "leases").read_text(), "compaction")
    same((state / "leases.damaged").read_text().startswith(damaged), True)
