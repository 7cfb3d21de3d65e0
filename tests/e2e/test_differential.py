# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random worlds, asked of the daemon and of the rules written a second time (tests/oracle).

KUBESVC_DIFFERENTIAL_SECONDS  how long test_random_worlds goes on (default 40)
KUBESVC_DIFFERENTIAL_SEEDS    which worlds: "17", "100-199", or from 0 on until time is up
"""

import os
import pathlib
import random
import shutil
import sys
import tempfile
import time

from harness import HERE, Client, Daemon, client_env, inputs, limit, same, skip, wait_for

sys.path.insert(0, str(HERE.parent))

from oracle import cases, sensitivity  # noqa: E402: needs the path above
from oracle.compare import Comparison, Mismatch, Simulated  # noqa: E402
from oracle.nameserver import Nameserver  # noqa: E402
from oracle.oracle import Answer, Oracle  # noqa: E402
from oracle.rules import ELSEWHERE, SOURCES, SWITCHABLE  # noqa: E402
from oracle.shrink import shrink  # noqa: E402
from oracle.wire import Wire  # noqa: E402
from oracle.worlds import UPSTREAM, World  # noqa: E402

SECONDS = float(os.environ.get("KUBESVC_DIFFERENTIAL_SECONDS", "40"))
SEEDS = os.environ.get("KUBESVC_DIFFERENTIAL_SEEDS", "0-999999")
QUESTIONS, GLIBC_QUESTIONS = 150, 30
STATUS = {None: "FOUND", "EAI_NODATA": "NO_DATA", "NO_DATA": "NO_DATA", "EAI_NONAME": "NOT_FOUND",
          "HOST_NOT_FOUND": "NOT_FOUND", "EAI_AGAIN": "TRY_AGAIN", "TRY_AGAIN": "TRY_AGAIN"}


class Glibc:
    """Questions through the module, by one client for each namespace."""

    def __init__(self, socket):
        self.socket, self.clients, self.rng = socket, {}, random.Random(0)

    def __call__(self, question):
        kind, text, namespace = question
        if namespace not in self.clients:
            self.clients[namespace] = Client(client_env(self.socket, namespace=namespace))
        kinds = {"ptr": ["addr"], "unspec": ["unspec+canon"], "inet": ["inet+canon", "name2-inet"],
                 "inet6": ["inet6+canon", "name2-inet6"]}
        kind = self.rng.choice(kinds[kind])
        answer = self.clients[namespace].ask(kind, text)
        if answer.passed_on:
            return Answer("NOT_OURS")
        names = [answer.canon, *answer.aliases] if not answer.error else []
        found = answer.addresses if kind != "addr" else []
        return Answer(STATUS.get(answer.error, answer.error), found, names)

    def close(self):
        for client in self.clients.values():
            client.close()


def compare(world, nameserver, count=QUESTIONS, glibc_count=GLIBC_QUESTIONS, question=None):
    """Starts the daemon with a world and asks; (mismatch or None, number of questions). With
    `question` only that, after what is needed to understand it."""
    with tempfile.TemporaryDirectory(prefix="w", dir=".") as directory:
        path = pathlib.Path(directory).resolve()
        config = world.write(path) + f"nameservers: ['{nameserver.address}']\n"
        with Daemon([], config, dir=path) as daemon:
            glibc, wire = Glibc(daemon.socket), Wire(daemon.socket)
            comparison = Comparison(world, wire, glibc)
            try:
                if question:
                    problem = comparison.run_one(question)
                else:
                    problem = comparison.run(count, glibc_count)
                wire.close()
                glibc.close()
            except (AssertionError, OSError) as error:  # for instance, the daemon has died
                problem = Mismatch(f"{error}, status {daemon.process.poll()}", comparison.current)
            return problem, comparison.asked


def report(world, problem, nameserver):
    """Makes the world small and says all that is needed to look into it."""
    question = problem.question

    def still(smaller):
        other = compare(smaller, nameserver, 0, 0, question)[0]
        return other if other and kind_of(other) == kind_of(problem) else None

    small, small_problem = shrink(world, still)
    problem = small_problem or problem
    with tempfile.TemporaryDirectory(prefix="report", dir=".") as directory:
        config = small.write(directory)
        files = "".join(f"=== {path.relative_to(directory)}\n{path.read_text()}"
                        for path in sorted(pathlib.Path(directory).rglob("*.*"))
                        if len(path.read_text()) > len("---\n"))
    raise AssertionError(f"""seed {world.seed}, through {problem.through}: {problem.why}
question  {problem.question}
expected  {problem.expected}
got       {problem.got}
=== kubesvcd.yaml
{config}{files}
=== again: KUBESVC_DIFFERENTIAL_SEEDS={world.seed} tests/e2e/run.py random_worlds""")


def kind_of(problem):
    return (problem.question, problem.through, problem.got and problem.got.status,
            problem.expected and problem.expected.status)


def seeds():
    first, _, last = SEEDS.partition("-")
    return range(int(first), int(last or first) + 1)


@limit(SECONDS + 60)
def test_random_worlds():
    end, worlds, asked = time.monotonic() + SECONDS, 0, 0
    with Nameserver(UPSTREAM) as nameserver:
        for seed in seeds():
            if time.monotonic() > end:
                break
            world = World(seed)
            problem, count = compare(world, nameserver)
            worlds, asked = worlds + 1, asked + count
            if problem:
                report(world, problem, nameserver)
    print(f"{worlds} worlds, {asked} questions")
    assert asked > 100


@limit(SECONDS + 60)
def test_worlds_that_change():
    """What comes of changes equals what comes of the files; addresses stay with their objects."""
    end, steps = time.monotonic() + SECONDS / 2, 0
    with Nameserver(UPSTREAM) as nameserver:
        for seed in seeds():
            if time.monotonic() > end:
                break
            steps += follow(World(seed).marked(0), nameserver)
    print(f"{steps} changes")
    assert steps > 5


def follow(world, nameserver):
    path = pathlib.Path(tempfile.mkdtemp(prefix="c", dir=".")).resolve()
    config = world.write(path) + f"nameservers: ['{nameserver.address}']\n"
    about, chosen = f"seed {world.seed}", {}
    with Daemon([], config, dir=path) as daemon:
        wire = Wire(daemon.socket)
        for step in range(1, 5):
            world = world.changed(step)
            world.write(path)
            wait_for(lambda step=step: wire.reverse(World.marker(step)).status != "NOT_OURS",
                     f"change {step} of {about}")
            chosen = agree(world, wire, chosen, f"{about}, change {step}, in {path}")
        wire.close()
    with Daemon([], config, dir=path) as daemon:
        wire = Wire(daemon.socket)
        agree(world, wire, chosen, f"{about}, started again")
        wire.close()
    shutil.rmtree(path)
    return step


def agree(world, wire, before, about):
    """Asks; returns who has which addresses, after a look at who had which before."""
    comparison = Comparison(world, wire)
    problem = comparison.run(40)
    if problem:
        raise AssertionError(f"{about}: {problem}")
    after = comparison.chosen()
    for one in before.keys() & after.keys():
        kept = before[one] - comparison.oracle.stated
        fewer, more = sorted((kept, after[one]), key=len)
        assert len(kept) < len(before[one]) or fewer <= more, (
            f"{about}: {one} had {sorted(kept)}, now has {sorted(after[one])}")
    return after


def test_oracle_knows_the_cases():
    try:
        import yaml
    except ImportError:
        skip("needs python3-yaml")
    for directory in inputs("cases"):
        count, wrong = cases.check(yaml, directory)
        assert count > 150 and not wrong, (directory, count, wrong)


def test_every_rule_matters():
    """Switching off any one rule changes an answer within 10,000 questions."""
    numbers = {rule for rule in [*SWITCHABLE, *ELSEWHERE] if isinstance(rule, int)}
    assert numbers == set(range(1, 97)), set(range(1, 97)) ^ numbers
    same(sorted(map(str, SWITCHABLE)), sorted(map(str, SOURCES)), "rules with a source")
    seen, asked = sensitivity.discover()
    missing = [f"{rule}: {SWITCHABLE[rule]}" for rule in SWITCHABLE if rule not in seen]
    assert not missing, f"no answer within {asked} questions depends on {missing}"


def test_comparison_learns_what_was_allocated():
    """The comparison itself, with an oracle in the daemon's place: right, then with a rule off."""
    noticed = 0
    for seed in range(60):
        world = World(seed)
        for off in set(), {40}, {1}, {"join"}, {"ordinals"}:
            other = Oracle(world.placed(), world.config, world.upstream, off=off)
            problem = Comparison(world, Simulated(other)).run(60)
            assert off or not problem, f"seed {seed}: {problem}"
            noticed += problem is not None
    assert noticed > 60, noticed
    assert isinstance(problem, (Mismatch, type(None)))
