# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stub resolver as a pod has it: the search list, both families, aliases, by DNS alone. It answers
as the harness's Client does, so that the same tables can be asked through it."""

import ipaddress
import re

from dns_server import DnsServer
from harness import Answer

ERRORS = {"NODATA": "EAI_NODATA", "NXDOMAIN": "EAI_NONAME", "SERVFAIL": "EAI_AGAIN"}
FAMILIES = {"inet": ["A"], "inet6": ["AAAA"], "unspec": ["A", "AAAA"]}
LABEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}")


def is_name(name):
    return 1 <= len(name) <= 253 and all(LABEL.fullmatch(label) for label in name.split("."))


class Stub:
    def __init__(self, server, zone, search, ndots):
        self.server, self.zone, self.search, self.ndots = server, zone.lower().rstrip("."), search, ndots

    def in_zone(self, name):
        return ("." + name.lower()).endswith("." + self.zone)

    def reserved(self, name):
        """Names that no other server is asked for."""
        return self.in_zone(name) or name.lower().endswith(".svc")

    def candidates(self, name):
        """Names to try, in order; whether each is the name as it was typed."""
        if name.endswith("."):
            return [(name[:-1], True)]
        listed = [(f"{name}.{domain}", False) for domain in self.search]
        if name.count(".") >= self.ndots:
            return [(name, True), *listed]
        return [*listed, (name, True)]

    def is_bare(self, name):
        """The zone, svc, pod or a namespace: it exists because others are below it."""
        below = name.lower()[: -len(self.zone)].rstrip(".")
        return self.in_zone(name) and re.fullmatch(r"|svc|pod|[^.]*\.(svc|pod)", below) is not None

    def ask_one(self, name, kinds):
        """One candidate: (outcome, addresses, names)."""
        outcomes, addresses, names = set(), [], []
        for kind in kinds:
            response = self.server.whole(name, kind)
            found = response.data(kind)
            addresses += found
            if found:
                outcomes.add("FOUND")
                chain = [record.data for record in response.answer if record.type == "CNAME"]
                names = names or [name, *(alias.rstrip(".") for alias in chain)]
            else:
                outcomes.add("NODATA" if response.rcode == "NOERROR" else response.rcode)
        for outcome in "FOUND", "SERVFAIL", "NODATA", "NXDOMAIN", "REFUSED":
            if outcome in outcomes:
                return outcome, addresses, names
        raise AssertionError(f"{name}: {outcomes}")

    def ask(self, kind, query):
        kind = kind.removesuffix("+canon").removeprefix("name2-")
        if kind == "addr":
            return self.ask_address(query)
        name = query.rstrip(".") if query.endswith(".") else query
        if not is_name(name) or name.lower() == "localhost":
            # resolvers do not ask for it
            return Answer("EAI_NONAME", passed_on=[] if self.reserved(name) else [query])
        return self.walk(query, FAMILIES[kind])

    def walk(self, query, kinds):
        """glibc's, with one difference that the module makes as well: a short name is not ours only
        because there is a namespace by that name."""
        met, settled = set(), False
        reserved = self.reserved(query.rstrip("."))
        for name, typed in self.candidates(query):
            if not is_name(name):
                continue
            outcome, addresses, names = self.ask_one(name, kinds)
            if outcome == "FOUND":
                return Answer(None, addresses, names[-1], names[:-1])
            if outcome == "NODATA" and self.is_bare(name) and not reserved:
                continue
            if not settled:
                met.add(outcome)
            # of a name that was tried as it is, that is what counts, unless another one is found
            settled = settled or (typed and outcome != "REFUSED")
        for outcome in "NODATA", "SERVFAIL":
            if outcome in met:
                return Answer(ERRORS[outcome])
        return Answer("EAI_NONAME", passed_on=[query] if not reserved or met == {"REFUSED"} else [])

    def ask_address(self, text):
        address = ipaddress.ip_address(text)
        address = getattr(address, "ipv4_mapped", None) or address
        response = self.server.whole(address.reverse_pointer, "PTR")
        if response.rcode == "REFUSED":
            return Answer("HOST_NOT_FOUND", passed_on=[text])
        names = [name.rstrip(".") for name in response.data("PTR")]
        if names:
            return Answer(None, [text], names[0], names[1:])
        return Answer({"NXDOMAIN": "HOST_NOT_FOUND", "SERVFAIL": "TRY_AGAIN"}.get(response.rcode, "NO_DATA"))


class Way:
    """Asks a daemon of the tables by DNS instead of through glibc."""

    def __init__(self, daemon, options):
        zone = options.get("zone", "cluster.local")
        self.server = DnsServer(daemon, config=f"zone: {zone}\n")
        self.options, self.zone = options, zone

    def client(self, ns):
        ns = self.options.get("namespace", "default") if ns == "-" else ns
        if "search" in self.options:
            search = self.options["search"].split("+") if self.options["search"] else []
        else:
            search = [f"{ns}.svc.{self.zone}", f"svc.{self.zone}", self.zone]
        return Stub(self.server, self.zone, search, int(self.options.get("ndots", 5)))

    def leaves_out(self, row):
        """The server's own names, which the module does not have; and what is asked before the first
        load, for which the server waits (test_dns.py)."""
        own = rf"(ns\.dns|dns|dns-version)\.{re.escape(self.zone)}\.?"
        return "unsynced" in self.options or re.fullmatch(own, row["query"].lower())

    def translate(self, row, wanted, meanings):
        """What a stub resolver is to find where the table expects `wanted`, and what it found."""
        # No resolver can tell a Service without endpoints from one that is not there.
        return wanted, meanings | ({"NOTFOUND"} if "NOTOURS" in meanings else set())

    def __exit__(self, *arguments):
        self.server.__exit__(*arguments)
