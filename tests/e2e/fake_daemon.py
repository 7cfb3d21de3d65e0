# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon's side of include/kubesvc/protocol.h, for tests: well behaved or faulty at will.

In the process of a test, with behaviour written in Python:

    daemon = FakeDaemon(path, table({"web": Host("web.moon.svc.cluster.local", ["127.0.0.1"])}))
    daemon = FakeDaemon(path, lambda request, connection: pending())      # then hangs up
    daemon.requests                                                       # all it was asked

A behaviour gets a Request and the connection; the bytes that it returns are sent and the connection
is closed. Or it sends by itself and returns None. As a program, to be stopped and killed:
`fake_daemon.py SOCKET NAME=ADDRESS[,ADDRESS...]...`, which prints "ready".
"""

import dataclasses
import errno
import ipaddress
import os
import socket
import struct
import sys
import threading

MAGIC = 0x4356534B
VERSION = 1
NAME, ADDRESS, MAP = 0x01, 0x02, 0x03
ANSWER, PENDING, UNSUPPORTED = 0x41, 0x42, 0x43
ANY, INET, INET6 = 0, 4, 6
FOUND, NO_DATA, NOT_FOUND, NOT_OURS, TRY_AGAIN = 1, 2, 3, 4, 5
WITHHELD = 0x01
HEADER = struct.Struct("<IBBHII")
NAME_REQUEST = struct.Struct("<IBBBB")
ADDRESS_REQUEST = struct.Struct("<B3x16s")
ANSWER_HEAD = struct.Struct("<BBHIII8x")


@dataclasses.dataclass
class Request:
    type: int
    version: int
    flags: int
    family: int
    room: int = 0
    namespace: str = ""
    name: str = ""
    address: str = ""


@dataclasses.dataclass
class Host:
    canonical: str
    addresses: list
    aliases: list = dataclasses.field(default_factory=list)


def frame(kind, payload=b"", magic=MAGIC, version=VERSION, length=None):
    """`length` is what the header says, where that is not the truth."""
    said = len(payload) if length is None else length
    return HEADER.pack(magic, version, kind, 0, said, 0) + payload


def packed(addresses, version):
    parsed = [ipaddress.ip_address(a) for a in addresses]
    return [a.packed for a in parsed if a.version == version]


def answer(status, names=(), inet=(), inet6=(), flags=0, **wrong):
    """An ANSWER frame. Addresses are packed bytes; `wrong` replaces what it says of itself by lies:
    said_names, said_size (of the names), said_inet, said_inet6, length."""
    strings = b"".join(n.encode("latin-1") + b"\0" for n in names)
    head = ANSWER_HEAD.pack(
        status,
        flags,
        wrong.get("said_names", len(names)),
        wrong.get("said_size", len(strings)),
        wrong.get("said_inet", len(inet)),
        wrong.get("said_inet6", len(inet6)),
    )
    addresses = b"" if flags & WITHHELD else b"".join(inet) + b"".join(inet6)
    return frame(ANSWER, head + strings + addresses, length=wrong.get("length"))


def found(canonical, addresses, aliases=(), **wrong):
    return answer(FOUND, [canonical, *aliases], packed(addresses, 4), packed(addresses, 6), **wrong)


def pending():
    return frame(PENDING)


def unsupported(version=VERSION):
    return frame(UNSUPPORTED, version=version)


def answer_host(request, host):
    inet = packed(host.addresses, 4) if request.family != INET6 else []
    inet6 = packed(host.addresses, 6) if request.family != INET else []
    if not inet and not inet6:
        return answer(NO_DATA)
    flags = WITHHELD if len(inet) + len(inet6) > request.room else 0
    return answer(FOUND, [host.canonical, *host.aliases], inet, inet6, flags)


def table(hosts, otherwise=NOT_OURS):
    """The behaviour of a daemon that knows `hosts`: name -> Host, or a status."""

    def behave(request, _connection):
        if request.type == ADDRESS:
            asked = ipaddress.ip_address(request.address)
            if asked.version == 6 and asked.ipv4_mapped:
                asked = asked.ipv4_mapped
            for host in hosts.values():
                if isinstance(host, Host) and str(asked) in host.addresses:
                    return answer(FOUND, [host.canonical])
            return answer(otherwise)
        host = hosts.get(request.name.lower().removesuffix("."), otherwise)
        return answer_host(request, host) if isinstance(host, Host) else answer(host)

    return behave


def read_exactly(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def read_request(connection):
    magic, version, kind, flags, length, _ = HEADER.unpack(read_exactly(connection, HEADER.size))
    assert magic == MAGIC and length <= 1024, (magic, length)
    payload = read_exactly(connection, length)
    if kind == NAME:
        room, family, n, m, _ = NAME_REQUEST.unpack_from(payload)
        text = payload[NAME_REQUEST.size :].decode("latin-1")
        assert len(text) == n + m, payload
        return Request(kind, version, flags, family, room, text[:n], text[n:])
    if kind == MAP:
        return Request(kind, version, flags, ANY)
    family, address = ADDRESS_REQUEST.unpack(payload)
    raw = address[:4] if family == INET else address
    return Request(kind, version, flags, family, address=str(ipaddress.ip_address(raw)))


def fill_backlog(path):
    """Connects until it is refused for now; returns the connections."""
    filling = []
    while True:
        filling.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        filling[-1].setblocking(False)
        if filling[-1].connect_ex(path) == errno.EAGAIN:
            return filling


class FakeDaemon:
    """Listens at `path` until stop(). accepts=False: connections stay in a backlog of one.
    reads=False: the behaviour is called with None, before the request is read. maps=False: a daemon
    that knows of no snapshots to be mapped, and says so; such requests are not counted."""

    def __init__(self, path, behave=None, accepts=True, reads=True, maps=False):
        self.maps = maps
        self.requests = []
        self.path = path
        self.behave = behave or table({})
        self.reads = reads
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        os.chmod(path, 0o666)
        self.listener.listen(128 if accepts else 0)
        if accepts:
            threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                request = None
                if self.reads:
                    request = read_request(connection)
                    if request.type == MAP and not self.maps:
                        connection.sendall(unsupported())
                        return
                    self.requests.append(request)
                data = self.behave(request, connection)
                if data:
                    connection.sendall(data)
            except (EOFError, BrokenPipeError, ConnectionResetError):
                pass

    def stop(self):
        """Clients are refused from now on; the socket file stays."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def main():
    hosts = {}
    for item in sys.argv[2:]:
        name, addresses = item.split("=")
        hosts[name] = Host(name + ".default.svc.cluster.local", addresses.split(","))
    FakeDaemon(sys.argv[1], table(hosts))
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
