# SPDX-License-Identifier: LGPL-2.1-or-later
"""What both halves of the benchmark need: programs to ask with, figures of samples, the table."""

import array
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

from harness import BUILD, Daemon, client_env, wait_for  # noqa: E402,F401: needs the path above

QUICK = os.environ.get("BENCH_QUICK", "") not in ("", "0")


def tool(name):
    return str(BUILD / "bench" / name)


def environment(socket="/nonexistent"):
    return client_env(socket, libraries=f"{BUILD}:{BUILD}/bench")


def has(daemon, name, address):
    """Does the daemon answer the address, through glibc?"""
    done = subprocess.run(["getent", "-s", "hosts:kubesvc", "ahosts", name],
                          env=environment(daemon.socket), capture_output=True, text=True)
    return f"{address} " in done.stdout


def progress(text):
    print(f"... {text}", file=sys.stderr, flush=True)


def percentile(samples, part):
    return samples[min(len(samples) - 1, int(len(samples) * part))]


class Samples:
    """Nanoseconds of many lookups."""

    def __init__(self):
        self.all = array.array("I")
        self.seconds = 0
        self.wrong = 0

    def add(self, other):
        self.all.extend(other.all)
        self.seconds += other.seconds

    def figures(self):
        """Median, 99th percentile and longest, in microseconds."""
        ordered = sorted(self.all)
        return [x / 1000 for x in (percentile(ordered, 0.5), percentile(ordered, 0.99), ordered[-1])]


class Asker:
    """One process of lookup.c. Wrong answers are an error, unless it is `tolerant`."""

    def __init__(self, hosts, env, wrapper=(), tolerant=False):
        self.tolerant = tolerant
        self.process = subprocess.Popen([*wrapper, tool("lookup"), hosts], env=env,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        start_new_session=True)

    def begin(self, question, expected, threads=1, count=0, pause=0):
        self.process.stdin.write(f"{threads} {count} {expected} {question} {pause}\n".encode())
        self.process.stdin.flush()
        self.asked = question

    def result(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the asking process died ({self.process.wait()})")
        n, wrong, nanoseconds = map(int, line.split())
        samples = Samples()
        samples.all.frombytes(self.process.stdout.read(4 * n))
        samples.seconds = nanoseconds / 1e9
        samples.wrong = wrong
        if wrong and not self.tolerant:
            raise RuntimeError(f"{self.process.args}: {self.asked}: {wrong} of {n} answers wrong")
        return samples

    def run(self, question, expected, threads=1, count=1):
        self.begin(question, expected, threads, count)
        return self.result()

    def end(self):
        """Ends a run without a count."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        return self.result()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def table(head, rows):
    """Rows of cells; the first column is text, the others are figures."""
    widths = [max(len(str(row[i])) for row in [head, *rows] if len(row) > i)
              for i in range(len(head))]
    for row in [head, *rows]:
        if len(row) == 1:
            print(f"\n{row[0]}")
            continue
        cells = [str(row[0]).ljust(widths[0])]
        cells += [str(cell).rjust(widths[i]) for i, cell in enumerate(row) if i > 0]
        print("  ".join(cells).rstrip())


def available(program):
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
