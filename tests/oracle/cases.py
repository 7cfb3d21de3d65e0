# SPDX-License-Identifier: LGPL-2.1-or-later
"""The oracle's answers to the questions of a directory of cases (cases.tsv, manifests/,
upstream.hosts), for test_differential.py. Rows about more than the oracle knows are passed over:
addresses of the daemon's choice, worlds of several directories or of what is no YAML."""

import csv
import os
import re

from . import addresses
from .objects import Placed
from .oracle import Config, Oracle


def read_upstream(path):
    table = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            address, *names = line.partition("#")[0].split() or [None]
            for name in names:
                table.setdefault(name.lower(), []).append(addresses.parse(address))
    return table


def read_world(yaml, directory):
    """None if there is more to it than files of YAML."""
    world = []
    for name in sorted(os.listdir(directory)):
        if os.path.isdir(os.path.join(directory, name)):
            return None
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            try:
                for number, document in enumerate(yaml.safe_load_all(file)):
                    world.append(Placed(0, name, number, document))
            except yaml.YAMLError:
                return None
    return world


def configuration(options):
    """None with options that the oracle does not know."""
    config = Config(allocate=False, pods="disabled")
    for option in options.split(","):
        key, _, value = option.partition("=")
        if key in ("zone", "pods"):
            setattr(config, key, value)
        elif key in ("namespaces", "search"):
            setattr(config, key, value.split("+"))
        elif key == "ndots":
            config.ndots = int(value)
        elif key in ("ignore_empty_service", "endpoint_pod_names"):
            setattr(config, key, True)
        elif key == "unsynced":
            config.loading = True
        elif option != "-":
            return None
    return config


EXPECTED = {"NODATA": ["NO_DATA"], "NXDOMAIN": ["NOT_FOUND", "NOT_OURS"],
            "NOTFOUND": ["NOT_FOUND"], "NOTOURS": ["NOT_OURS"], "SERVFAIL": ["TRY_AGAIN"]}
PATTERN = re.compile(r"[@={*]")  # in what tests/README.md describes, addresses of another answer


def wrong(row, answer):
    """What is wrong with an answer to a row, None if nothing is."""
    expected = row["expected"]
    if expected in EXPECTED:
        allowed = EXPECTED[expected]
        if row["id"] in ("EX09", "EX17", "EX18", "PR11"):
            allowed = ["NO_DATA", "NOT_FOUND"]
        return None if answer.status in allowed else f"{answer}, not {expected}"
    if row["family"] == "ptr":
        return None if answer.names == [row["canon"]] else f"{answer}, not {row['canon']}"
    if sorted(answer.addresses) != sorted(map(addresses.parse, expected.split(","))):
        return f"{answer}, not {expected}"
    good = row["canon"] in ("-", "*") or answer.names[:1] == [row["canon"]]
    return None if good else f"{answer}, not {row['canon']}"


def check(yaml, directory):
    """Asks every row; returns (number of rows, list of (id, what is wrong))."""
    upstream = read_upstream(os.path.join(directory, "upstream.hosts"))
    worlds, bad, count = {}, [], 0
    with open(os.path.join(directory, "cases.tsv"), encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["set"] not in worlds:
                path = os.path.join(directory, "manifests", row["set"])
                worlds[row["set"]] = read_world(yaml, path)
            world, config = worlds[row["set"]], configuration(row["options"])
            if world is None or config is None or PATTERN.search(row["query"] + row["expected"]):
                continue
            oracle = Oracle(world, config, upstream)
            query = "" if row["query"] == "(empty)" else row["query"]
            if row["family"] == "ptr":
                answer = oracle.reverse(query)
            else:
                answer = oracle.resolve(query, row["family"], row["namespace"])
            problem = wrong(row, answer)
            count += 1
            if problem:
                bad.append((row["id"], problem))
    return count, bad
