# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client of the daemon's socket, written from the comment in include/kubesvc/protocol.h alone."""

import ipaddress
import socket
import struct

from .oracle import Answer

MAGIC, VERSION, KEEP = 0x4356534B, 1, 1
NAME, ADDRESS = 0x01, 0x02
ANSWER, PENDING, UNSUPPORTED = 0x41, 0x42, 0x43
FAMILY = {"unspec": 0, "inet": 4, "inet6": 6}
STATUS = {1: "FOUND", 2: "NO_DATA", 3: "NOT_FOUND", 4: "NOT_OURS", 5: "TRY_AGAIN"}
HEADER = struct.Struct("<IBBHII")
NAME_REQUEST = struct.Struct("<IBBBB")
ADDRESS_REQUEST = struct.Struct("<B3x16s")
RESPONSE = struct.Struct("<BBHIII8x")
WITHHELD = 1
ROOM = 1 << 20


class Wire:
    """One connection that asks many questions."""

    def __init__(self, path, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))

    def close(self):
        self.socket.close()

    def resolve(self, name, family, namespace=None):
        name, namespace = name.encode(), (namespace or "").encode()
        fixed = NAME_REQUEST.pack(ROOM, FAMILY[family], len(namespace), len(name), 0)
        return self.ask(NAME, fixed + namespace + name)

    def reverse(self, text):
        # Not packed by ipaddress: ::ffff:a.b.c.d is to go out as an IPv6 address.
        family = socket.AF_INET6 if ":" in text else socket.AF_INET
        packed = socket.inet_pton(family, text)
        return self.ask(ADDRESS, ADDRESS_REQUEST.pack(6 if ":" in text else 4, packed))

    def ask(self, kind, payload):
        self.socket.sendall(HEADER.pack(MAGIC, VERSION, kind, KEEP, len(payload), 0) + payload)
        while True:
            magic, version, kind, _, length, _ = HEADER.unpack(self.read(HEADER.size))
            if (magic, version) != (MAGIC, VERSION):
                raise AssertionError(f"magic {magic:#x}, version {version}")
            body = self.read(length)
            if kind == ANSWER:
                return decode(body)
            if kind != PENDING or body:
                raise AssertionError(f"response of type {kind:#x} with {length} bytes")

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise AssertionError(f"closed after {len(data)} of {size} bytes")
            data += more
        return data


def decode(body):
    status, flags, n_names, names_size, inet, inet6 = RESPONSE.unpack_from(body)
    if flags & WITHHELD:
        raise AssertionError("withheld, though there was room")
    rest = body[RESPONSE.size:]
    if len(rest) != names_size + 4 * inet + 16 * inet6:
        raise AssertionError(f"{len(rest)} bytes for {names_size}, {inet}, {inet6}")
    names = rest[:names_size].decode("ascii").split("\0")
    if names.pop() or len(names) != n_names:
        raise AssertionError(f"{n_names} names, not {names}")
    found, at = [], names_size
    for count, size in (inet, 4), (inet6, 16):
        for _ in range(count):
            found.append(str(ipaddress.ip_address(rest[at:at + size])))
            at += size
    if (STATUS[status] == "FOUND") != bool(names):
        raise AssertionError(f"{STATUS[status]} with names {names}")
    return Answer(STATUS[status], found, names)
