#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the unit test programs of a build, several at a time, each with a time limit.

    run.py BUILD [NAME...]

Prints what failed with its output, one line per program, what was skipped and why, and a sum.
Exits 1 if anything failed.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

LIMIT = 300  # seconds for one program


def run(program):
    """One program: (passed, names failed, names skipped, output, seconds)."""
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", LC_ALL="C")
    started = time.monotonic()
    try:
        process = subprocess.run([program], env=environment, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 timeout=LIMIT, check=False)
        output, code = process.stdout.decode(errors="replace"), process.returncode
    except subprocess.TimeoutExpired as error:
        output = (error.stdout or b"").decode(errors="replace") + f"\n(no end after {LIMIT} s)\n"
        code = -1
    name = program.name
    passed, failed, skipped, why = 0, [], [], None
    for line in output.splitlines():
        if line.startswith("# skip: "):  # skip_test.h
            why = line.removeprefix("# skip: ")
        result = re.match(r"(not )?ok \d+ (-|# SKIP) (.*)$", line)
        if not result:
            continue
        test = f"{name}: {result[3]}"
        if result[2] == "# SKIP" and why:
            skipped.append(f"{test}: {why}")
            why = None
        elif result[2] == "# SKIP":
            failed.append(f"{test}: skipped without a reason")
        elif result[1]:
            failed.append(test)
        else:
            passed += 1
    if code != 0 and not failed:
        failed.append(f"{name}: ended with {code}")
    if code == 0 and passed + len(failed) + len(skipped) == 0:
        failed.append(f"{name}: ran no test")
    return passed, failed, skipped, output, time.monotonic() - started


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    directory = pathlib.Path(sys.argv[1], "tests")
    names = sys.argv[2:]
    programs = [path for path in sorted(directory.glob("*/test_*"))
                if os.access(path, os.X_OK) and (not names or path.name in names)]
    if not programs:
        sys.exit(f"no unit tests in {directory}")
    passed, failed, skipped = 0, [], []
    with concurrent.futures.ThreadPoolExecutor(max(2, os.cpu_count() or 1)) as pool:
        for program, result in zip(programs, pool.map(run, programs)):
            passed += result[0]
            failed += result[1]
            skipped += result[2]
            if result[1]:
                sys.stdout.write(result[3])
            print(f"  {program.name:32} {result[0]:4} passed {len(result[1]):3} failed "
                  f"{result[4]:6.2f} s", flush=True)
    for test in skipped:
        print(f"skipped: {test}")
    for test in failed:
        print(f"FAILED: {test}")
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
