#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the tests on whole systems: run.py [-j N] [FILTER...]; the packages are those of `make deb`.

A test is a function test_* of a test_*.py here, written and reported like those of tests/e2e. One
that is marked @on_a_system gets namespaces of its own (mounts, processes, network, host name, IPC),
which go with all that it left in them; without root or namespaces it is skipped.
"""

import contextlib
import importlib.util
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
sys.dont_write_bytecode = True

import tars  # noqa: E402: needs the path above

UNSHARE = [
    "unshare",
    "--mount",
    "--pid",
    "--net",
    "--uts",
    "--ipc",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "--propagation",
    "private",
]


def other_runner():
    """The one of the end-to-end tests, for the tests of this directory."""
    spec = importlib.util.spec_from_file_location("runner", HERE.parent / "e2e/run.py")
    runner = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(runner)
    runner.HERE = HERE
    runner.build_for_all = lambda: contextlib.nullcontext(runner.BUILD)  # no other user needs it
    return runner


def why_no_systems():
    """None if systems can be tested here, else the reason."""
    if os.geteuid() != 0:
        return "needs root"
    tried = subprocess.run(
        [*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"no namespaces here: {tried.stderr.strip()}" if tried.returncode else None


def stay_as_init():
    """Returns in a child. The parent, process 1, collects orphans, so that namespaces can end."""
    child = os.fork()
    while child:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def run_one(runner, path, name, *inside):
    systems = getattr(getattr(runner.load(pathlib.Path(path)), name), "systems", ())
    if inside:
        stay_as_init()
        # With an address other than 127.0.0.1 getaddrinfo believes in IPv4 (AI_ADDRCONFIG).
        for command in "link set lo up", "address add 192.0.2.2/32 dev lo":
            subprocess.run(["ip", *command.split()], check=True)
    elif systems:
        if why := why_no_systems():
            print(why)
            sys.exit(runner.SKIPPED)
        for kind in systems:
            tars.tar(kind)
        os.execvp(
            UNSHARE[0], [*UNSHARE, sys.executable, "-B", __file__, "--one", path, name, "inside"]
        )
    runner.run_one(path, name)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        run_one(other_runner(), *sys.argv[2:])
    sys.exit(other_runner().main())
