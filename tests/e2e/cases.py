#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Asks the questions of a table and compares the answers: cases.py [-v] DIR [ID...]

DIR contains cases.tsv, manifests/<set>/ and, for names outside the zone, upstream.hosts;
tests/README.md describes the columns. Each group of rows with the same set and options gets a real
daemon of its own; every row is asked through glibc with the module loaded, by getaddrinfo and by
gethostbyname2 or gethostbyaddr. KUBESVC_BUILD names the build directory (default: build).
"""

import argparse
import csv
import fnmatch
import ipaddress
import itertools
import json
import os
import pathlib
import re
import socket
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import Client, Daemon, wait_for  # noqa: E402: needs the path above
from nameserver import Nameserver  # noqa: E402

OUTCOMES = {
    None: "FOUND",
    "EAI_NODATA": "NODATA",
    "NO_DATA": "NODATA",
    "EAI_NONAME": "NXDOMAIN",
    "HOST_NOT_FOUND": "NXDOMAIN",
    "EAI_AGAIN": "SERVFAIL",
    "TRY_AGAIN": "SERVFAIL",
}
WORDS = {"NODATA", "NXDOMAIN", "SERVFAIL", "NOTFOUND", "NOTOURS"}

# Of a name that only an alias leads to, and of a Service that was never applied, DNS servers may say
# either.
EITHER = {"EX09", "EX17", "EX18", "PR11"}

FLAGS = {  # option: line of the configuration
    "allocate": "allocate: true",
    "ignore_empty_service": "ignoreEmptyService: true",
    "endpoint_pod_names": "endpointPodNames: true",
    "fallthrough": "fallthrough: true",
}
SCALARS = {"zone", "pods", "ndots", "namespace", "maxFileSize"}
LISTS = {"namespaces", "search", "podCIDRs", "serviceCIDRs", "nodeIPs"}

HELD_UP = 48 << 20  # bytes of manifest that are read before the first load is complete


class Mismatch(Exception):
    """The answer is not the expected one."""


def read_table(directory):
    with open(directory / "cases.tsv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def parse_options(text):
    options = {}
    for option in text.split(",") if text not in ("-", "") else []:
        name, _, value = option.partition("=")
        if name not in FLAGS.keys() | SCALARS | LISTS | {"dirs", "unsynced"}:
            raise ValueError(f"unknown option {name!r}")
        options[name] = value
    return options


def manifests_of(world, dirs):
    """`dirs=a;allocate=false+b`: subdirectories of the world, each with its properties."""
    for entry in dirs.split("+") if dirs else [""]:
        name, *properties = entry.split(";")
        path = (world / name).resolve()
        if not path.is_dir():
            raise ValueError(f"{path} is no directory")
        yield {"path": str(path)} | dict(item.split("=", 1) for item in properties)


def configuration(options, directories, nameserver):
    """The text of a kubesvcd.yaml."""
    lines = [] if "allocate" in options else ["allocate: false"]
    if "pods" not in options:
        lines.append("pods: disabled")
    for name, value in options.items():
        if name in FLAGS:
            lines.append(FLAGS[name])
        elif name in SCALARS:
            lines.append(f"{name}: {value}")
        elif name in LISTS:
            lines.append(f"{name}: {json.dumps(value.split('+') if value else [])}")
    if nameserver:
        lines.append(f'nameservers: ["{nameserver.address}"]')
    lines.append("manifests:")
    for directory in directories:
        pairs = ", ".join(
            f"{name}: {json.dumps(value) if name == 'path' else value}"
            for name, value in directory.items()
        )
        lines.append(f"  - {{{pairs}}}")
    return "\n".join(lines) + "\n"


def hold_up():
    """A directory with a manifest that takes the daemon seconds to read."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="held-", dir=".")).resolve()
    entries = "".join(f"  key-{i:04}: value\n" for i in range(4000))
    document = f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n{entries}"
    with open(directory / "large.yaml", "w", encoding="ascii") as file:
        for _ in range(HELD_UP // len(document)):
            file.write(document)
    return directory


def accepts(path):
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
            return True
        except OSError:
            return False


def is_ready(daemon):
    try:
        daemon.wait_state("READY=1", 0)
        return True
    except AssertionError:
        return False


def dashed(address):
    text = str(address)
    return re.sub("[.:]", "-", text + "0" if text.endswith("::") else text)


class Group:
    """The rows of one set with one list of options, and the daemon that answers them."""

    def __init__(self, directory, world, options, nameserver, way=None):
        self.options, self.way = parse_options(options), way
        directories = list(manifests_of(directory / "manifests" / world, self.options.get("dirs")))
        if "unsynced" in self.options:
            directories.append({"path": str(hold_up())})
        config = configuration(self.options, directories, nameserver)
        self.daemon = Daemon([], config=config, ready="unsynced" not in self.options)
        self.clients = {}

    def __enter__(self):
        self.daemon.__enter__()
        if "unsynced" in self.options:
            wait_for(lambda: accepts(self.daemon.socket), "the socket")
        if self.way:
            self.way = self.way(self.daemon, self.options)
        return self

    def __exit__(self, *arguments):
        for client in self.clients.values():
            client.__exit__(*arguments)
        if self.way:
            self.way.__exit__(*arguments)
        self.daemon.__exit__(*arguments)

    def client(self, namespace):
        if self.way:
            return self.way.client(namespace)
        if namespace not in self.clients:
            env = dict(self.daemon.env)
            if namespace != "-":
                env["KUBESVC_NAMESPACE"] = namespace
            self.clients[namespace] = Client(env)
        return self.clients[namespace]

    def addresses(self, name, family):
        """What a name has now; it must have something."""
        answer = self.client("-").ask(family, name)
        if not answer.addresses:
            raise Mismatch(f"{name} has no address: {answer.error}")
        addresses = {ipaddress.ip_address(address) for address in answer.addresses}
        return sorted(addresses, key=lambda address: (address.version, address))

    def check(self, row):
        if self.way and self.way.leaves_out(row):
            return
        if row["family"] == "ptr":
            self.check_reverse(row)
        else:
            self.check_forward(row)
        if "unsynced" in self.options and is_ready(self.daemon):
            raise Mismatch("the first load was complete too soon to ask before it")

    def substitute(self, row):
        """A query `{NAME}.x` asks for the dashed address of NAME: (query, that address)."""
        match = re.search(r"\{(6:)?([^}]+)\}", row["query"])
        if not match:
            return "" if row["query"] == "(empty)" else row["query"], None
        address = self.addresses(match[2], "inet6" if match[1] else "inet")[0]
        return row["query"].replace(match[0], dashed(address)), address

    def check_forward(self, row):
        query, address = self.substitute(row)
        kinds = [row["family"] + "+canon"]
        if row["family"] != "unspec":
            kinds.append(f"name2-{row['family']}")
            if row["expected"] != "SERVFAIL":  # glibc makes EAI_NONAME of it here
                kinds.append(row["family"])
        for kind in kinds:
            answer = self.client(row["namespace"]).ask(kind, query)
            if not self.outcome(row, kind, answer):
                continue
            self.compare(row, kind, answer, address)
            if row["canon"] != "-" and answer.canon is not None:
                if not fnmatch.fnmatchcase(answer.canon, row["canon"]):
                    raise Mismatch(f"{kind}: canonical name {answer.canon}")

    def outcome(self, row, kind, answer):
        """Is the row answered with addresses or a name, and is that right?"""
        got = OUTCOMES.get(answer.error, answer.error)
        meanings = {got}
        if answer.passed_on:  # whatever the next service said
            got, meanings = "passed on", {"NXDOMAIN", "NOTOURS"}
        elif got == "NXDOMAIN":
            meanings.add("NOTFOUND")
        wanted = {row["expected"]} & WORDS or {"FOUND"}
        if row["id"] in EITHER:
            wanted = {"NODATA", "NXDOMAIN"}
        if self.way:
            wanted, meanings = self.way.translate(row, wanted, meanings)
        if not wanted & meanings:
            found = ",".join(answer.addresses) or answer.canon or ""
            raise Mismatch(f"{kind}: {got} {found}".rstrip())
        return got == "FOUND"

    def compare(self, row, kind, answer, substituted):
        rest = [ipaddress.ip_address(a) for a in answer.addresses]
        if len(set(rest)) != len(rest):
            raise Mismatch(f"{kind}: an address twice: {','.join(answer.addresses)}")
        rest = set(rest)
        wrong = Mismatch(f"{kind}: {','.join(answer.addresses)}")
        expected = set()
        ranges = []
        for item in row["expected"].split(","):
            count, at, range_text = item.partition("@")
            if at:
                ranges.append((count, ipaddress.ip_network(range_text)))
            elif item.startswith("="):
                families = ["inet", "inet6"] if row["family"] == "unspec" else [row["family"]]
                for family in families:
                    expected.update(self.addresses(item[1:], family))
            else:
                expected.add(substituted if item == "{}" else ipaddress.ip_address(item))
        if not expected <= rest:
            raise wrong
        rest -= expected
        for count, network in ranges:
            inside = {address for address in rest if address in network}
            if len(inside) < 1 or (count != "+" and len(inside) != int(count)):
                raise wrong
            rest -= inside
        if rest:
            raise wrong

    def check_reverse(self, row):
        query = row["query"]
        addresses = self.addresses(query[1:], "unspec") if query.startswith("@") else [query]
        for text in addresses:
            address = ipaddress.ip_address(text)
            answer = self.client(row["namespace"]).ask("addr", str(address))
            if not self.outcome(row, "addr", answer):
                continue
            names = row["expected"].split(",")
            if not any(fnmatch.fnmatchcase(answer.canon, name) for name in names):
                raise Mismatch(f"{address}: {answer.canon}")
            if not fnmatch.fnmatchcase(answer.canon, row["canon"]):
                raise Mismatch(f"{address}: {answer.canon}, not the preferred name")
            if answer.aliases:
                raise Mismatch(f"{address}: aliases {answer.aliases}")
            # One name, and it leads back, unless its Service is hidden (rule 51).
            if "ignore_empty_service" in self.options:
                continue
            address = getattr(address, "ipv4_mapped", None) or address
            family = "inet" if address.version == 4 else "inet6"
            if address not in self.addresses(answer.canon + ".", family):
                raise Mismatch(f"{answer.canon} does not lead back to {address}")


def run(directory, ids=(), verbose=False, way=None):
    """Runs a table in the working directory: (number of rows, [(row, what was wrong)]). `way`:
    made with a daemon and its options, asks instead of glibc (dns_stub.py)."""
    directory = pathlib.Path(directory).resolve()
    rows = [row for row in read_table(directory) if not ids or row["id"] in ids]
    key = lambda row: (row["set"], row["options"])
    failures = []
    upstream = directory / "upstream.hosts"
    nameserver = Nameserver(upstream) if upstream.exists() else None
    try:
        for (world, options), group in itertools.groupby(sorted(rows, key=key), key):
            group = list(group)
            try:
                with Group(directory, world, options, nameserver, way) as asked:
                    for row in group:
                        try:
                            asked.check(row)
                            if verbose:
                                print(f"ok   {row['id']} {row['query']}", flush=True)
                        except Mismatch as mismatch:
                            failures.append((row, str(mismatch)))
            except Exception as error:  # of the daemon or of the client: so for all its rows
                failures += [(row, f"not asked: {error}") for row in group
                             if all(row is not failed for failed, _ in failures)]
    finally:
        if nameserver:
            nameserver.__exit__()
    return len(rows), failures


def describe(row, got):
    return (f"{row['id']} {row['family']} {row['query']} in {row['namespace']}: {got}; "
            f"expected {row['expected']} (canon {row['canon']}; set {row['set']}, "
            f"options {row['options']}; {row['source']})")


def main():
    parser = argparse.ArgumentParser(description="Runs a table of questions and answers.")
    parser.add_argument("-v", action="store_true", help="also name the rows that are as expected")
    parser.add_argument("directory", metavar="DIR")
    parser.add_argument("ids", nargs="*", metavar="ID")
    arguments = parser.parse_args()
    directory = pathlib.Path(arguments.directory).resolve()
    # Short: the path of a socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="ks-", dir="/tmp") as temporary:
        os.chdir(temporary)
        n, failures = run(directory, set(arguments.ids), arguments.v)
        os.chdir("/")
    for row, got in failures:
        print(describe(row, got))
    print(f"{n} cases, {n - len(failures)} as expected, {len(failures)} not")
    return 1 if failures or n == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
