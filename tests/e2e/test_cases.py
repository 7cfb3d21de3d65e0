# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tables of questions and answers, through glibc (cases.py)."""

import pathlib
import re
import sys

import cases
from harness import inputs, limit, same

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from oracle.rules import SWITCHABLE  # noqa: E402: needs the path above

ALIASES = 92  # a table has no column for them; test_differential compares them


def check(directory):
    n, failures = cases.run(directory)
    for row, got in failures:
        print(cases.describe(row, got))
    assert n > 0 and not failures, f"{len(failures)} of {n} cases are not as expected"


@limit(300)
def test_tables():
    for directory in inputs("cases"):
        check(directory)


def test_own_table_covers_every_rule():
    cited = set()
    for row in cases.read_table(ROOT / "tests" / "cases"):
        for numbers in re.findall(r"rules? ([0-9, ]+)", row["source"]):
            cited |= {int(number) for number in re.findall("[0-9]+", numbers)}
    numbered = {rule for rule in SWITCHABLE if isinstance(rule, int)}
    same(sorted(numbered - cited - {ALIASES}), [], "rules that no row proves")
