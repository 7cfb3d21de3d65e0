# SPDX-License-Identifier: LGPL-2.1-or-later
"""What reaches a terminal: tables that fit, colours where they are wanted, nothing that a manifest
smuggles in."""

import errno
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

from harness import PATIENCE, built, same
from test_cli_golden import world

ESCAPE = re.compile(r"\x1b\[[0-9]*m")


def on_terminal(daemon, *arguments, columns=80, **environment):
    """The command's output on a terminal of that many columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {k: v for k, v in daemon.env.items() if k != "NO_COLOR"}
    process = subprocess.Popen([built("kubesvc"), *arguments], env=env | {"TERM": "xterm"} | environment,
                               stdin=subprocess.DEVNULL, stdout=slave, stderr=slave)
    os.close(slave)
    data = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError as error:
            same(error.errno, errno.EIO)  # the other side is closed
            break
        if not piece:
            break
        data += piece
    os.close(master)
    process.wait(PATIENCE)
    return data.decode()


def letters(lines):
    """All but blanks, in no order: cells go on in further lines."""
    return sorted("".join("".join(lines).split()))


def test_tables_fit_forty_columns():
    with world() as daemon:
        for arguments in (["get", "svc", "-A"], ["get", "po", "-A"], ["get", "ep", "-A"],
                          ["get", "workloads", "-A"], ["get", "ns"], ["get", "names", "-A"]):
            lines = on_terminal(daemon, *arguments, columns=40).splitlines()
            assert len(lines) > 2, arguments
            for line in lines:
                assert len(ESCAPE.sub("", line)) <= 40, (arguments, line)
            wide = on_terminal(daemon, *arguments, columns=300).splitlines()
            assert len(wide) <= len(lines), arguments
            same(letters(lines), letters(wide), arguments)


def test_a_pipe_gets_everything():
    with world() as daemon:
        text = subprocess.check_output([built("kubesvc"), "get", "svc", "-A"], env=daemon.env,
                                       text=True)
        assert "\u2026" not in text and "db.sun.svc.cluster.local" in text


def test_colours():
    with world() as daemon:
        assert "\x1b[31m" in on_terminal(daemon, "status")
        for environment in {"NO_COLOR": "1"}, {"TERM": "dumb"}:
            assert "\x1b" not in on_terminal(daemon, "status", **environment), environment
        assert "\x1b[" in on_terminal(daemon, "status", NO_COLOR="")  # empty: as if it were not there
        piped = subprocess.check_output([built("kubesvc"), "status"], env=daemon.env)
        assert b"\x1b" not in piped


def test_nothing_hostile_reaches_a_terminal():
    """No output of any form has a control character but newlines, nor one that turns lines."""
    commands = [["get", kind, "-A", "-o", form] for kind in ("svc", "po", "ep", "names", "workloads")
                for form in ("wide", "json", "yaml", "name")]
    commands += [["get", kind, "-A", "--show-labels", "-o", form] for kind in ("svc", "po") for form in (
        "wide", "custom-columns=A:.metadata.labels,B:.metadata.labels.*,C:.status.phase",
        "jsonpath={.items[*].metadata.labels} {.items[*].metadata.labels.*} {.items[*].spec}")]
    commands += [["describe", "pod", "-n", "mars", "hostile"], ["status", "-o", "yaml"], ["version"]]
    commands += [["describe", "svc", "-n", "mars", "hostile"], ["explain", "-n", "mars", "hostile"],
                 ["describe", "svc", "-n", "mars", "hostile", "-o", "json"], ["status"],
                 ["explain", "-n", "mars", "hostile", "-o", "json"], ["status", "-o", "json"],
                 ["query", "-n", "mars", "hostile"], ["export", "hosts"], ["export", "json"],
                 ["metrics"], ["query", "a\x1b[31mb\x9b1m"], ["get", "svc", "\x1b[2J", "-A"],
                 ["explain", "\x1b[2J\u202e"], ["\x1b[2J"], ["get", "\x07"], ["get", "svc", "-o", "\x1bc"],
                 ["get", "svc", "-l", "\x1b[2J"], ["--socket", "/\x1b[2J", "status"]]
    with world() as daemon:
        for command in commands:
            text = on_terminal(daemon, *command, NO_COLOR="1", columns=200)
            assert text, command
            found = re.search("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e]", text)
            assert not found, (command, found)
