# SPDX-License-Identifier: LGPL-2.1-or-later
"""One world, asked of something that answers, and compared with the oracle.

What answers has resolve(name, family, namespace) and reverse(text): wire.Wire, Simulated, ...
"""

import ipaddress
import random
from dataclasses import dataclass

from . import addresses
from .learn import Learner, object_of
from .oracle import Answer, Oracle
from .questions import Questions, answer, tokens_of
from .services import is_token


@dataclass
class Mismatch:
    why: str
    question: tuple = None
    expected: Answer = None
    got: Answer = None
    through: str = "the wire"


class Simulated:
    """An oracle that has chosen addresses, in place of a daemon."""

    def __init__(self, oracle, bindings=None):
        self.oracle = oracle
        oracle.bindings = assign(oracle) if bindings is None else bindings

    def resolve(self, name, family, namespace=None):
        return self.bound(self.oracle.resolve(name, family, namespace))

    def reverse(self, text):
        return self.bound(self.oracle.reverse(text))

    def bound(self, given):
        given.addresses = [self.oracle.bound(a) for a in given.addresses]
        return given


def assign(*oracles):
    """An address for every token. Oracles that are to differ by nothing else, such as by what
    collides with what, get theirs together."""
    taken, chosen = set().union(*(oracle.stated for oracle in oracles)), {}
    config = oracles[0].config
    for token in sorted(set().union(*map(tokens_of, oracles))):
        ranges = config.service_cidrs if token.what == "service" else config.pod_cidrs
        network = next(n for n in map(ipaddress.ip_network, ranges) if n.version == token.family)
        at = random.Random(repr(token)).randrange(1, network.num_addresses)
        while str(network[at]) in taken:
            at = (at + 1) % network.num_addresses
        chosen[token] = str(network[at])
        taken.add(chosen[token])
    return chosen


def ask(asker, question):
    kind, text, namespace = question
    return asker.reverse(text) if kind == "ptr" else asker.resolve(text, kind, namespace)


class Comparison:
    def __init__(self, world, asker, glibc=None):
        """`glibc`, if given, asks too: glibc(question) returns an Answer."""
        self.oracle = Oracle(world.placed(), world.config, world.upstream)
        self.world, self.asker, self.glibc = world, asker, glibc
        self.learner = Learner(self.oracle)
        self.asked, self.current = 0, None  # the question being asked

    def compare(self, question):
        if question[0] != "ptr" and not 1 <= len(question[1]) <= 254:
            return None  # cannot be asked over the wire
        self.asked, self.current = self.asked + 1, question
        expected, got = answer(self.oracle, question), ask(self.asker, question)
        why = self.learner.compare(question, expected, got)
        return Mismatch(why, question, expected, got) if why else None

    def compare_glibc(self, question):
        self.asked, self.current = self.asked + 1, question
        expected, got = answer(self.oracle, question), self.glibc(question)
        if question[0] != "ptr" and self.oracle.module_refuses(question[1]):
            # A process knows zones other than the default one once it has the snapshot.
            in_zone = self.oracle.in_zone(question[1].rstrip("."))
            expected = Answer("NOT_OURS", malformed=in_zone)
        expected.names = expected.names[:max(1, len(got.names))]
        why = self.learner.compare(question, expected, got)
        return Mismatch(why, question, expected, got, "glibc") if why else None

    def run(self, count, glibc_count=0):
        """The first mismatch, or None."""
        problem = self.learn()
        if problem:
            return problem
        rng = random.Random(f"questions {self.world.seed}")
        questions = Questions(self.world, self.oracle, rng)
        for _ in range(count):
            problem = self.compare(questions.ask())
            if problem:
                return problem
        for _ in range(glibc_count):
            problem = self.compare_glibc(questions.ask())
            if problem:
                return problem
        return None

    def run_one(self, question):
        """One question, by both ways, after what is needed to understand it."""
        problem = self.learn() or self.compare(question)
        return problem or (self.compare_glibc(question) if self.glibc else None)

    # learning the allocated addresses

    def learn(self):
        for name in self.learning_names():
            for family in "inet", "inet6":
                problem = self.compare((family, name, None))
                if problem:
                    return problem
        groups, problem = self.learner.settle()
        if problem:
            return Mismatch(problem)
        return self.scan_reverse(groups) or self.scan_pods()

    def learning_names(self):
        """All names whose answers may hold tokens."""
        for service in self.oracle.services.values():
            full = self.oracle.zone_name(service) + "."
            yield full
            labels = {label for e in service.endpoints if is_token(e.address)
                      for label in self.oracle.labels(e)}
            for label in sorted(labels):
                yield f"{label}.{full}"

    def chosen(self):
        """{object: the addresses it was given}, of those whose addresses are all known."""
        given = {}
        for token in tokens_of(self.oracle):
            given.setdefault(object_of(token), []).append(self.oracle.bindings.get(token))
        return {one: set(found) for one, found in given.items() if None not in found}

    def unbound(self):
        return [t for t in tokens_of(self.oracle) if t not in self.oracle.bindings]

    def pod_range(self):
        for network in map(ipaddress.ip_network, self.oracle.config.pod_cidrs):
            yield from map(str, network)

    def scan_reverse(self, groups):
        """Who has which address can be seen by the names of addresses."""
        patterns = {}  # object: those of its pods, which may have other names
        for token in self.unbound():
            pattern = self.reverse_pattern(token) if token.what == "pod" else None
            if pattern:
                patterns.setdefault(object_of(token), set()).add(pattern)
        if not patterns:
            return None
        grouped = {address: {object_of(t) for t in tokens} for tokens, theirs in groups
                   for address in theirs}
        taken = self.oracle.stated | set(self.oracle.bindings.values())
        fits = {}
        for address in self.pod_range():
            if address in taken:
                continue
            self.asked += 1
            got = self.asker.reverse(address)
            if got.status != "FOUND":
                continue
            candidates = [o for o, theirs in patterns.items()
                          if o.family == addresses.family_of(address)
                          and o in grouped.get(address, patterns)
                          and got.names in [[pattern.format(addresses.dashed(address))]
                                            for pattern in theirs]]
            if not candidates:
                return Mismatch("an address that should have no such name",
                                ("ptr", address, None), None, got)
            fits.setdefault(tuple(candidates), []).append(address)
        return self.bind_fitting(fits, set(patterns))

    def reverse_pattern(self, token):
        """The name of an address of this object, with {} for the dashed label."""
        bindings, self.oracle.bindings = self.oracle.bindings, {}
        probe = "203.0.113.203" if token.family == 4 else "2001:db8:203::203"
        self.oracle.bindings = bindings | {token: probe}
        names = self.oracle.reverse(probe).names
        self.oracle.bindings = bindings
        return names[0].replace(addresses.dashed(probe), "{}") if names else None

    def bind_fitting(self, fits, named):
        """Binds what fits one object only. `fits`: {objects: addresses}."""
        unbound = self.unbound()
        for candidates, found in fits.items():
            tokens = [t for t in unbound if object_of(t) in candidates]
            if len(found) > len(tokens):
                return Mismatch(f"{found} are too many for {tokens}")
            if len(candidates) == 1 and len(found) == len(tokens):
                self.oracle.bindings.update(zip(tokens, found))
        found = sum(map(len, fits.values()))
        wanted = [t for t in unbound if object_of(t) in named]
        if found != len(wanted):
            return Mismatch(f"{len(wanted)} addresses should have names, of {wanted}; "
                            f"names are those of {sorted(fits.values())}")
        return None

    def scan_pods(self):
        """Pods that no Service selects are seen by their own names only."""
        if self.oracle.config.pods != "verified":
            return None
        unbound = set(self.unbound())
        for namespace in sorted(self.oracle.objects.namespaces):
            pods = [pod for pod in self.oracle.pods if pod.namespace == namespace
                    and unbound & set(self.oracle.named(pod))]
            if not pods or not self.oracle.exposed(namespace):
                continue
            tokens = sorted(unbound & {a for pod in pods for a in self.oracle.named(pod)})
            stated = {a for pod in self.oracle.pods if pod.namespace == namespace
                      for a in map(self.oracle.bound, self.oracle.named(pod))}
            found = []
            for address in self.pod_range():
                if address in stated:
                    continue
                self.asked += 1
                family = "inet6" if ":" in address else "inet"
                label = addresses.dashed(address)
                name = f"{label}.{namespace}.pod.{self.oracle.config.zone}."
                if self.asker.resolve(name, family).status == "FOUND":
                    found.append(address)
            if len(found) != len(tokens):
                return Mismatch(f"pod names of {found} in {namespace}, for {tokens}")
            if len({object_of(token) for token in tokens}) == 1:
                self.oracle.bindings.update(zip(tokens, found))
        return None
