#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the end-to-end tests: run.py [-j N] [FILTER...]; harness.py says how they are written.

A filter is a part of "file:function". The exit status is 0 if nothing failed.
"""

import argparse
import concurrent.futures
import contextlib
import importlib.util
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from harness import BUILD, SKIPPED, UNSUITED  # noqa: E402: needs the path above

DEFAULT_LIMIT = 60
BUSY = 3  # times as long as on an idle machine a test may take


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def discover(filters):
    """(label, file, function, limit), the longest first."""
    found = []
    for path in sorted(HERE.glob("test_*.py")):
        try:
            functions = vars(load(path))
        except Exception:  # its own process will say which
            functions = {"test_(import)": load}
        for name, function in functions.items():
            label = f"{path.stem}:{name}"
            if name.startswith("test_") and callable(function):
                if not filters or any(f in label for f in filters):
                    found.append((label, path, name, getattr(function, "limit", DEFAULT_LIMIT)))
    return sorted(found, key=lambda test: -test[3])


def run_one(path, name):
    """In the test's own process."""
    try:
        getattr(load(pathlib.Path(path)), name)()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)


def end_session(process):
    """Kills what the test left behind: all of its own process group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


@contextlib.contextmanager
def build_for_all():
    """Root's tests run programs as other users too, who may not get into root's home, for example:
    there with a copy of what was built."""
    passable = all(path.stat().st_mode & 0o001 for path in [BUILD, *BUILD.parents])
    if os.geteuid() != 0 or passable:
        yield BUILD
        return
    with tempfile.TemporaryDirectory(prefix="kb-", dir="/tmp") as directory:
        os.chmod(directory, 0o755)
        copy = pathlib.Path(directory) / BUILD.name
        no_products = shutil.ignore_patterns("obj", "obj32", "*.a", "tests", "bench", "clang", "san",
                                             "tsan", "fuzz", "deb")
        shutil.copytree(BUILD, copy, ignore=no_products)
        subprocess.run(["chmod", "-R", "a+rX", copy], check=True)
        yield copy


def run(running, build, label, path, name, seconds):
    # Short: the path of a socket has at most 107 bytes.
    directory = tempfile.mkdtemp(prefix="ks-", dir="/tmp")
    os.chmod(directory, 0o755)
    start = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-B", str(HERE / "run.py"), "--one", str(path), name],
            cwd=directory,
            env=os.environ | {"TMPDIR": directory, "KUBESVC_BUILD": str(build)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        running.add(process)
        try:
            status = process.wait(BUSY * seconds)
        except subprocess.TimeoutExpired:
            status = f"not done after {BUSY * seconds} s"
        end_session(process)
        process.wait()
        running.discard(process)
        output.seek(0)
        text = output.read().decode(errors="replace")
    shutil.rmtree(directory, ignore_errors=True)
    return label, status, time.monotonic() - start, text


def report(label, status, seconds, text, last=True):
    if status == SKIPPED:
        print(f"skip {label} ({seconds:.1f} s): {text.strip().splitlines()[-1]}", flush=True)
        return "skipped"
    if status == UNSUITED:
        print(f"-    {label}: {text.strip().splitlines()[-1]}", flush=True)
        return "unsuited"
    if status == 0:
        print(f"ok   {label} ({seconds:.1f} s)", flush=True)
        return "passed"
    print(f"{'FAIL' if last else 'not ok:'} {label} ({seconds:.1f} s): {status}", flush=True)
    print("".join(f"     {line}\n" for line in text.splitlines()), end="", flush=True)
    return "failed"


def repeat(running, build, tests, failed):
    """The module gives the daemon 250 ms of real time, and a machine that is busy with other things
    may not give a daemon in Python as much. So a test that failed next to another one is run once more,
    alone; the output says that it needed this."""
    counts = {"passed": 0, "failed": 0, "skipped": 0, "unsuited": 0}
    for test in tests:
        if test[0] not in failed:
            continue
        print(f"once more, alone: {test[0]}", flush=True)
        counts[report(*run(running, build, *test))] += 1
    return counts


def main():
    if sys.argv[1:2] == ["--one"]:
        run_one(*sys.argv[2:])
    parser = argparse.ArgumentParser(description="Runs the end-to-end tests.")
    parser.add_argument("-j", type=int, default=2, metavar="N", help="tests at a time (default 2)")
    parser.add_argument("filters", nargs="*", metavar="FILTER")
    options = parser.parse_args()
    counts = {"passed": 0, "failed": 0, "skipped": 0, "unsuited": 0}
    running = set()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # Ignored where this was started in the background, which tests of it would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with build_for_all() as build, concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        tests = list(discover(options.filters))
        jobs = [pool.submit(run, running, build, *test) for test in tests]
        failed = set()
        try:
            for job in concurrent.futures.as_completed(jobs):
                result = job.result()
                outcome = report(*result, last=options.j == 1)
                if outcome == "failed" and options.j > 1:
                    failed.add(result[0])
                else:
                    counts[outcome] += 1
            for outcome, n in repeat(running, build, tests, failed).items():
                counts[outcome] += n
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(running):
                end_session(process)
    print(", ".join(f"{counts[what]} {what}" for what in ("passed", "failed", "skipped")))
    return 1 if counts["failed"] or not any(counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
