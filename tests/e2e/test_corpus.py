"""Real manifests of public repositories, if they are there: each repository is one world.

KUBESVC_CORPUS  where they are (default: ../shared/corpus beside the sources)
"""

import collections
import csv
import json
import os
import pathlib
import re

from harness import Client, Daemon, limit, same, skip
from inspect_client import inspect

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = pathlib.Path(os.environ.get("KUBESVC_CORPUS", ROOT.parent / "shared" / "corpus"))
RANGES = """serviceCIDRs: [127.96.0.0/16, "fd00:96::/112"]
podCIDRs: [127.244.0.0/16, "fd00:244::/64"]
"""  # of both families: some Services are of IPv6 only
READ = (".yaml", ".yml", ".json")
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def repositories():
    if not CORPUS.is_dir():
        skip(f"no corpus at {CORPUS}")
    return sorted(path for path in CORPUS.iterdir() if path.is_dir())


def expected_services():
    """{repository: {(namespace, name)}}, as another YAML library found them."""
    found = collections.defaultdict(set)
    with open(CORPUS / "EXPECT-services.jsonl", encoding="utf-8") as file:
        for one in map(json.loads, file):
            repository, namespace = one["file"].split("/")[0], one.get("namespace") or "default"
            if all(LABEL.fullmatch(label) for label in (one["name"], namespace)):
                found[repository].add((namespace, one["name"]))
    return found


def selects(service, thing):
    return (thing["namespace"] == service["namespace"]
            and service["selector"].items() <= thing.get("labels", {}).items())


class World:
    """What the daemon says there is in a repository."""

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


def check_repository(path, expected):
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
            counts[got if wanted else "nobody"] += 1
            if wanted and got != wanted:
                wrong.append(f"{name}: {got}, expected {wanted}")
    same(wrong, [], path.name)
    return counts


@limit(600)
def test_services_of_real_repositories_resolve():
    expected, total = expected_services(), collections.Counter()
    for path in repositories():
        total += check_repository(path, expected[path.name])
    print(dict(total))
    assert total["FOUND"] > 400, total


@limit(300)
def test_a_template_is_one_complaint():
    templates = collections.defaultdict(set)
    repositories()
    with open(CORPUS / "EXPECT.tsv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            repository, _, name = row["file"].partition("/")
            if row["status"] == "template" and name.endswith(READ):
                templates[repository].add(name)
    for repository, names in sorted(templates.items()):
        with Daemon(CORPUS / repository) as daemon:
            daemon.wait_line("ready: ")
            said = collections.Counter()
            for line in daemon.lines:
                match = re.search(r"/([^/\s:]+):\d+:\d+: .*template", line)
                said.update(match.groups() if match else ())
            once = {name for name in names if said[name] == 1}
            same(sorted(names - once), [], f"templates of {repository} not named just once")
