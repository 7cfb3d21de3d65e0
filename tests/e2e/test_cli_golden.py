# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the commands print, for the world in tests/cli/world.

tests/cli/golden/*.txt are transcripts: lines that begin with "$ kubesvc" are run, and what follows
must be what comes out: standard output, then standard error behind "stderr: ", then the status if
it is not 0. After a change that is meant:

    KUBESVC_GOLDEN=write python3 tests/e2e/run.py cli_golden      (and read the difference)
"""

import os
import pathlib
import re
import shlex
import subprocess

from harness import PATIENCE, Daemon, built

CLI = pathlib.Path(__file__).resolve().parent.parent / "cli"
VARYING = [
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
    (r"\d+\.\d\d+ ms\b", "N ms"),
    (r"(Running for: +).*", r"\1TIME"),
    (r"\d+ records in .*, published .* ago", "N records in SIZE, published TIME ago"),
    (r"(Answered: +).*", r"\1N% within N ms"),
    (r'("(?:milliseconds|firstMilliseconds|uptimeSeconds|ageSeconds|bytes|liveBytes)": )[\d.]+', r"\1N"),
    (r'("le": \d+,\s+"count": )\d+', r"\1N"),
    (r"^(kubesvc_(?:clients|uptime_sec|answer_sec|snapshot_(?:live_)?bytes)[^ ]*) .*", r"\1 N"),
]


def world(**options):
    return Daemon(CLI / "world", config="nodeIPs: [192.0.2.99]\n", namespace="moon", **options)


def normal(text, daemon):
    text = text.replace(str(CLI / "world"), "WORLD").replace(str(daemon.dir), "DIR")
    for pattern, instead in VARYING:
        text = re.sub(pattern, instead, text, flags=re.M)
    return text


def run(command, daemon):
    done = subprocess.run([built("kubesvc"), *shlex.split(command)[1:]], env=daemon.env, text=True,
                          capture_output=True, timeout=PATIENCE)
    text = done.stdout + "".join(f"stderr: {line}\n" for line in done.stderr.splitlines())
    if done.returncode:
        text += f"status {done.returncode}\n"
    return normal(text, daemon)


def compare(name):
    path = CLI / "golden" / f"{name}.txt"
    old = path.read_text()
    with world() as daemon:
        new = "".join(f"$ {command}\n{run(command, daemon)}\n"
                      for command in re.findall(r"^\$ (kubesvc.*)", old, re.M))
    if os.environ.get("KUBESVC_GOLDEN") == "write":
        path.write_text(new)
    for got, expected in zip(new.split("\n$ "), old.split("\n$ ")):
        if got != expected:
            raise AssertionError(f"{path}:\n--- expected\n{expected}\n--- got\n{got}")
    if new != old:
        raise AssertionError(f"{path}: the transcripts are not equally long")


def test_get():
    compare("get")


def test_get_as_data():
    compare("get-data")


def test_query():
    compare("query")


def test_describe():
    compare("describe")


def test_explain():
    compare("explain")


def test_status():
    compare("status")


def test_metrics():
    compare("metrics")


def test_export():
    compare("export")


def test_help():
    compare("help")


def test_usage_errors():
    compare("errors")
