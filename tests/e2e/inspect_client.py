# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client of the INSPECT requests, written from the comment in include/kubesvc/inspect.h alone."""

import json
import socket
import struct

MAGIC, VERSION = 0x4356534B, 1
INSPECT, UNSUPPORTED, TEXT, END = 0x80, 0x43, 0xC0, 0xC1
HEADER = struct.Struct("<IBBHII")
RESULT = ["DONE", "NOT_FOUND", "UNKNOWN", "BUSY", "DENIED", "TOO_LARGE"]
FRAME = 65536


def payload(words):
    return b"".join((w if isinstance(w, bytes) else w.encode()) + b"\0" for w in words)


def request(body):
    return HEADER.pack(MAGIC, VERSION, INSPECT, 0, len(body), 0) + body


class Inspection:
    """One request and what comes back; `raw` is sent as the payload instead of words."""

    def __init__(self, path, *words, raw=None, timeout=30):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.rest = b""
        self.result = None
        self.socket.sendall(request(payload(words) if raw is None else raw))

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def read(self, size):
        data = bytearray()
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError(f"closed after {len(data)} of {size} bytes")
            data += more
        return bytes(data)

    def frame(self):
        """The text of the next TEXT frame, None after the END frame (then `result` is set)."""
        magic, version, kind, flags, length, reserved = HEADER.unpack(self.read(HEADER.size))
        if (magic, version, flags, reserved) != (MAGIC, VERSION, 0, 0) or length > FRAME:
            raise AssertionError(f"header {magic:#x} {version} {flags} {length} {reserved}")
        body = self.read(length)
        if kind == TEXT:
            return body
        if kind != END or length != 4:
            raise AssertionError(f"response of type {kind:#x} with {length} bytes")
        self.result = RESULT[struct.unpack("<I", body)[0]]
        if self.socket.recv(1):
            raise AssertionError("something after the END frame")
        return None

    def lines(self):
        """The lines as they come, without their ends."""
        while (body := self.frame()) is not None:
            whole, newline, rest = (self.rest + body).rpartition(b"\n")
            self.rest = rest
            if newline:
                yield from whole.split(b"\n")
        if self.rest:
            raise AssertionError(f"the last line has no end: {self.rest[:200]}")

    def event(self):
        """The next event of `watch`."""
        while b"\n" not in self.rest:
            body = self.frame()
            if body is None:
                raise EOFError(self.result)
            self.rest += body
        line, _, self.rest = self.rest.partition(b"\n")
        return json.loads(line)


def inspect(path, *words, raw=None, result="DONE"):
    """The objects of a report; its END must say `result`."""
    with Inspection(path, *words, raw=raw) as inspection:
        objects = [json.loads(line) for line in inspection.lines()]
        if inspection.result != result:
            raise AssertionError(f"{words}: {inspection.result}, expected {result}: {objects[:3]}")
        return objects


def text(path, *words):
    with Inspection(path, *words) as inspection:
        return b"".join(line + b"\n" for line in inspection.lines()).decode()
