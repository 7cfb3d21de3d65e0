# SPDX-License-Identifier: LGPL-2.1-or-later
"""Worlds of manifests in the shapes that are met in repositories; each directory is one world."""

import collections
import csv
import json
import re

from harness import Client, Daemon, inputs, limit, same
from inspect_client import inspect

RANGES = """serviceCIDRs: [127.96.0.0/16, "fd00:96::/112"]
podCIDRs: [127.244.0.0/16, "fd00:244::/64"]
"""  # of both families: some Services are of IPv6 only
READ = (".yaml", ".yml", ".json")
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def worlds(corpus):
    return sorted(path for path in corpus.iterdir() if path.is_dir())


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def expected_services(corpus):
    """{world: {(namespace, name)}}, as another YAML library found them."""
    found = collections.defaultdict(set)
    with open(corpus / "EXPECT-services.jsonl", encoding="utf-8") as file:
        for one in map(json.loads, file):
            world, namespace = one["file"].split("/")[0], one.get("namespace") or "default"
            if all(LABEL.fullmatch(label) for label in (one["name"], namespace)):
                found[world].add((namespace, one["name"]))
    return found


def selects(service, thing):
    return (thing["namespace"] == service["namespace"]
            and service["selector"].items() <= thing.get("labels", {}).items())


class World:
    """What the daemon says there is."""

    def __init__(self, daemon):
        kinds = "services", "workloads", "pods"
        self.services, self.workloads, self.pods = (inspect(daemon.socket, k) for k in kinds)

    def expected(self, service):
        """The outcome of a Service's own name; None if nothing in the world is behind it."""
        chosen = [pod for pod in self.pods if selects(service, pod)]
        running = [pod for pod in chosen if pod["ready"] and pod.get("addresses")]
        if running:
            return "FOUND"
        if not chosen and not any(selects(service, one) for one in self.workloads):
            return None
        # its workloads run nothing: scaled to none, suspended, complete, a CronJob
        return "NOT_FOUND" if service["headless"] else "FOUND"


def outcome(answer):
    if answer.error is None:
        return "FOUND"
    return {"EAI_NONAME": "NOT_FOUND", "EAI_NODATA": "NO_DATA"}.get(answer.error, answer.error)


def check_world(path, expected):
    """Asks for all its Services; {outcome: how many}."""
    counts, wrong = collections.Counter(), []
    with Daemon(path, RANGES) as daemon, Client(daemon.env) as client:
        world = World(daemon)
        daemon.wait_line("ready: ")
        known = {(one["namespace"], one["name"]) for one in world.services}
        for line in daemon.lines:  # kubectl would refuse them
            known.update(re.findall(r" error: Service ([^/ ]+)/([^: ]+): ", line))
        same(sorted(expected - known), [], f"Services of {path.name} that are not known")
        for service in world.services:
            if not service.get("selector") or service["type"] == "ExternalName":
                continue
            wanted = world.expected(service)
            name = f"{service['name']}.{service['namespace']}.svc.cluster.local"
            got = outcome(client.ask("unspec+canon", name))
            counts[got if wanted else "none"] += 1
            if wanted and got != wanted:
                wrong.append(f"{name}: {got}, expected {wanted}")
    same(wrong, [], path.name)
    return counts


@limit(600)
def test_services_resolve():
    for corpus in inputs("corpus"):
        expected, total = expected_services(corpus), collections.Counter()
        for path in worlds(corpus):
            total += check_world(path, expected[path.name])
        print(corpus, dict(total))
        assert total["FOUND"] > 25, total


def wrong_answer(client, kind, name, expected):
    """None if the name has these addresses: literal ones, or that many of the daemon's choice."""
    if expected == "*":
        return None
    answer = client.ask(kind, name)
    if expected.isdigit():
        ranges = ("127.96.", "127.244.", "fd00:96::", "fd00:244::")
        good = len(answer.addresses) == int(expected) and all(
            address.startswith(ranges) for address in answer.addresses)
    else:
        good = sorted(answer.addresses) == sorted(expected.split(","))
    return None if good else f"{kind} {name}: {answer}, expected {expected}"


def test_names():
    """Answers as they were worked out by hand, for the project's own worlds."""
    corpus = inputs("corpus")[0]
    by_world = collections.defaultdict(list)
    for row in rows(corpus / "EXPECT-names.tsv"):
        by_world[row["world"]].append(row)
    same(sorted(by_world), [path.name for path in worlds(corpus)], "worlds with names")
    for world, names in by_world.items():
        with Daemon(corpus / world, RANGES) as daemon, Client(daemon.env) as client:
            wrong = [wrong_answer(client, kind, row["name"] + ".svc.cluster.local", row[kind])
                     for row in names for kind in ("inet", "inet6")]
            same([one for one in wrong if one], [], world)


@limit(300)
def test_a_template_is_one_complaint():
    for corpus in inputs("corpus"):
        templates = collections.defaultdict(set)
        for row in rows(corpus / "EXPECT.tsv"):
            world, _, name = row["file"].partition("/")
            if row["status"] == "template" and name.endswith(READ):
                templates[world].add(name)
        assert templates, corpus
        for world, names in sorted(templates.items()):
            with Daemon(corpus / world) as daemon:
                daemon.wait_line("ready: ")
                said = collections.Counter()
                for line in daemon.lines:
                    match = re.search(r"/([^/\s:]+):\d+:\d+: .*template", line)
                    said.update(match.groups() if match else ())
                once = {name for name in names if said[name] == 1}
                same(sorted(names - once), [], f"templates of {world} not named just once")
