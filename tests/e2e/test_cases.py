"""The tables of questions and answers, through glibc (cases.py)."""

import pathlib

import cases
from harness import limit, skip

ROOT = pathlib.Path(__file__).resolve().parents[2]


def check(directory):
    n, failures = cases.run(directory)
    for row, got in failures:
        print(cases.describe(row, got))
    assert n > 0 and not failures, f"{len(failures)} of {n} cases are not as expected"


@limit(300)
def test_own_table():
    check(ROOT / "tests" / "cases")


@limit(300)
def test_shared_table():
    directory = ROOT.parent / "shared" / "cases"
    if not (directory / "cases.tsv").exists():
        skip("no table at ../shared/cases")
    check(directory)
