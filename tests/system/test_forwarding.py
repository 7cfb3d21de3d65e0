# SPDX-License-Identifier: LGPL-2.1-or-later
"""kubesvc-proxy as its package installs it: its unit forwards, survives, and leaves nothing behind."""

import contextlib
import re
import select
import socket
import threading

from harness import PATIENCE, same, wait_for
from packages import DAEMON, PROXY, newer, package
from proxying import Servers, connect, refused
from systems import HEADLESS, REGULAR, Chroot, Machine, on_a_system


def forwards():
    try:
        return connect(REGULAR[0], 80)[:2]
    except OSError:
        return None


@contextlib.contextmanager
def established():
    """A connection through the Service; what it is called with crosses it both ways. While no other
    servers are there."""
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(socket.socket())
        with contextlib.ExitStack() as listening:
            listeners = [listening.enter_context(socket.create_server((address, 8080))) for address in HEADLESS]
            client.settimeout(PATIENCE)
            client.connect((REGULAR[0], 80))
            (listener,), _, _ = select.select(listeners, [], [], PATIENCE)
            server = stack.enter_context(listener.accept()[0])
        server.settimeout(PATIENCE)

        def talk(data):
            for sender, receiver in (client, server), (server, client):
                sender.sendall(data)
                same(receiver.recv(64), data)

        yield talk


class Busy:
    """A thread that uses an established connection and makes new ones, without a pause, until one fails."""

    def __init__(self, talk):
        self.done, self.failed, self.over, self.talk = 0, None, False, talk
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self.over and not self.failed:
            try:
                self.talk(b"still there")
                connect(REGULAR[0], 80)
            except (OSError, AssertionError) as error:
                self.failed = repr(error)
            self.done += 1

    def more(self):
        goal = self.done + 30
        wait_for(lambda: self.done >= goal or self.failed, "30 rounds")
        same(self.failed, None)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join(PATIENCE)


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

        for address in HEADLESS:
            servers.close(address, 8080)
        with established() as talk:
            for address in HEADLESS:
                servers.add(address, 8080)
            with Busy(talk) as busy:
                for command in (
                    ["systemctl", "restart", PROXY],
                    ["systemctl", "kill", "--signal=KILL", PROXY],
                    ["dpkg", "-i", *machine.bring(newer(PROXY))],
                ):
                    pid = machine.show("MainPID", PROXY)
                    machine.run(*command)
                    busy.more()
                    wait_for(
                        lambda: machine.show("MainPID", PROXY) not in ("0", pid), "the next process"
                    )
                    wait_for(
                        lambda: machine.show("StatusText", PROXY) == "Forwarding to 1 Service.",
                        "its table",
                    )
                    busy.more()
        same(machine.run("dpkg-query", "-W", "-f", "${Version}", PROXY).endswith("+newer"), True)

        machine.run("systemctl", "stop", PROXY)
        same(refused(REGULAR[0], 80), True)
        same(machine.run("nft", "list", "ruleset"), "")
        machine.run("systemctl", "start", PROXY)
        wait_for(forwards, "the Service")
        machine.purge(PROXY)
        same(machine.run("nft", "list", "ruleset"), "")
        same(machine.sh("find /etc /var/lib /run -name '*kubesvc-proxy*'"), "")
