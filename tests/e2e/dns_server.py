# SPDX-License-Identifier: LGPL-2.1-or-later
"""kubesvc-dns on a free port of loopback, with a daemon of the harness."""

import ipaddress
import pathlib
import re
import socket
import tempfile

from dns_client import Dns
from harness import PATIENCE, Supervised, built, wait_for


def free_port(address="127.0.0.1"):
    """A port that is free for UDP and TCP now."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    while True:
        with socket.socket(family, socket.SOCK_DGRAM) as udp, socket.socket(family) as tcp:
            udp.bind((address, 0))
            try:
                tcp.bind((address, udp.getsockname()[1]))
                return udp.getsockname()[1]
            except OSError:
                continue


# Passes on sockets as a service manager does; those of TCP hold back little that was not taken.
STARTER = """
import os, socket, sys
address = ("127.0.0.1", int(sys.argv[1]))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(address)
tcp = socket.create_server(address)
tcp.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
for number, one in (3, os.dup(udp.fileno())), (4, os.dup(tcp.fileno())):
    os.dup2(one, 100 + number)
for number in 3, 4:
    os.dup2(100 + number, number, True)
os.environ |= {"LISTEN_FDS": "2", "LISTEN_PID": str(os.getpid())}
os.execv(sys.argv[2], sys.argv[2:])
"""


def passed(port):
    return ["python3", "-c", STARTER, str(port)]


def resident(process):
    """KiB"""
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text())[1])


class DnsServer(Supervised):
    """`with DnsServer(daemon, "--namespace", "moon") as dns:` answers at dns.at, a Dns to ask."""

    NAME = "DNS server"

    def __init__(self, daemon, *options, config="", address="127.0.0.1", listen=True, wrapper=(), ready=True):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="n", dir=".")).resolve()
        self.port = free_port(address)
        self.at = Dns(self.port, address)
        self.config = self.dir / "kubesvcd.yaml"
        self.config.write_text(config)
        socket_path = getattr(daemon, "socket", daemon)
        command = [*wrapper, built("kubesvc-dns"), "--config", self.config, "--socket", socket_path]
        if listen:
            command += ["--listen", f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"]
        self.start([*command, *options], self.dir)
        if ready:
            self.wait_state("READY=1")

    def ask(self, name, kind="A", **more):
        return self.at.ask(name, kind, **more)

    def whole(self, name, kind="A", **more):
        return self.at.whole(name, kind, **more)

    def until(self, name, kind, condition, what=None, seconds=PATIENCE):
        """Asks again until condition(response), which is returned."""
        got = []

        def holds():
            got[:] = [self.ask(name, kind)]
            return condition(got[0])

        wait_for(holds, what or f"{name} {kind}", seconds)
        return got[0]


def addresses(response, kind="A"):
    return sorted(response.data(kind), key=ipaddress.ip_address)
