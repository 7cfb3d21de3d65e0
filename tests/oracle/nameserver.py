# SPDX-License-Identifier: LGPL-2.1-or-later
"""A nameserver on loopback for a table of names: what ExternalName targets outside resolve to."""

import ipaddress
import socket
import struct
import threading

A, AAAA, IN = 1, 28, 1
NXDOMAIN = 3


class Nameserver:
    """Answers over UDP on 127.0.0.1 until the `with` block ends; `address` says where."""

    def __init__(self, table):
        self.table = table
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        stop = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        stop.sendto(b"", self.socket.getsockname())
        stop.close()
        self.thread.join()
        self.socket.close()

    def serve(self):
        while True:
            query, peer = self.socket.recvfrom(4096)
            if not query:
                return
            self.socket.sendto(self.answer(query), peer)

    def answer(self, query):
        number, flags = struct.unpack_from(">HH", query)
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode("ascii"))
            at += 1 + query[at]
        question = query[12:at + 5]
        kind, _ = struct.unpack_from(">HH", query, at + 1)
        known = self.table.get(".".join(labels).lower())
        version = {A: 4, AAAA: 6}.get(kind)
        records = b""
        found = [ip for ip in map(ipaddress.ip_address, known or []) if ip.version == version]
        for ip in found:
            records += struct.pack(">HHHIH", 0xC00C, kind, IN, 60, len(ip.packed)) + ip.packed
        reply = 0x8480 | (flags & 0x0100) | (0 if known else NXDOMAIN)
        return struct.pack(">6H", number, reply, 1, len(found), 0, 0) + question + records
