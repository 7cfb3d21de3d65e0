# SPDX-License-Identifier: LGPL-2.1-or-later
"""Comparing answers, and learning which addresses the daemon chose for whom.

Each answer that holds allocated addresses says: the addresses of these tokens are these. Whether
one assignment fits all answers is decided by counting: tokens and addresses that occur in the same
answers have to be equally many. Tokens alike in that and of one object are interchangeable and are
bound; others stay unbound.
"""

from collections import Counter

from . import addresses
from .services import is_token


class Learner:
    def __init__(self, oracle):
        self.oracle = oracle
        self.equations = []  # (tokens, addresses, question)

    def compare(self, question, expected, got):
        """What is wrong with the answer that was got, None if nothing is."""
        allowed = {expected.status}
        if expected.either:
            allowed |= {"NO_DATA", "NOT_FOUND"}
        if expected.malformed:
            allowed.add("NOT_FOUND")
        if got.status not in allowed:
            return "status"
        if expected.status == "FOUND" and got.names != expected.names:
            return "names"
        wanted = Counter(map(self.oracle.bound, expected.addresses))
        tokens = {a for a in wanted if is_token(a)}
        stated = Counter({a: n for a, n in wanted.items() if not is_token(a)})
        left = Counter(got.addresses)
        if stated - left or sum(wanted.values()) != sum(left.values()):
            return "addresses"
        chosen = left - stated
        if not tokens:
            return None
        if any(n > 1 for n in chosen.values()) or len(chosen) != len(tokens):
            return "addresses"
        for address in chosen:
            problem = self.misplaced(address, next(iter(tokens)))
            if problem:
                return problem
        self.equations.append((tokens, set(chosen), question))
        return None

    def misplaced(self, address, token):
        config = self.oracle.config
        ranges = config.service_cidrs if token.what == "service" else config.pod_cidrs
        if not addresses.in_ranges(address, ranges):
            return f"{address} is not in {ranges}"
        if address in self.oracle.stated:
            return f"{address} was given away though a manifest states it"
        return None

    def settle(self):
        """Binds what can be bound. Returns the groups that were not, as (tokens, addresses), and
        what does not fit together, or None."""
        tokens, chosen, unsure = {}, {}, []
        for number, (mine, theirs, _) in enumerate(self.equations):
            for members, table in (mine, tokens), (theirs, chosen):
                for member in members:
                    table[member] = table.get(member, ()) + (number,)
        for signature in set(tokens.values()) | set(chosen.values()):
            mine = sorted(t for t, s in tokens.items() if s == signature)
            theirs = sorted(a for a, s in chosen.items() if s == signature)
            if len(mine) != len(theirs):
                asked = [self.equations[number][2] for number in signature]
                return [], f"{mine} and {theirs} cannot be the same (asked {asked})"
            if len({object_of(token) for token in mine}) == 1:
                self.oracle.bindings.update(zip(mine, theirs))
            else:
                unsure.append((mine, theirs))
        self.equations = []
        return unsure, None


def object_of(token):
    return token._replace(number=0)
