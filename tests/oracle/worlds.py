# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random worlds of manifests by seed.

World(seed) holds directories of files of documents, the configuration and what the nameserver
knows; `placed()` is what the oracle reads, `write()` puts the same into files for the daemon.
"""

import copy
import os
import random

from . import runtimes, text
from .invent import NAMESPACES, SERVICES, UPSTREAM, Inventor
from .objects import Placed
from .oracle import Config


MARKER = "zz-marker.yaml"


class World(Inventor):
    def __init__(self, seed):
        super().__init__()
        self.seed = seed
        self.rng = random.Random(seed)
        self.namespaces = self.rng.sample(NAMESPACES, self.rng.randint(2, 4))
        self.services = self.rng.sample(SERVICES, self.rng.randint(3, 6))
        self.config = self.configuration()
        if self.chance(0.25):  # so that <name>.<zone> means something in the search list
            self.services[0], self.namespaces[0] = self.config.zone.split(".")
            self.config.ndots = self.rng.choice([1, 2, 2, 5])
        self.upstream = UPSTREAM
        self.objects = self.all_objects()
        if self.chance(0.25):
            self.config.runtimes = runtimes.invent(self.rng, self.objects, self.namespaces)
        self.directories = self.distribute()

    def configuration(self):
        rng, chance = self.rng, self.chance
        zone = rng.choice(["cluster.local"] * 4 + ["fluster.local", "interwebs.test"])
        config = Config(zone=zone)
        config.namespace = rng.choice(["default", "default", *self.namespaces])
        config.allocate = chance(0.75)
        config.pods = rng.choice(["verified", "verified", "insecure", "disabled"])
        if chance(0.25):
            config.namespaces = rng.sample(self.namespaces, len(self.namespaces) // 2) + ["nosuch"]
        config.fallthrough = chance(0.3)
        config.endpoint_pod_names = chance(0.3)
        config.ignore_empty_service = chance(0.3)
        if chance(0.2):
            domains = [f"{ns}.svc.{zone}" for ns in self.namespaces] + [f"svc.{zone}", zone]
            config.search = rng.sample(domains + ["example.org"], rng.randint(0, 3))
        if chance(0.3):
            config.ndots = rng.randint(1, 4)
        config.node_ips = rng.choice([["192.168.77.1"], ["192.168.77.1", "fd00:77::1"],
                                      ["fd00:77::1"]])
        config.service_cidrs = self.ranges("127.96.0.0/24", "fd96::/120")
        config.pod_cidrs = self.ranges("127.244.0.0/24", "fd44::/120")
        return config

    def ranges(self, inet, inet6):
        return self.rng.choice([[inet]] * 3 + [[inet, inet6]] * 2 + [[inet6, inet], [inet6]])

    def distribute(self):
        """Directories, in the order of `manifests`: (allocate, namespace, {file: documents})."""
        rng = self.rng
        directories = []
        for _ in range(rng.randint(1, 3)):
            allocate = not (self.config.allocate and self.chance(0.15))
            namespace = rng.choice(self.namespaces) if self.chance(0.25) else None
            names = rng.sample(["a.yaml", "a-b.yaml", "Z.yml", "10.yaml", "b.json"],
                               rng.randint(1, 4))
            directories.append((allocate, namespace, {name: [] for name in names}))
        if not any(allocate for allocate, _, _ in directories):
            directories[0] = (True, *directories[0][1:])
        for one in self.objects:
            _, namespace, files = rng.choice(directories)
            meta = one["metadata"]
            if meta.get("namespace") == (namespace or self.config.namespace) and self.chance(0.5):
                del meta["namespace"]
            rng.choice(list(files.values())).append(one)
        for _, _, files in directories:
            for name, documents in files.items():
                files[name] = self.listed(documents)
        return directories

    def changed(self, step):
        """Another world of the same configuration: some documents gone, changed, moved or new."""
        other = copy.copy(self)
        other.rng = random.Random(f"change {self.seed} {step}")
        fresh = World(f"{self.seed} {step}")
        fresh.namespaces, fresh.services, fresh.config = self.namespaces, self.services, self.config
        new = [one for one in fresh.all_objects() if one["metadata"].get("namespace")]
        other.directories = [(allocate, namespace, {name: [d for d in documents
                                                           if other.chance(0.85)]
                                                    for name, documents in files.items()})
                             for allocate, namespace, files in self.directories]
        for one in other.rng.sample(new, min(len(new), other.rng.randint(0, 6))):
            _, _, files = other.rng.choice(other.directories)
            other.rng.choice([d for name, d in files.items() if name != MARKER]).append(one)
        return other.marked(step)

    def marked(self, step):
        """With a Service by whose address one sees that everything up to here has been read."""
        _, _, files = self.directories[0]
        files[MARKER] = [{"apiVersion": "v1", "kind": "Service",
                          "metadata": {"name": f"marker-{step}", "namespace": "default"},
                          "spec": {"clusterIP": self.marker(step)}}]
        return self

    @staticmethod
    def marker(step):
        return f"10.99.0.{step + 1}"

    def listed(self, documents):
        """Some of a file's documents as lists."""
        if len(documents) > 1 and self.chance(0.25):
            return [{"apiVersion": "v1", "kind": "List", "items": documents}]
        if len(documents) > 1 and self.chance(0.2):
            kind, version = documents[0]["kind"], documents[0]["apiVersion"]
            same = [d for d in documents if (d["kind"], d["apiVersion"]) == (kind, version)]
            rest = [d for d in documents if d not in same]
            bare = [{k: v for k, v in d.items() if k not in ("kind", "apiVersion")} for d in same]
            return [{"apiVersion": version, "kind": f"{kind}List", "items": bare}, *rest]
        return documents

    def placed(self):
        return [Placed(rank, name, number, document, allocate, namespace)
                for rank, (allocate, namespace, files) in enumerate(self.directories)
                for name, documents in files.items()
                for number, document in enumerate(documents)]

    def write(self, directory):
        """The manifests below `directory`; returns the text of a kubesvcd.yaml for them."""
        manifests = []
        if self.config.runtimes is not None:
            runtimes.write(self.config.runtimes, directory)
        for rank, (allocate, namespace, files) in reversed(list(enumerate(self.directories))):
            path = os.path.join(directory, f"m{rank}")
            os.makedirs(path, exist_ok=True)
            manifests.insert(0, {"path": path} | ({"namespace": namespace} if namespace else {})
                             | ({} if allocate else {"allocate": False}))
            for name, documents in sorted(files.items(), key=lambda item: item[0] == MARKER):
                rng = random.Random(f"{self.seed} {rank} {name}")
                written = text.as_json if name.endswith(".json") else text.as_yaml
                replace(os.path.join(path, name), written(documents, rng))
        sources = {} if self.config.runtimes is None else {"sources": runtimes.settings(directory)}
        return text.as_yaml([self.settings() | {"manifests": manifests} | sources],
                            random.Random(0))

    def settings(self):
        config = self.config
        settings = {
            "zone": config.zone, "namespace": config.namespace, "allocate": config.allocate,
            "pods": config.pods, "fallthrough": config.fallthrough, "ndots": config.ndots,
            "endpointPodNames": config.endpoint_pod_names,
            "ignoreEmptyService": config.ignore_empty_service, "nodeIPs": config.node_ips,
            "serviceCIDRs": config.service_cidrs, "podCIDRs": config.pod_cidrs,
        }
        if config.namespaces is not None:
            settings["namespaces"] = config.namespaces
        if config.search is not None:
            settings["search"] = config.search
        return settings


def replace(path, content):
    """Writes a file, at once and only if it says something else."""
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == content:
                return
    except FileNotFoundError:
        pass
    hidden = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.new")
    with open(hidden, "w", encoding="utf-8") as file:
        file.write(content)
    os.rename(hidden, path)
