# SPDX-License-Identifier: LGPL-2.1-or-later
"""Addresses as canonical text, and addresses that the daemon will choose.

An allocated address cannot be predicted. It is a Token here, one for each object and family, and
takes the place of the text everywhere; `learn.py` finds out which address the daemon chose.
"""

import ipaddress
import re
from typing import NamedTuple


class Token(NamedTuple):
    """The address of `family` that an object is given: kind and name of the object, number of the
    pod among a workload's."""
    what: str  # "service" or "pod"
    kind: str
    namespace: str
    name: str
    number: int
    family: int


def parse(text):
    """Canonical text of an address as Kubernetes reads it, None if it is none (rules 7, 72)."""
    if not isinstance(text, str):
        return None
    if re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}", text):  # leading zeroes are decimal
        octets = [int(octet) for octet in text.split(".")]
        return ".".join(map(str, octets)) if max(octets) <= 255 else None
    if "%" in text:
        return None
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return None
    return str(address.ipv4_mapped or address)


def packed(text):
    """As bytes that sort as the daemon sorts addresses."""
    return ipaddress.IPv6Address(f"::ffff:{text}" if "." in text else text).packed


def is_canonical(text):
    return parse(text) == text


def family_of(address):
    if isinstance(address, Token):
        return address.family
    return 6 if ":" in address else 4


def dashed(address, trailing_zero=True):
    """The label of an address (rules 34 and 36)."""
    label = address.replace(".", "-").replace(":", "-")
    return label + "0" if trailing_zero and label.endswith("-") else label


def in_ranges(address, ranges):
    parsed = ipaddress.ip_address(address)
    return any(parsed in ipaddress.ip_network(one) for one in ranges)


def range_families(ranges):
    """The families that have a range, in the order of the ranges."""
    return list(dict.fromkeys(ipaddress.ip_network(one).version for one in ranges))
