# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host for one test: a network in which port 53 is free, and its own files in /etc."""

import os
import pathlib
import subprocess
import tempfile

from harness import need_program, skip

SETUP = """
ip link set lo up || exit
while [ $# -gt 0 ]; do mount --bind "$1" "$2" || exit; shift 2; done
echo ready
exec cat
"""


class Host:
    """Namespaces of network and mounts, with loopback up. `files`: {path: text} of files that exist
    there, such as /etc/resolv.conf. `wrapper` comes before a command; its working directory is kept.
    Skips where that is not allowed."""

    def __init__(self, files=None):
        for program in "unshare", "nsenter", "ip":
            need_program(program)
        pairs = []
        for path, text in (files or {}).items():
            source = pathlib.Path(tempfile.mkstemp(prefix="etc-", dir=".")[1]).resolve()
            source.write_text(text)
            source.chmod(0o644)
            pairs += [str(source), path]
        self.files = dict(zip(pairs[1::2], map(pathlib.Path, pairs[0::2])))
        root = os.geteuid() == 0
        self.process = subprocess.Popen(
            ["unshare", "-mn" if root else "-rmn", "sh", "-c", SETUP, "sh", *pairs],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            skip(f"no namespaces here: {self.process.communicate()[1].strip()}")
        user = [] if root else ["--user", "--preserve-credentials"]
        self.wrapper = ["nsenter", "--target", str(self.process.pid), "--mount", "--net", *user,
                        "sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", os.getcwd()]

    def run(self, *command, env=None, status=0, **options):
        """Runs a command there to its end; its output is returned."""
        done = subprocess.run([*self.wrapper, *map(str, command)], env=env, text=True, timeout=40,
                              stdin=subprocess.DEVNULL, capture_output=True, **options)
        if status is not None and done.returncode != status:
            raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def start(self, *command, **options):
        """Starts one, which the end of the test kills."""
        return subprocess.Popen([*self.wrapper, *map(str, command)], stdin=subprocess.DEVNULL, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
