#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks of the tree itself: what the documents promise about the sources holds.

    tests/tree/run.py [FILTER...]

Each function test_* is one test; it returns the complaints, a list of strings.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LICENCE = "SPDX-License-Identifier: " "LGPL-2.1-or-later"
SOURCES = ("nss", "lib", "daemon", "cli", "include", "dns", "cluster", "proxy")
TEXT = {".c", ".h", ".py", ".tsv", ".md", ".yaml", ".sh", ".1", ".5", ".8", ""}


def tracked(*below):
    """The files of the tree, without what is built; with git those that are or could be committed."""
    try:
        names = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard"],
                               cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]
        names = [name for name in names if not name.startswith("build/")]
    return [ROOT / name for name in sorted(names)
            if (not below or name.split("/")[0] in below) and (ROOT / name).is_file()]


def read(path):
    return path.read_text(encoding="utf-8", errors="replace")


CITATION = re.compile(r"(guest\s+)?\brules?\s+(?:\*\s+|//\s+|#\s+)?(\d+(?:(?:\s*,\s*|\s+and\s+|\s+to\s+|\s*,\s+and\s+)(?:\*\s+)?\d+)*)",
                      re.IGNORECASE)


def cited(text):
    """(guest?, number) for each rule that a text names: "rules 1, 3 to 5 and guest rule 34"."""
    for guest, numbers in CITATION.findall(text):
        numbers = re.sub(r"[*\s]+", " ", numbers)
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", numbers):
            for number in range(int(first), int(last or first) + 1):
                yield bool(guest), number


def numbered(document):
    return {int(number) for number in re.findall(r"^(\d+)\. ", read(ROOT / "docs" / document), re.M)}


def test_every_cited_rule_exists():
    rules = {False: numbered("rules.md"), True: numbered("nss-status.md")}
    complaints = []
    for path in tracked(*SOURCES, "tests", "share", "docs", "README.md"):
        if path.suffix not in TEXT or path == pathlib.Path(__file__):
            continue
        for guest, number in cited(read(path)):
            if number not in rules[guest]:
                kind = "guest rule" if guest else "rule"
                complaints.append(f"{path.relative_to(ROOT)}: there is no {kind} {number}")
    return complaints


def test_every_rule_is_cited_by_a_test():
    seen = set()
    for path in tracked("tests"):
        if path.suffix in TEXT:
            seen.update(number for guest, number in cited(read(path)) if not guest)
    oracle = read(ROOT / "tests" / "oracle" / "rules.py")
    seen.update(int(number) for number in re.findall(r"^    (\d+): \"", oracle, re.M))
    return [f"docs/rules.md: rule {number} is cited by no test"
            for number in sorted(numbered("rules.md") - seen)]


def test_rows_that_prove_a_rule_cite_it():
    """The rows that docs/rules.md names exist, and say that they are about that rule."""
    rows = {}
    for line in read(ROOT / "tests" / "cases" / "cases.tsv").splitlines()[1:]:
        columns = line.split("\t")
        rows[columns[0]] = {number for guest, number in cited(columns[6]) if not guest}
    complaints = []
    for number, text in re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |^#|\Z)", read(ROOT / "docs" / "rules.md"),
                                   re.M | re.S):
        proof = re.search(r"\*Rows:\*([^.]*)\.", text)
        for row in re.findall(r"[A-Z]{2,}\d+", proof[1]) if proof else []:
            if int(number) not in rows.get(row, ()):
                complaints.append(f"docs/rules.md: row {row} does not cite rule {number}")
    return complaints


def room_of(path, rooms):
    """The room of a file of sources or of an include; None: the roof of a program, or include/."""
    folders = pathlib.PurePath(path).parts[:-1]
    if folders and folders[0] in ("daemon", "lib"):
        folders = folders[1:]
    return folders[0] if folders and folders[0] in rooms else None


def test_includes_point_downwards():
    """A room includes only what stands right of it in the Makefile's ROOMS."""
    rooms = re.search(r"^ROOMS = (.*)$", read(ROOT / "Makefile"), re.M)[1].split()
    complaints = []
    for path in tracked("nss", "lib", "daemon", "cli", "cluster", "dns", "proxy"):
        if path.suffix not in (".c", ".h"):
            continue
        name = str(path.relative_to(ROOT))
        room = room_of(name, rooms)
        for number, line in enumerate(read(path).splitlines(), 1):
            include = re.match(r'#include "([^"]+)"', line)
            if not include or not room:
                continue
            target = include[1] if "/" in include[1] else f"{path.parent.relative_to(ROOT)}/{include[1]}"
            to = room_of(target, rooms)
            if not (ROOT / target).is_file() or not to or rooms.index(to) < rooms.index(room):
                complaints.append(f"{name}:{number}: {room} includes {include[1]}")
    return complaints


def test_every_source_names_its_licence():
    """The first lines of what is compiled, run or shown as a manual page say which licence it has."""
    complaints = []
    for path in tracked():
        name = str(path.relative_to(ROOT))
        data = re.match(r"\.ci/|debian/|tests/(corpus|cases|check|cli|fuzz/corpus)/", name)
        if data or path.is_symlink():
            continue
        text = read(path)[:300]
        source = path.suffix in (".c", ".h", ".py", ".sh", ".mk", ".map", ".1", ".5", ".8") or \
            path.name == "Makefile" or text.startswith("#!")
        if source and not text.startswith(".so ") and LICENCE not in text:
            complaints.append(f"{name}: has no line {LICENCE}")
    return complaints


def test_links_lead_to_files():
    """Every link of a document to another file of the tree leads somewhere."""
    complaints = []
    for path in tracked():
        if path.suffix != ".md":
            continue
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", read(path)):
            if "://" not in link and not (path.parent / link).exists():
                complaints.append(f"{path.relative_to(ROOT)}: there is no {link}")
    return complaints


def test_manual_pages_name_their_system():
    """Header and footer name kubesvc, not the system that mandoc would fill in."""
    return [f"{path.relative_to(ROOT)}: has no line .Os kubesvc" for path in tracked("share")
            if path.suffix in (".1", ".5", ".8") and not read(path).startswith(".so ")
            and "\n.Os kubesvc\n" not in read(path)]


def test_every_key_is_documented():
    """kubesvcd.yaml(5) and the sample configuration have every key that the daemon knows."""
    source = read(ROOT / "daemon" / "config" / "config_file.c")
    keys = re.findall(r'"(\w+)"', re.search(r"keys\[\] = \{(.*?)\}", source, re.S)[1])
    page, sample = (read(ROOT / "share" / name) for name in ("man/kubesvcd.yaml.5", "conf/kubesvcd.yaml"))
    complaints = [f"kubesvcd.yaml(5): {key} is missing" for key in keys
                  if not re.search(rf"^\.It Cm {key}( |$)", page, re.M)]
    return complaints + [f"share/conf/kubesvcd.yaml: {key} is missing" for key in keys
                         if not re.search(rf"^#{key}:", sample, re.M)]


def test_every_kind_is_offered():
    """The manual pages and the completions know every kind that is read, or listed by its own plural."""
    rows = re.findall(r'KIND\([^"]*"(\w+)", "(\w+)", "[^"]*", (\w+),', read(ROOT / "lib/model/object_kinds.h"))
    plurals = [plural for name, plural, listed in rows if listed != "nothing" and name != "EndpointSlice"]
    texts = [path for path in tracked("share") if path.name in ("kubesvc.1", "kubesvc.bash", "_kubesvc", "kubesvc.fish")]
    complaints = [] if len(rows) > 10 and len(texts) == 4 else ["the table of kinds, or a text about it, was not found"]
    page = read(ROOT / "share/man/kubesvcd.8")
    complaints += [f"kubesvcd(8): {name} is missing" for name, _, _ in rows if not re.search(rf"\b{name}\b", page)]
    return complaints + [f"{path.relative_to(ROOT)}: {plural} is missing" for path in texts for plural in plurals
                         if not re.search(rf"\b{plural}\b", read(path))]


def test_every_tag_names_one_type():
    """No two structures or enumerations of the product share a tag, so that a name means one thing."""
    places = {}
    for path in tracked(*SOURCES):
        if path.suffix in (".c", ".h"):
            for tag in re.findall(r"^(?:struct|enum) (\w+) \{", read(path), re.M):
                places.setdefault(tag, []).append(str(path.relative_to(ROOT)))
    return [f"{tag}: defined in {' and '.join(paths)}" for tag, paths in sorted(places.items()) if len(paths) > 1]


def main():
    wanted = sys.argv[1:]
    passed, failed = 0, []
    for name, test in list(globals().items()):
        if not name.startswith("test_") or (wanted and not any(word in name for word in wanted)):
            continue
        complaints = test()
        for complaint in complaints:
            print(complaint)
        print(f"{'FAIL' if complaints else 'ok'} {name}", flush=True)
        if complaints:
            failed.append(name)
        else:
            passed += 1
    print(f"{passed} passed, {len(failed)} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
