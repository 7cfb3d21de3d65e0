# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real nameserver on loopback, for names outside the zone."""

import pathlib
import secrets
import socket
import struct
import subprocess

from harness import PATIENCE, need_program, wait_for


def free_port():
    """A port that is free for UDP and TCP now."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))
            port = udp.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
                try:
                    tcp.bind(("127.0.0.1", port))
                    return port
                except OSError:
                    continue


class Nameserver:
    """dnsmasq serving a file in hosts(5) format and nothing else; `address` is where."""

    def __init__(self, hosts):
        program = need_program("dnsmasq")
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [
                program,
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--pid-file=",
                "--no-resolv",
                "--no-hosts",
                "--local=/#/",
                f"--addn-hosts={pathlib.Path(hosts).resolve()}",
                f"--port={self.port}",
                "--listen-address=127.0.0.1",
                "--bind-interfaces",
                "--user=",
                "--group=",
                "--log-facility=-",
            ],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._answers, "the nameserver")

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"dnsmasq ended with {self.process.returncode}")
        number = secrets.randbelow(65536)
        question = struct.pack("!6H", number, 0x100, 1, 0, 0, 0) + b"\1x\0" + struct.pack("!2H", 1, 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(0.2)
            try:
                udp.connect(("127.0.0.1", self.port))
                udp.send(question)
                return udp.recv(512)[:2] == struct.pack("!H", number)
            except OSError:
                return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(PATIENCE)
