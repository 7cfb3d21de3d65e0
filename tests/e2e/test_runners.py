# SPDX-License-Identifier: LGPL-2.1-or-later
"""The runners of the tests: that a skipped test is named with its reason, and none is lost; and where
those of root are run."""

import os
import pathlib
import subprocess
import sys

from harness import HERE, inputs, need_root, same

UNIT_TEST = """#!/bin/sh
echo "1..4"
echo "ok 1 - good"
echo "# skip: needs a moon"
echo "ok 2 # SKIP of_the_moon"
echo "not ok 3 - bad"
echo "ok 4 # SKIP of_nothing"
exit 1
"""


def run(program, *arguments, **more):
    environment = {key: value for key, value in os.environ.items() if key != "KUBESVC_TEST_DATA"}
    return subprocess.run([sys.executable, "-B", program, *arguments], env=environment | more,
                          stdout=subprocess.PIPE, text=True)


def test_unit_runner():
    program = pathlib.Path("build/tests/room/test_moon")
    program.parent.mkdir(parents=True)
    program.write_text(UNIT_TEST)
    program.chmod(0o755)
    done = run(HERE.parent / "unit/run.py", "build")
    same(done.stdout.splitlines()[-4:], [
        "skipped: test_moon: of_the_moon: needs a moon", "FAILED: test_moon: bad",
        "FAILED: test_moon: of_nothing: skipped without a reason", "1 passed, 2 failed, 1 skipped"])
    same(done.returncode, 1)


def runner(tests):
    """e2e/run.py with other tests."""
    directory = pathlib.Path("tests").resolve()
    directory.mkdir()
    for name in "run.py", "harness.py":
        (directory / name).write_bytes((HERE / name).read_bytes())
    (directory / "test_moon.py").write_text(tests)
    return directory / "run.py"


def test_end_to_end_runner():
    program = runner("import harness\n"
                     "def test_good(): pass\n"
                     "def test_skipped(): harness.skip('needs a moon')\n"
                     "def test_plain(): harness.unsanitized('another matter')\n")
    build = pathlib.Path("san")
    build.mkdir()
    done = run(program, "-j", "1", KUBESVC_BUILD=str(build.resolve()))
    lines = [line.split(" (")[0] + line.partition("s)")[2] for line in done.stdout.splitlines()]
    same(sorted(lines), sorted(["ok   test_moon:test_good", "skip test_moon:test_skipped: needs a moon",
                                "-    test_moon:test_plain: another matter",
                                "1 passed, 0 failed, 1 skipped"]))
    same(done.returncode, 0)


def test_a_build_that_only_root_can_reach():
    need_root()
    program = runner("import subprocess, harness\n"
                     "def test_user():\n"
                     "    subprocess.run([harness.built('program')], user=65534, check=True)\n")
    build = pathlib.Path("secret/san").resolve()
    (build / "obj").mkdir(mode=0o700, parents=True)
    (build / "program").write_text(f"#!/bin/sh\n[ ! -e {build}/obj ] && [ ! -e ${{0%/*}}/obj ]\n")
    (build / "program").chmod(0o700)
    build.parent.chmod(0o700)
    done = run(program, "-j", "1", KUBESVC_BUILD=str(build))
    same(done.stdout.splitlines()[-1], "1 passed, 0 failed, 0 skipped", done.stdout)


RUN_ALL = """
import importlib.machinery, importlib.util, os, sys
loader = importlib.machinery.SourceFileLoader("run_all", sys.argv[1])
run_all = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_all", loader))
loader.exec_module(run_all)
os.geteuid = lambda: 1000
sums = run_all.Sum()
for tests in [["a:one", "a:two"]], [[]]:
    sums.tests("step", [sys.argv[2], "-j"], {"OURS": "1"}, only=tests[0])
sums.finish()
"""
TESTS = """#!/bin/sh
[ "$OURS$1" = 1-j ] || exit 1
shift
for test in ${*:-a:three}; do
    [ "$test" != a:one ] || { echo "skip a:one (0.1 s): needs a moon"; continue; }
    [ -n "$AS_ROOT" ] || { echo "skipped: $test: needs root"; continue; }
    echo "ok $test"
done
[ -n "$AS_ROOT" ] && echo "1 passed, 0 failed, 1 skipped" || echo "0 passed, 0 failed, 2 skipped"
"""


def run_as(sudo):
    """What is said at the end of two steps that skip tests."""
    pathlib.Path("bin").mkdir(exist_ok=True)
    for name, text in ("tests", TESTS), ("bin/sudo", f"#!/bin/sh\n{sudo}\n"):
        pathlib.Path(name).write_text(text)
        pathlib.Path(name).chmod(0o755)
    path = f"{pathlib.Path('bin').resolve()}:{os.environ['PATH']}"
    done = subprocess.run([sys.executable, "-B", "-c", RUN_ALL, HERE.parent / "run-all",
                           pathlib.Path("tests").resolve()],
                          env=os.environ | {"PATH": path}, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.partition("\n==\n")[2].splitlines()


def test_skipped_tests_are_tried_as_root():
    same(run_as('shift 2; AS_ROOT=1 exec "$@"'), [
        "skipped: step, as root: a:one (0.1 s): needs a moon", "2 passed, 0 failed, 1 skipped"])
    same(run_as("exit 1"), [
        "skipped: step: a:one (0.1 s): needs a moon", "skipped: step: a:two: needs root",
        "skipped: step: a:three: needs root", "0 passed, 0 failed, 3 skipped"])


def test_inputs():
    own = HERE.parent / "corpus"
    os.environ.pop("KUBESVC_TEST_DATA", None)
    same(inputs("corpus"), [own])
    pathlib.Path("more/corpus").mkdir(parents=True)
    os.environ["KUBESVC_TEST_DATA"] = "more"
    same(inputs("corpus"), [own, pathlib.Path("more/corpus").resolve()])
    same(inputs("check"), [HERE.parent / "check"])
    os.environ["KUBESVC_TEST_DATA"] = "missing"
    try:
        inputs("corpus")
    except NotADirectoryError:
        return
    raise AssertionError("a directory that is missing goes unnoticed")
