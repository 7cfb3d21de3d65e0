# SPDX-License-Identifier: LGPL-2.1-or-later
"""SRV records: the Kubernetes DNS specification 1.1.0, sections 2.3.2 and 2.4.2, and what docs/dns.md
says of it."""

from .names import ready, strip_underscore
from .services import SENTINEL, is_token

EXISTS, ABSENT, LEFT = "NOERROR", "NXDOMAIN", "REFUSED"


def kind_of(oracle, name):
    """Response codes that are right."""
    outcomes = [oracle.absolute(name, family) for family in (4, 6)]
    kinds = {outcome.kind for outcome in outcomes}
    if kinds & {"LEFT", "OUTSIDE"}:
        return {LEFT}
    if any(outcome.either for outcome in outcomes):
        return {EXISTS, ABSENT}
    return {ABSENT} if kinds == {"NXDOMAIN"} else {EXISTS}


def records(oracle, name):
    """(target, number) of an absolute name; None where addresses are not known that names are made
    of."""
    zone = oracle.config.zone
    labels = name.lower().removesuffix(zone).rstrip(".").split(".")
    if labels[-1] != "svc" or len(labels) < 3:
        return set()
    service = oracle.find(labels[-2], labels[-3])
    if service is None or service.external is not None:
        return set()
    below, own = labels[:-3], ".".join([*labels[-3:], zone])
    if not service.headless:
        addresses = service.cluster_ips if len(below) != 1 else []
        return {(own, number) for number in numbers(service.ports, below) if addresses}
    found = set()
    for endpoint in ready(service):
        # An address that is there several times has all of its ports under each of its names.
        same = [e for e in ready(service) if oracle.bound(e.address) == oracle.bound(endpoint.address)]
        matching = set().union(*(numbers(e.ports, below if len(below) == 2 else []) for e in same))
        if not endpoint.hostname and is_token(oracle.bound(endpoint.address)) and matching:
            return None
        for label in oracle.labels(endpoint)[:1]:
            if len(below) != 1 or below[0] == label:
                found |= {(f"{label}.{own}", number) for number in matching}
    return found


def numbers(ports, below):
    port, protocol = map(strip_underscore, below) if len(below) == 2 else ("", "")
    return {number for name, proto, number in ports
            if [(name, proto, number)] != SENTINEL
            and port in ("", name.lower()) and protocol in ("", proto.lower())}
