# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tables of questions and answers, by DNS with the search list that a pod has."""

import cases
from dns_stub import Way
from harness import inputs, limit


@limit(300)
def test_tables_by_dns():
    for directory in inputs("cases"):
        n, failures = cases.run(directory, way=Way)
        for row, got in failures:
            print(cases.describe(row, got))
        assert n > 0 and not failures, f"{len(failures)} of {n} cases are not as expected"
