# SPDX-License-Identifier: LGPL-2.1-or-later
"""Is the generator strong enough? Every switchable rule, switched off, has to change an answer."""

import random

from .compare import Simulated, ask, assign
from .oracle import Oracle
from .questions import Questions
from .rules import SWITCHABLE
from .worlds import World

QUESTIONS = 20_000


def comparable(given):
    return (given.status, sorted(given.addresses), given.names)


def discover(rules=tuple(SWITCHABLE), questions=QUESTIONS, each=40, first_seed=0):
    """{rule: (seed, question, with it, without it)} for those that were seen; the questions are
    `each` to a world, and the same for all rules."""
    seen, asked, seed = {}, 0, first_seed
    while asked < questions and len(seen) < len(rules):
        world = World(seed)
        placed = world.placed()
        oracles = {rule: Oracle(placed, world.config, world.upstream, off={rule} - {None})
                   for rule in [None, *rules] if rule not in seen}
        bindings = assign(*oracles.values())
        without = {rule: Simulated(oracle, bindings) for rule, oracle in oracles.items()}
        usual = without.pop(None)
        asking = Questions(world, usual.oracle, random.Random(f"questions {seed}"))
        for _ in range(each):
            question = asking.ask()
            expected = comparable(ask(usual, question))
            for rule, other in list(without.items()):
                got = comparable(ask(other, question))
                if got != expected:
                    seen[rule] = (seed, question, expected, got)
                    del without[rule]
        asked += each
        seed += 1
    return seen, asked
