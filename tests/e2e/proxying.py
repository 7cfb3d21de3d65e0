# SPDX-License-Identifier: LGPL-2.1-or-later
"""The basis of tests of kubesvc-proxy: a network namespace, servers at the addresses of pods, and
the proxy."""

import contextlib
import ctypes
import fcntl
import os
import pathlib
import selectors
import socket
import struct
import subprocess
import threading
import time

from harness import PATIENCE, built, end_reader, same, skip, wait_for

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
NFT = "/usr/sbin/nft"


def unshare(flags):
    if ctypes.CDLL(None, use_errno=True).unshare(flags) < 0:
        skip(f"no namespaces here: {os.strerror(ctypes.get_errno())}")


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))


def private_network():
    """This process, and what it starts, in a network namespace of its own, with loopback only. To be
    called before there are threads."""
    uid, gid = os.getuid(), os.getgid()
    unshare(CLONE_NEWNET if uid == 0 else CLONE_NEWUSER | CLONE_NEWNET)
    if uid != 0:
        pathlib.Path("/proc/self/setgroups").write_text("deny")
        pathlib.Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        pathlib.Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    loopback_up()
    with Proxy("/nonexistent") as proxy:
        wait_for(lambda: proxy.lines or proxy.process.poll() is not None, "the proxy to speak")
        if proxy.process.poll() is not None:
            skip(f"no nftables here: {proxy.lines[0] if proxy.lines else proxy.process.poll()}")


class Proxy:
    """The program; ready when it has told so."""

    def __init__(self, path, ready=False, wrapper=()):
        self.lines, self.states = [], []
        self.changed = threading.Condition()
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = f"{os.getcwd()}/proxy{id(self)}-{time.monotonic_ns()}"
        self.notify.bind(name)
        os.chmod(name, 0o666)
        self.process = subprocess.Popen([*wrapper, built("kubesvc-proxy"), "--socket", str(path)],
                                        env=os.environ | {"NOTIFY_SOCKET": name},
                                        stderr=subprocess.PIPE, text=True)
        self.notified = threading.Thread(target=self._read_states, daemon=True)
        self.notified.start()
        self.reader = threading.Thread(target=self._read_lines, daemon=True)
        self.reader.start()
        if ready:
            self.wait_status("Forwarding to")

    def _read_states(self):
        while state := self.notify.recv(4096).decode():
            with self.changed:
                self.states += state.splitlines()
                self.changed.notify_all()

    def _read_lines(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def wait_status(self, text):
        """Until it has said so of itself, and follows the daemon."""
        def told():
            return any(s.startswith(f"STATUS={text}") and "waiting" not in s for s in self.states)
        with self.changed:
            same(self.changed.wait_for(told, PATIENCE), True, f"{text}: {self.states} {self.lines}")

    def end(self):
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.end()
        for line in self.lines:
            print("the proxy said:", line)
        end_reader(self.notify, self.notified)


class Servers:
    """Servers that say at which address they were reached, and by whom, one thread for all."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.wake, self.woken = os.pipe()[::-1]
        self.selector.register(self.woken, selectors.EVENT_READ)
        self.sockets = {}
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def add(self, address, port, kind=socket.SOCK_STREAM, free=False):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        server = socket.socket(family, kind)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if free:  # an address of no interface
            server.setsockopt(socket.IPPROTO_IP, 15, 1)
        server.bind((address, port))
        if kind == socket.SOCK_STREAM:
            server.listen(1024)
        server.setblocking(False)
        self.sockets[address, port, kind] = server
        self.selector.register(server, selectors.EVENT_READ)

    def close(self, address, port, kind=socket.SOCK_STREAM):
        server = self.sockets.pop((address, port, kind))
        self.selector.unregister(server)
        server.close()

    def _serve(self):
        while True:
            for key, _ in self.selector.select():
                if key.fd == self.woken:
                    return
                with contextlib.suppress(OSError, ValueError):
                    self._answer(key.fileobj)

    def _answer(self, server):
        own = server.getsockname()
        if server.type == socket.SOCK_DGRAM:
            _, peer = server.recvfrom(64)
            server.sendto(f"{own[0]} {own[1]} {peer[0]}".encode(), peer)
            return
        while True:
            connection, peer = server.accept()
            connection.setblocking(True)
            connection.sendall(f"{own[0]} {own[1]} {peer[0]}\n".encode())
            if own[1] == 7:  # an echo: it stays
                threading.Thread(target=self._echo, args=(connection,), daemon=True).start()
            else:
                connection.close()

    @staticmethod
    def _echo(connection):
        with contextlib.suppress(OSError), connection:
            while data := connection.recv(64):
                connection.sendall(data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.write(self.wake, b"x")
        self.thread.join(PATIENCE)
        for server in self.sockets.values():
            server.close()
        self.selector.close()
        os.close(self.wake)
        os.close(self.woken)


def connect(address, port, source=None):
    """Who answers: (address, port, the client as the server sees it)."""
    with socket.create_connection((address, port), PATIENCE,
                                  (source, 0) if source else None) as connection:
        same(connection.getpeername()[:2], (address, port), "the peer")
        answer = connection.makefile().readline().split()
    return answer[0], int(answer[1]), answer[2]


def chosen_by(clients, ip):
    """Which endpoint each of the clients, by its address, gets."""
    return {source: connect(ip, 80, source)[0] for source in clients}


def refused(address, port):
    try:
        connect(address, port)
    except ConnectionRefusedError:
        return True
    return False


def rules(*command):
    """What nft says."""
    if not os.path.exists(NFT):
        skip("no nft here")
    return subprocess.run([NFT, *command], stdout=subprocess.PIPE, text=True, check=True).stdout
