# SPDX-License-Identifier: LGPL-2.1-or-later
"""A DNS client that trusts nothing: what a response says is checked in full, from RFC 1035 alone."""

import dataclasses
import ipaddress
import itertools
import re
import socket
import struct

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "HINFO": 13, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33,
         "IXFR": 251, "AXFR": 252, "ANY": 255}
NAMES = {number: name for name, number in TYPES.items()}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 16: "BADVERS"}
OPT = 41

ids = itertools.count(0x1234)


class Malformed(AssertionError):
    """The response is no DNS message."""


@dataclasses.dataclass
class Record:
    name: str
    type: str
    ttl: int
    data: str

    def __str__(self):
        return f"{self.name} {self.ttl} {self.type} {self.data}"


@dataclasses.dataclass
class Response:
    id: int
    flags: int
    rcode: str
    question: tuple | None = None
    answer: list = dataclasses.field(default_factory=list)
    authority: list = dataclasses.field(default_factory=list)
    additional: list = dataclasses.field(default_factory=list)
    edns: int | None = None  # the size that the server takes
    size: int = 0

    truncated = property(lambda self: bool(self.flags & 0x200))
    authoritative = property(lambda self: bool(self.flags & 0x400))
    recursive = property(lambda self: bool(self.flags & 0x80))

    def data(self, kind):
        return [record.data for record in self.answer if record.type == kind]

    def lines(self):
        """All of it, in an order of its own, as a golden file has it."""
        flags = "".join(f" {name}" for name, bit in (("aa", 0x400), ("tc", 0x200), ("ra", 0x80)) if self.flags & bit)
        result = [self.rcode + flags]
        for section in ("answer", "authority", "additional"):
            result += sorted(f"{section}: {record}" for record in getattr(self, section))
        return [re.sub(r"(SOA \S+ \S+) \d+", r"\1 SERIAL", line) for line in result]


def encode_name(name):
    """Labels between dots; bytes are taken as labels of their own."""
    labels = name if isinstance(name, (list, tuple)) else [part for part in name.rstrip(".").split(".") if part]
    wire = b""
    for label in labels:
        label = label if isinstance(label, bytes) else label.encode("latin-1")
        wire += bytes([len(label)]) + label
    return wire + b"\0"


def request(name, kind="A", *, number=None, flags=0x100, edns=None, version=0, options=b"", cls=1, qdcount=1):
    number = next(ids) & 0xFFFF if number is None else number
    kind = TYPES.get(kind, kind)
    message = struct.pack("!6H", number, flags, qdcount, 0, 0, int(edns is not None))
    message += (encode_name(name) + struct.pack("!2H", kind, cls)) * qdcount
    if edns is not None:
        message += b"\0" + struct.pack("!2HIH", OPT, edns, version << 16, len(options)) + options
    return message


def frame(message):
    return struct.pack("!H", len(message)) + message


class Reader:
    def __init__(self, message):
        self.message, self.at = message, 0

    def take(self, size):
        if len(self.message) - self.at < size:
            raise Malformed(f"ends at {len(self.message)}, {size} bytes wanted at {self.at}")
        self.at += size
        return self.message[self.at - size : self.at]

    def unpack(self, form):
        return struct.unpack("!" + form, self.take(struct.calcsize("!" + form)))

    def name(self, compressed=True):
        labels, length, behind, limit = [], 0, None, self.at
        while True:
            (size,) = self.unpack("B")
            if size == 0:
                break
            if size >= 0xC0:
                (low,) = self.unpack("B")
                behind = behind or self.at
                self.at = (size & 0x3F) << 8 | low
                if not compressed or self.at >= limit or self.at < 12:
                    raise Malformed(f"pointer to {self.at} at {behind - 2}")
                limit = self.at
                continue
            if size > 63:
                raise Malformed(f"label of type {size:#x}")
            labels.append(self.take(size).decode("latin-1"))
            length += size + 1
            if length > 254:
                raise Malformed("name of more than 255 bytes")
        self.at = behind or self.at
        return ".".join(labels) + "."

    def data(self, kind, size):
        end = self.at + size
        if kind == "A":
            value = str(ipaddress.IPv4Address(self.take(4)))
        elif kind == "AAAA":
            value = str(ipaddress.IPv6Address(self.take(16)))
        elif kind in ("CNAME", "NS", "PTR"):
            value = self.name()
        elif kind == "SOA":
            value = f"{self.name()} {self.name()} " + " ".join(str(number) for number in self.unpack("5I"))
        elif kind == "SRV":
            value = "{} {} {} ".format(*self.unpack("3H")) + self.name(compressed=False)
        elif kind in ("TXT", "HINFO"):
            texts = []
            while self.at < end:
                texts.append(self.take(self.unpack("B")[0]).decode("latin-1"))
            value = " ".join(f'"{text}"' for text in texts)
        else:
            value = self.take(size).hex()
        if self.at != end:
            raise Malformed(f"{kind} record of {size} bytes ends at {self.at}, not {end}")
        return value

    def record(self, response):
        name = self.name()
        kind, cls, ttl, size = self.unpack("2HIH")
        if kind == OPT:
            if name != "." or response.edns is not None:
                raise Malformed("OPT record")
            response.edns = cls
            rcode = (ttl >> 24) << 4 | response.flags & 15
            response.rcode = RCODES.get(rcode, str(rcode))
            self.take(size)
            return None
        if cls != 1:
            raise Malformed(f"class {cls}")
        kind = NAMES.get(kind, str(kind))
        return Record(name, kind, ttl, self.data(kind, size))


def parse(message):
    reader = Reader(message)
    number, flags, questions, *counts = reader.unpack("6H")
    if not flags & 0x8000 or questions > 1:
        raise Malformed(f"flags {flags:#x}, {questions} questions")
    response = Response(number, flags, RCODES.get(flags & 15, str(flags & 15)), size=len(message))
    if questions:
        name = reader.name(compressed=False)
        kind, cls = reader.unpack("2H")
        response.question = (name, NAMES.get(kind, kind), cls)
    for count, section in zip(counts, (response.answer, response.authority, response.additional)):
        for _ in range(count):
            record = reader.record(response)
            if record:
                section.append(record)
    if reader.at != len(message):
        raise Malformed(f"{len(message) - reader.at} bytes behind the last record")
    return response


class Dns:
    """Asks one server, by UDP and, if it says so, by TCP."""

    def __init__(self, port, address="127.0.0.1", timeout=20):
        self.at, self.timeout = (address, port), timeout
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET

    def udp(self, message, wait=None):
        """The response to any bytes; None: there is none within `wait` seconds."""
        with socket.socket(self.family, socket.SOCK_DGRAM) as client:
            client.settimeout(wait or self.timeout)
            client.connect(self.at)
            client.send(message)
            try:
                return client.recv(65535)
            except TimeoutError:
                if wait:
                    return None
                raise

    def connect(self):
        client = socket.create_connection(self.at, timeout=self.timeout)
        client.settimeout(self.timeout)
        return client

    def tcp(self, message):
        with self.connect() as client:
            client.sendall(frame(message))
            return receive(client)

    def ask(self, name, kind="A", *, tcp=False, **more):
        """The response to a question, which it must repeat."""
        message = request(name, kind, **more)
        response = parse(self.tcp(message) if tcp else self.udp(message))
        if response.id != message[0] << 8 | message[1]:
            raise Malformed(f"id {response.id:#x}")
        limit = 65535 if tcp else min(max(more.get("edns") or 512, 512), 1232)
        if response.size > limit:
            raise Malformed(f"{response.size} bytes, {limit} are allowed")
        wanted = (name.rstrip(".") + "." if isinstance(name, str) else None, kind)
        if wanted[0] and response.question and (response.question[0], response.question[1]) != wanted:
            raise Malformed(f"question {response.question}, not {wanted}")
        return response

    def whole(self, name, kind="A", **more):
        """As a stub resolver does: by TCP if the answer is too large."""
        response = self.ask(name, kind, **more)
        return self.ask(name, kind, tcp=True, **more) if response.truncated else response


def receive(client):
    """One message of a TCP connection; b"": it has ended."""
    data = b""
    while len(data) < 2 or len(data) < 2 + (data[0] << 8 | data[1]):
        part = client.recv((2 + (data[0] << 8 | data[1]) if len(data) >= 2 else 2) - len(data))
        if not part:
            if data:
                raise Malformed(f"connection ended after {len(data)} bytes")
            return b""
        data += part
    return data[2:]
