# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers of a daemon compared with those of a fresh one that is given the same files and a copy of
the state: whatever happened before, they must be the same."""

import ipaddress
import shutil
import tempfile
import time

from harness import Client, Daemon, same


def sorted_addresses(addresses):
    return sorted(addresses, key=lambda text: (":" in text, ipaddress.ip_address(text)))


def ask(client, kind, name):
    """The answer of a daemon that runs: on a busy machine it may be too late for the first lookup."""
    return client.until(kind, name, lambda a: a.error not in ("EAI_AGAIN", "TRY_AGAIN"))


def answers(client, names):
    """{question: answer}: of names their addresses, and of all of these their names."""
    result = {}
    for name in names:
        answer = ask(client, "unspec", name)
        result[name] = answer.error or sorted_addresses(answer.addresses)
    for found in [found for found in result.values() if isinstance(found, list)]:
        for address in found:
            if address not in result:
                answer = ask(client, "addr", address)
                result[address] = answer.error or answer.canon
    return result


def fresh_answers(daemon, names):
    """Those of a daemon that starts now with what `daemon` has on disk."""
    options = [word for path in daemon.directories for word in ("--manifests", str(path))]
    copy = tempfile.mkdtemp(prefix="f", dir=".")
    shutil.copytree(daemon.dir / "state", f"{copy}/state")
    shutil.copy(daemon.config, copy)
    with Daemon([], dir=copy, options=options) as fresh, Client(fresh.env) as client:
        result = answers(client, names)
    shutil.rmtree(copy)
    return result


# Less than the ten seconds after which a file is read whose close was missed.
SOON = 8


def compare(daemon, client, names, about):
    """A file that was still being closed, or only just linked, is looked at again a little later."""
    want, end = fresh_answers(daemon, names), time.monotonic() + SOON
    while (have := answers(client, names)) != want and time.monotonic() < end:
        time.sleep(0.02)
    different = {name: (have.get(name), want.get(name)) for name in have | want
                 if have.get(name) != want.get(name)}
    same(different, {}, f"{about}: {{question: (answer, that of a fresh daemon)}}")
