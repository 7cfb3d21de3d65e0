# SPDX-License-Identifier: LGPL-2.1-or-later
"""kubesvc-proxy as its package installs it: its unit forwards, survives, and leaves nothing behind."""

import re

from harness import same, wait_for
from packages import DAEMON, PROXY, package
from proxying import Servers, connect, refused
from systems import HEADLESS, REGULAR, Chroot, Machine, on_a_system


def forwards():
    try:
        return connect(REGULAR[0], 80)[:2]
    except OSError:
        return None


@on_a_system("forwarding")
def test_the_package_forwards_and_goes():
    """Installed, used, killed, stopped, purged. The machine has the network namespace of the test."""
    system = Chroot("forwarding")
    with Machine(system) as machine, Servers() as servers:
        machine.install(package(DAEMON), package(PROXY))
        machine.add_examples()
        same(machine.run("systemctl", "is-active", PROXY).strip(), "active")
        same(machine.run("systemctl", "is-enabled", PROXY).strip(), "enabled")
        for address in HEADLESS:
            servers.add(address, 8080)
        wait_for(forwards, "the Service")
        same({forwards() for _ in range(100)}, {(address, 8080) for address in HEADLESS})

        pid = machine.show("MainPID", PROXY)
        status = machine.run("cat", f"/proc/{pid}/status")
        same(set(re.findall(r"Cap(?:Prm|Eff|Bnd|Amb):\s+(\w+)", status)), {"0000000000001000"})
        assert re.search(r"Seccomp:\s+2", status), status
        assert not re.search(r"Uid:\s+0\s", status), status

        machine.run("kill", "-KILL", pid)
        same(forwards()[1], 8080)
        wait_for(lambda: machine.show("MainPID", PROXY) not in ("0", pid), "the next process")
        wait_for(lambda: machine.show("StatusText", PROXY) == "Forwarding to 1 Service.", "its table")
        machine.run("systemctl", "restart", DAEMON)
        same(forwards()[1], 8080)
        # As nftables.service does when it is started.
        machine.run("nft", "flush", "ruleset")
        wait_for(forwards, "the table")
        same(machine.run("systemd-analyze", "verify", "--man=no", f"{PROXY}.service"), "")

        machine.run("systemctl", "stop", PROXY)
        same(refused(REGULAR[0], 80), True)
        same(machine.run("nft", "list", "ruleset"), "")
        machine.run("systemctl", "start", PROXY)
        wait_for(forwards, "the Service")
        machine.purge(PROXY)
        same(machine.run("nft", "list", "ruleset"), "")
