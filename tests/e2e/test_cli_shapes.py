# SPDX-License-Identifier: LGPL-2.1-or-later
"""JSON of every command against the shapes that kubesvc(1) documents, read from the manual itself."""

import json
import pathlib
import re
import subprocess

from harness import built, same
from test_cli_golden import world

MANUAL = pathlib.Path(__file__).resolve().parents[2] / "share" / "man" / "kubesvc.1"
TYPES = {"text": str, "number": (int, float), "boolean": bool, "texts": list, "labels": dict,
         "position": dict, "any": (int, str), "value": (int, str, list, dict)}


def documented():
    """{shape: {key: (type, optional)}}, from OUTPUT AS DATA."""
    shapes, current = {}, None
    for line in MANUAL.read_text().split(".Sh OUTPUT AS DATA")[1].split("\n.Sh ")[0].splitlines():
        if found := re.match(r"\.Ss (\w+)", line):
            current = shapes.setdefault(found[1], {})
        elif found := re.match(r"\.It Li (\w+) Pq (\w+)(, optional)?", line):
            current[found[1]] = (found[2], bool(found[3]))
    return shapes


def check(value, shape, shapes, where):
    for key, (kind, optional) in shapes[shape].items():
        assert key in value or optional, f"{where}: no {key} in {value}"
    for key, item in value.items():
        assert key in shapes[shape], f"{where}: {shape}.{key} is not documented"
        kind = shapes[shape][key][0]
        if kind in shapes:
            for inner in item if isinstance(item, list) else [item]:
                check(inner, kind, shapes, f"{where}.{key}")
            continue
        assert isinstance(item, TYPES[kind]), f"{where}.{key} is {item!r}, not {kind}"
        if kind == "texts":
            assert all(isinstance(text, str) for text in item), f"{where}.{key}"
        if kind == "labels":
            assert all(isinstance(text, str) for text in item.values()), f"{where}.{key}"
        if kind == "position":
            same((set(item), type(item["line"])), ({"file", "line", "column"}, int), f"{where}.{key}")


def test_output_is_as_documented():
    shapes = documented()
    commands = {
        "get svc -A": "Service", "get ep -A": "Endpoints", "get po -A": "Pod", "get names -A": "Name",
        "get workloads -A": "Workload", "get ns": "Namespace", "export": "Name",
        "query headless-svc nix 127.96.0.1 typo data.sun": "Answer", "explain typo": "Step",
        "explain headles-svc": "Step", "explain db.sun": "Step", "status": "Status",
        "config show": "Configuration", "version": "Versions",
        "describe svc headless-svc": "Service", "describe svc -n sun stated": "Service",
        "describe svc -n sun twice": "Service", "describe svc headless-svc typo": "Service", "query --nss headless-svc": "Answer",
    }
    seen = {}
    with world() as daemon:
        for command, shape in commands.items():
            form = ["json"] if command == "export" else ["-o", "json"]
            done = subprocess.run([built("kubesvc"), *command.split(), *form], env=daemon.env,
                                  stdout=subprocess.PIPE, text=True)
            assert done.returncode in (0, 2), command
            value = json.loads(done.stdout)
            items = value["items"] if value.get("kind") == "List" else [value]
            assert items, command
            for item in items:
                check(item, shape, shapes, command)
                seen.setdefault(shape, set()).update(item)
    for shape, keys in seen.items():
        never = {key for key, (_, optional) in shapes[shape].items() if not optional} - keys
        assert not never, (shape, never)


def test_errors_are_data_too():
    for command in ["--socket", "/nonexistent", "status"], ["get", "nix"], ["get", "svc", "--nix"], \
            ["--socket", "/nonexistent", "query", "x"], ["get", "svc", "-l", "(("]:
        done = subprocess.run([built("kubesvc"), "-o", "json", *command], text=True,
                              capture_output=True)
        same((done.returncode, done.stdout), (1, ""))
        error = json.loads(done.stderr)
        same(set(error) - {"remedy"}, {"error"}, command)
