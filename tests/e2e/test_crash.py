# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon is killed at any moment: what it has answered, it answers again, and no address is
ever given to two.

KUBESVC_CRASHES and KUBESVC_CRASH_SEED make it longer, or another one.
"""

import os
import random
import shutil
import signal
import time

from comparing import answers
from harness import BUILD, PATIENCE, SANITIZED, Client, Daemon, limit, same, wait_for

SEED = int(os.environ.get("KUBESVC_CRASH_SEED", "1"))
CRASHES = int(os.environ.get("KUBESVC_CRASHES", "40"))
NAMES = [f"s{i}" for i in range(12)]
QUESTIONS = [f"{name}.default.svc.cluster.local" for name in NAMES]
PADDING = 400_000
CONFIG = "podCIDRs: [127.244.0.0/24]\nserviceCIDRs: [127.96.0.0/24]\n"


def leased(name, replicas):
    """A Service whose address is leased, or (replicas > 0) a headless one over leased pods."""
    text = (f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n"
            f"spec: {{{'clusterIP: None, ' if replicas else ''}selector: {{app: {name}}}}}\n")
    if replicas:
        text += (f"---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\n"
                 f"spec:\n  replicas: {replicas}\n  selector: {{matchLabels: {{app: {name}}}}}\n"
                 f"  template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{}}}}\n")
    return text


def put(directory, name, text):
    (directory / f".{name}").write_text(text)
    os.rename(directory / f".{name}", directory / f"{name}.yaml")


def change(rng, directory, files):
    """One object comes, goes, or has other replicas; a kind is kept: another one is another lease."""
    name = rng.choice(NAMES)
    if name in files and rng.random() < 0.3:
        os.unlink(directory / f"{name}.yaml")
        del files[name]
        return
    headless = NAMES.index(name) % 2
    files[name] = rng.randint(1, 6) if headless else 0
    put(directory, name, leased(name, files[name]))


def addresses_of(result):
    return {question: found for question, found in result.items()
            if question in QUESTIONS and isinstance(found, list)}


def nothing_twice(result, about):
    seen = [address for found in addresses_of(result).values() for address in found]
    same(sorted(seen), sorted(set(seen)), f"{about}: addresses")


def kept(before, after, files, about):
    """Of what was answered and is still there, nothing is another address now."""
    for name, question in zip(NAMES, QUESTIONS):
        old, new = before.get(question), after.get(question)
        if name not in files or not isinstance(old, list):
            continue
        assert isinstance(new, list), f"{about}: {question}: {old} before, now {new}"
        fewer, more = sorted([set(old), set(new)], key=len)
        assert fewer <= more, f"{about}: {question}: {old} before, now {new}"


def checksum(text):
    """FNV-1a."""
    result = 0x811C9DC5
    for byte in text.encode():
        result = (result ^ byte) * 0x01000193 & 0xFFFFFFFF
    return result


def outgrow(journal):
    """So many lines that cancel each other that the daemon compacts the journal at once."""
    pair = [f"{event} pod 127.244.0.250 default/Deployment/padding/0" for event in "+x"]
    text = "".join(f"{line} {checksum(line):08x}\n" for line in pair)
    with open(journal, "a", encoding="ascii") as file:
        file.write("\n" + text * (PADDING // len(text) + 1))


@limit(60 + CRASHES)
def test_killed_at_any_moment():
    rng, files = random.Random(SEED), {}
    daemon = Daemon({}, config=CONFIG)
    directory = daemon.directories[0]
    before = {}
    for crash in range(CRASHES):
        about = f"seed {SEED}, crash {crash}"
        with Client(daemon.env) as client:
            for _ in range(rng.randint(1, 8)):
                change(rng, directory, files)
            end = time.monotonic() + rng.random() * 0.03  # somewhere in the work on these
            while time.monotonic() < end:
                # an answer is a promise, for as long as the object is there
                now = answers(client, QUESTIONS)
                before = {q: now[q] for q in QUESTIONS if isinstance(now[q], list)}
        daemon.stop(signal.SIGKILL)
        daemon = Daemon(directory, dir=daemon.dir)
        with Client(daemon.env) as client:
            after = answers(client, QUESTIONS)
        nothing_twice(after, about)
        kept(before, after, files, about)
        for name, question in zip(NAMES, QUESTIONS):
            same(question in addresses_of(after), name in files, f"{about}: {question} is there")
        before = {}
    same(daemon.stop(), 0, "status of the daemon")


def version(path):
    """Of a file, if there is one."""
    try:
        st = path.stat()
    except FileNotFoundError:
        return None
    return st.st_ino, st.st_mtime_ns


@limit(60 + CRASHES)
def test_killed_while_the_journal_is_compacted():
    """Killed at random moments, again and again; the answers stay the same."""
    files = {f"{name}.yaml": leased(name, i % 2 * 3) for i, name in enumerate(NAMES)}
    with Daemon(files, config=CONFIG) as daemon, Client(daemon.env) as client:
        before = answers(client, QUESTIONS)
        directory, home = daemon.directories[0], daemon.dir
    rng = random.Random(SEED)
    new = home / "state" / "leases.new"
    journal = home / "state" / "leases"
    # A slow disk lets none go on after the new file is written; sanitizers want to be loaded first.
    slow = [] if SANITIZED else ["env", f"LD_PRELOAD={BUILD}/e2e/preload_slow_disk.so",
                                 f"SLOW_DISK={journal}"]
    for crash in range(CRASHES):
        outgrow(journal)
        left = version(new)
        hold = slow and crash % 8 == 0
        daemon = Daemon(directory, dir=home, ready=False, wrapper=slow if hold else [])
        end = time.monotonic() + PATIENCE
        while version(new) in (None, left) and journal.stat().st_size >= PADDING:
            assert time.monotonic() < end, "no compaction came"
        end = time.monotonic() + rng.choice([0, 0.004]) * rng.random()
        while time.monotonic() < end:
            pass
        daemon.stop(signal.SIGKILL)
        assert new.exists() or not hold, "it was done already"
    with Daemon(directory, dir=home) as daemon, Client(daemon.env) as client:
        same(answers(client, QUESTIONS), before, "answers")
        wait_for(lambda: journal.stat().st_size < PADDING, "compaction")
        wait_for(lambda: not new.exists(), "the end of it")
    shutil.rmtree(home)


def test_journal_cut_off_anywhere():
    """As a crash of the whole machine may leave it, byte for byte."""
    rng = random.Random(SEED)
    files = {f"{name}.yaml": leased(name, i % 2 * 3) for i, name in enumerate(NAMES)}
    with Daemon(files, config=CONFIG) as daemon, Client(daemon.env) as client:
        before = answers(client, QUESTIONS)
        directory, home = daemon.directories[0], daemon.dir
    journal = home / "state" / "leases"
    whole = journal.read_bytes()
    for cut in rng.sample(range(len(whole)), 10) + [0, len(whole) - 1]:
        journal.write_bytes(whole[:cut])
        (home / "state" / "leases.new").write_bytes(whole[: cut // 2])
        with Daemon(directory, dir=home) as daemon, Client(daemon.env) as client:
            first = answers(client, QUESTIONS)
        nothing_twice(first, f"cut at {cut}")
        same(len(addresses_of(first)), len(NAMES), f"cut at {cut}: names with addresses")
        # What the journal still said is as before. It is written in the order of the names.
        lines = whole[:cut].count(b"\n") - 1
        intact = sum(found == before[question] for question, found in addresses_of(first).items())
        assert lines < 1 or intact > 0, f"cut at {cut}: none of {lines} leases was kept"
        with Daemon(directory, dir=home) as daemon, Client(daemon.env) as client:
            same(answers(client, QUESTIONS), first, f"cut at {cut}, started again")
    shutil.rmtree(home)
