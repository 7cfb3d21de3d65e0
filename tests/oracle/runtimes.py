# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pods that a runtime of the machine runs, and whose pods they are: docs/rules.md 110 to 112."""

import json
import os
from dataclasses import dataclass

from . import addresses

ORDER = ("podman", "cni")
NODE = "worker-1"


@dataclass
class Sighting:
    runtime: str
    namespace: str  # None: podman does not know it
    name: str
    network: str
    addresses: list
    since: int = 0
    secondary: bool = False


@dataclass
class Open:
    """An object with pods of which no manifest says where they are."""
    kind: str
    namespace: str
    name: str
    pods: list
    first: int = 0
    workload: object = None

    def index(self, sighting, makes_name):
        """Which of its pods that is: a number, "any", or None."""
        name, own = sighting.name, self.name
        if sighting.namespace not in (None, self.namespace):
            return None
        if self.kind == "Pod":
            static = sighting.namespace and name == f"{own}-{NODE}"
            return 0 if name == own or static else None
        called = {}
        if self.kind == "StatefulSet":
            called = {f"{own}-{self.first + i}": i for i in range(len(self.pods))}
        elif sighting.namespace is None and self.kind in ("Deployment", "DaemonSet", "Job"):
            called = {f"{own}-pod-{i}": i for i in range(len(self.pods))
                      if self.kind == "Deployment"} | {f"{own}-pod": 0}
        elif sighting.namespace and makes_name(self.workload, name, len(self.pods)):
            indexed = self.kind == "Job" and self.workload.spec.get("completionMode") == "Indexed"
            if not indexed or name[-6] != "-":
                return "any"
            number = int(name[len(own) + 1 :].partition("-")[0])
            return number if number < len(self.pods) else None
        return called.get(name)


def preference(sighting):
    return (ORDER.index(sighting.runtime), sighting.secondary, sighting.network, -sighting.since,
            -len(sighting.addresses), [addresses.packed(a) for a in sighting.addresses])


def superseded(sighting, sightings):
    """Another pod has been given one of its addresses since."""
    return any(set(other.addresses) & set(sighting.addresses) and other.since > sighting.since
               and (other.namespace, other.name) != (sighting.namespace, sighting.name)
               for other in sightings)


def place(opens, sightings, makes_name, on):
    """Gives the pods their addresses; those that were not seen have none, and are not ready."""
    for pod in [pod for one in opens for pod in one.pods]:
        pod.ready = False
    taken = {id(one): [] for one in opens}
    for sighting in sightings if on("sightings") else []:
        claims = [one for one in opens if one.index(sighting, makes_name) is not None]
        if claims and (len(claims) == 1 or not on("ambiguous")) \
                and not superseded(sighting, sightings):
            taken[id(claims[0])].append(sighting)
    for one in opens:
        seats, drawn = {}, {}
        for sighting in sorted(taken[id(one)], key=preference):
            index = one.index(sighting, makes_name)
            if index == "any":
                drawn.setdefault(sighting.name, sighting)
            else:
                seats.setdefault(index, sighting)
        for sighting in sorted(drawn.values(), key=lambda s: (-s.since, s.name)):
            free = [i for i in range(len(one.pods)) if i not in seats]
            if free:
                seats[free[0]] = sighting
        for index, sighting in seats.items():
            pod = one.pods[index]
            pod.addresses, pod.ready = list(sighting.addresses), True
            if not pod.indexed:
                pod.name = sighting.name


# --- Worlds ---


def invent(rng, objects, namespaces):
    """Files of a podman and of network plugins: {(runtime, file): [Sighting]}, one for a pod of a
    plugin; mostly of pods that the objects could have."""
    files = {("podman", network): [] for network in ("net-a", "net-b")}
    named = [o for o in objects if o["kind"] in ("Pod", "Deployment", "StatefulSet", "DaemonSet",
                                                 "Job", "ReplicaSet", "ReplicationController")]
    number, used = 0, []
    for one in rng.sample(named, min(len(named), rng.randint(1, 14))):
        for _ in range(rng.randint(1, 3)):
            number += 1
            runtime = rng.choice(ORDER)
            namespace = None if runtime == "podman" else \
                one["metadata"].get("namespace") or rng.choice(namespaces)
            name = one["metadata"]["name"] + end_of_name(rng, one, runtime)
            if len(name) > 63 and runtime == "cni":  # as the API server cuts it
                name = name[:58] + name[-5:]
            given = rng.choice(used) if used and rng.random() < 0.1 else \
                [f"10.89.0.{number + 1}"] + ([f"fd00:89::{number + 1}"] if rng.random() < 0.3 else [])
            used.append(given)
            network = rng.choice(["net-a", "net-b"])
            # podman's lines are as old as their file
            since = 10 if runtime == "podman" else rng.randint(1, 20)
            sighting = Sighting(runtime, namespace, name, network, given, since,
                                runtime == "cni" and rng.random() < 0.15)
            key = (runtime, network if runtime == "podman" else f"{network}-{number}")
            files.setdefault(key, []).append(sighting)
    return files


def end_of_name(rng, one, runtime):
    kind, drawn = one["kind"], rng.choice(["x2k8p", "bcdfg", "24567"])
    if kind == "Pod":
        return rng.choice(["", "", "", f"-{NODE}"])
    if kind == "StatefulSet":
        return f"-{rng.randint(0, 4)}"
    if runtime == "podman":
        return rng.choice(["-pod", "-pod-0", "-pod-1", "-pod-2", ""])
    if kind == "Deployment":
        return f"-{rng.choice(['7d4b9c6f5d', '5c8f6d7b9'])}-{drawn}"
    if one["spec"].get("completionMode") == "Indexed":
        return f"-{rng.randint(0, 3)}-{drawn}"
    return f"-{drawn}"


def write(files, directory):
    """Puts the files below `directory`, as old as they say."""
    for (runtime, name), sightings in files.items():
        path = os.path.join(directory, runtime)
        os.makedirs(path, exist_ok=True)
        content = podman_file(sightings) if runtime == "podman" else cni_file(sightings[0])
        hidden = os.path.join(path, f".{name}")
        with open(hidden, "w", encoding="utf-8") as file:
            file.write(content)
        since = sightings[0].since if sightings else 0
        os.utime(hidden, (since, since))
        os.rename(hidden, os.path.join(path, name))


def podman_file(sightings):
    lines = ["10.89.0.1\n"]
    for number, sighting in enumerate(sightings):
        families = [",".join(a for a in sighting.addresses if (":" in a) == inet6)
                    for inet6 in (False, True)]
        lines.append(f"{number:064x} {families[0]} {families[1]} {sighting.name},c\n")
    return "".join(lines)


def cni_file(sighting):
    return json.dumps({
        "kind": "cniCacheV1", "networkName": sighting.network,
        "ifName": "net1" if sighting.secondary else "eth0",
        "cniArgs": [["K8S_POD_NAMESPACE", sighting.namespace], ["K8S_POD_NAME", sighting.name]],
        "result": {"ips": [{"address": f"{a}/24"} for a in sighting.addresses]}})


def settings(directory):
    return [{"podman": {"directory": os.path.join(directory, "podman")}},
            {"cni": {"directory": os.path.join(directory, "cni"), "node": NODE}}]
