# SPDX-License-Identifier: LGPL-2.1-or-later
"""kubesvc-dns as its package installs it, and systemd-resolved that asks it for the zone."""

import contextlib
import pathlib
import re
import socket
import subprocess

from dns_client import Dns
from harness import need_program, same, wait_for
from packages import DAEMON, DNS, package
from systems import EXAMPLES, HEADLESS, REGULAR, Chroot, Machine, on_a_system
from test_podman import IMAGE, Podman

ZONE = "default.svc.cluster.local"
SERVER = Dns(53, "127.0.0.63")
FOREIGN, ADDRESS = "www.example.com", "192.0.2.80"


@contextlib.contextmanager
def nameserver():
    """At 127.0.0.1, where it writes down what it is asked."""
    with open("asked", "w", encoding="utf-8") as log, subprocess.Popen(
            [need_program("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--no-resolv",
             "--no-hosts", "--local=/#/", "--user=", "--group=", f"--address=/{FOREIGN}/{ADDRESS}", "--log-queries",
             "--log-facility=-", "--listen-address=127.0.0.1", "--bind-interfaces"],
            stdin=subprocess.DEVNULL, stderr=log) as process:
        try:
            yield lambda: re.findall(r"query\[\w+\] (\S+)", pathlib.Path("asked").read_text(encoding="utf-8"))
        finally:
            process.terminate()


def addresses(name, kind="A"):
    return sorted(SERVER.ask(name, kind).data(kind))


@on_a_system("resolved")
def test_the_package_answers_and_goes():
    """Installed, used, killed, stopped, purged."""
    system = Chroot("resolved")
    with Machine(system) as machine:
        machine.install(package(DAEMON), package(DNS))
        machine.add_examples()
        for unit in "kubesvc-dns.socket", "kubesvc-dns.service":
            same(machine.run("systemctl", "is-active", unit).strip(), "active", unit)
            same(machine.run("systemctl", "is-enabled", unit).strip(), "enabled", unit)
        wait_for(lambda: addresses(f"headless-svc.{ZONE}") == HEADLESS, "the names")
        wait_for(lambda: addresses(f"regular-svc.{ZONE}") == REGULAR, "the other name")
        same(SERVER.ask(f"regular-svc.{ZONE}", tcp=True).data("A"), REGULAR)

        pid = machine.show("MainPID", DNS)
        status = machine.run("cat", f"/proc/{pid}/status")
        assert not re.search(r"Cap\w+:\s+0*[1-9a-f]", status), status
        assert re.search(r"Seccomp:\s+2", status), status
        assert not re.search(r"Uid:\s+0\s", status), status

        same(machine.journal("-p", "warning", "-u", DNS), "", "in the log")
        # The socket stays: clients wait meanwhile, and none is refused.
        machine.run("kill", "-KILL", pid)
        same(addresses(f"regular-svc.{ZONE}"), REGULAR)
        assert machine.show("MainPID", DNS) != pid
        # Without the daemon, which may come back, as well; not when it was stopped on purpose.
        machine.run("systemctl", "kill", "--signal=KILL", DAEMON)
        same(addresses(f"regular-svc.{ZONE}"), REGULAR)
        wait_for(lambda: (machine.show("NRestarts"), machine.show("SubState")) == ("1", "running"), "the next daemon")
        machine.run("systemctl", "stop", DAEMON)
        wait_for(lambda: SERVER.ask(f"regular-svc.{ZONE}").rcode == "SERVFAIL", "its end")
        machine.run("systemctl", "start", DAEMON)
        wait_for(lambda: addresses(f"regular-svc.{ZONE}") == REGULAR, "the names again")

        machine.purge(DNS)
        same(machine.try_run("systemctl", "is-active", "kubesvc-dns.socket")[0] != 0, True)
        same(machine.try_run("ls", "/usr/sbin/kubesvc-dns")[0] != 0, True)


def link(machine):
    """The example's dummy link, or one that takes its place where the kernel has none."""
    for name in "kubesvc0.netdev", "kubesvc0.network":
        machine.write(f"/etc/systemd/network/{name}", (EXAMPLES / "dns" / name).read_text())
    dummy = subprocess.run(["ip", "link", "add", "try0", "type", "dummy"], stderr=subprocess.DEVNULL)
    if dummy.returncode:
        machine.file("/etc/systemd/network/kubesvc0.netdev").unlink()
        subprocess.run(["ip", "link", "add", "kubesvc0", "type", "veth", "peer", "name", "try0"], check=True)
        subprocess.run(["ip", "link", "set", "try0", "up"], check=True)


def asked_of_resolved(machine, name, *options):
    status, output = machine.try_run("resolvectl", "query", "--legend=no", "--cache=no", *options, name)
    return sorted(re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", output)) if status == 0 else output


def resolved_asks_for_the_zone_alone(kind):
    """And it asks resolved for all the rest, as the example of forwarding says."""
    system = Chroot(kind)
    system.install(package(DAEMON), package(DNS))
    system.add_examples()
    system.write("/etc/kubesvc/kubesvcd.yaml.d/forwarding.yaml", (EXAMPLES / "dns/forwarding.yaml").read_text())
    system.write("/etc/systemd/resolved.conf.d/test.conf", "[Resolve]\nDNS=127.0.0.1\nLLMNR=no\nDNSSEC=no\n")
    with nameserver() as asked, Machine(system) as machine:
        link(machine)
        machine.run("systemctl", "restart", "systemd-networkd", "systemd-resolved")
        stub = Dns(53, "127.0.0.53")
        wait_for(lambda: asked_of_resolved(machine, f"headless-svc.{ZONE}") == HEADLESS, "the zone's link")
        same(asked_of_resolved(machine, f"regular-svc.{ZONE}"), REGULAR)
        assert "not found" in asked_of_resolved(machine, f"absent.{ZONE}")
        same(sorted(stub.ask(f"headless-svc.{ZONE}").data("A")), HEADLESS)
        same(stub.ask(f"absent.{ZONE}").rcode, "NXDOMAIN")
        same(stub.ask(FOREIGN).data("A"), [ADDRESS])
        same(SERVER.ask(FOREIGN).data("A"), [ADDRESS])
        same(SERVER.ask("absent.example").rcode, "NXDOMAIN")
        assert "SRV" in machine.run("resolvectl", "query", "--legend=no", "-t", "SRV", f"regular-svc.{ZONE}")
        # Each way has seen its own names and no other.
        assert FOREIGN in asked() and not [name for name in asked() if name.endswith("cluster.local")], asked()
        checks = machine.try_run("kubesvc", "doctor")[1]
        assert re.search(r"resolv.conf.*leads to the names of cluster.local", checks), checks


@on_a_system("resolved")
def test_resolved_asks_it_for_the_zone_and_for_nothing_else():
    resolved_asks_for_the_zone_alone("resolved")


@on_a_system("resolved/trixie")
def test_resolved_of_the_next_release():
    resolved_asks_for_the_zone_alone("resolved/trixie")


@contextlib.contextmanager
def answering(system, *options):
    """kubesvc-dns in a system that is not booted, ready."""
    notify = system.file("/run/notify-dns")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(notify))
        receiver.settimeout(20)
        command = system.command("/usr/sbin/kubesvc-dns", *options, env={"NOTIFY_SOCKET": "/run/notify-dns"})
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
            try:
                while b"READY=1" not in receiver.recv(4096).split(b"\n"):
                    pass
                yield
            finally:
                process.terminate()


@on_a_system("podman")
def test_a_container_of_podman():
    """Its only nameserver is ours, on the bridge, and asks the host's for other names."""
    podman = Podman("podman")
    podman.system.install(package(DNS))
    podman.system.add_examples()
    bridge = podman.inspect("network", "inspect", "podman")[0]["subnets"][0]["gateway"]
    holder = podman.run("run", "-d", IMAGE, "sleep", "1000").split()[-1]  # a bridge is there as long as a container is
    try:
        with nameserver(), podman.system.daemon(), \
                answering(podman.system, "--listen", bridge, "--forward", "127.0.0.1"):
            for name, addresses in ("headless-svc", HEADLESS), ("regular-svc", REGULAR), (FOREIGN, [ADDRESS]):
                output = podman.run("run", "--rm", "--dns", bridge, "--dns-search", ZONE, "--dns-option", "ndots:5", IMAGE,
                                    "busybox", "nslookup", "-type=a", name)
                same(sorted(re.findall(r"Address: (\S+)", output.split("\n\n", 1)[1])), addresses, output)
    finally:
        podman.try_run("rm", "-f", "-t", "0", holder)
