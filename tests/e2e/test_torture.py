# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random operations on a tree of manifests. Whenever it is quiet, the daemon must answer what one
that sees the tree for the first time answers.

KUBESVC_TORTURE_SEED and KUBESVC_TORTURE_STEPS make it another walk, or a longer one.
"""

import os
import random
import shutil

from comparing import compare
from harness import Client, Daemon, limit
from watching import service

SEED = int(os.environ.get("KUBESVC_TORTURE_SEED", "1"))
STEPS = int(os.environ.get("KUBESVC_TORTURE_STEPS", "400"))
CHECK_EVERY = 25
NAMES = [f"s{i}" for i in range(8)]
NAMESPACES = ["one", "two"]
FILES = [f"{c}.yaml" for c in "abcdef"] + ["g.json"]
DIRECTORIES = ["", "x", "y", "x/z"]


class Walk:
    """`root` is watched, recursively; `outside` is where links lead."""

    def __init__(self, seed, root, outside):
        self.rng = random.Random(seed)
        self.root, self.outside = root, outside
        self.done = []

    def documents(self):
        rng, result = self.rng, []
        for _ in range(rng.randint(0, 3)):
            name, ns = rng.choice(NAMES), rng.choice(NAMESPACES)
            head = f'"metadata": {{"name": "{name}", "namespace": "{ns}"}}'
            labels = f'{{"app": "{rng.choice(NAMES[:3])}"}}'
            kind = rng.randrange(5)
            if kind == 0:
                text = (f'"apiVersion": "v1", "kind": "Service", {head}, "spec": {{"clusterIP": "None", '
                        f'"selector": {labels}}}')
            elif kind == 1:
                text = (f'"apiVersion": "v1", "kind": "Service", {head}, "spec": '
                        f'{{"selector": {labels}}}')
            elif kind == 2:
                text = (f'"apiVersion": "apps/v1", "kind": "Deployment", {head}, "spec": {{"replicas": '
                        f'{rng.randint(0, 4)}, "selector": {{"matchLabels": {labels}}}, "template": '
                        f'{{"metadata": {{"labels": {labels}}}, "spec": {{}}}}}}')
            elif kind == 3:
                text = (f'"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "{name}", "namespace": '
                        f'"{ns}", "labels": {labels}}}, "spec": {{}}')
            else:
                text = (f'"apiVersion": "v1", "kind": "Service", {head}, "spec": {{"clusterIP": '
                        f'"10.0.{rng.randrange(4)}.{rng.randint(1, 250)}"}}')
            result.append(f"{{{text}}}")
        return result

    def text(self, path):
        documents = self.documents()
        if path.endswith(".json"):
            return f'{{"apiVersion": "v1", "kind": "List", "items": [{", ".join(documents)}]}}'
        return "".join(f"---\n{document}\n" for document in documents)

    def place(self):
        """A path that need not exist, in a directory that does."""
        directory = self.rng.choice(DIRECTORIES)
        path = os.path.join(self.root, directory)
        if not os.path.isdir(path):
            os.makedirs(path)
        return os.path.join(path, self.rng.choice(FILES))

    def there(self):
        """A path that exists, or None."""
        found = [os.path.join(directory, name) for directory, _, names in os.walk(self.root)
                 for name in sorted(names) if not name.startswith(".")]
        return self.rng.choice(sorted(found)) if found else None

    def clear(self, path):
        if os.path.lexists(path):
            os.unlink(path)

    def write(self):
        path = self.place()
        if os.path.islink(path) and not os.path.exists(path):
            return
        with open(path, "w", encoding="ascii") as file:
            text = self.text(os.path.realpath(path) if os.path.islink(path) else path)
            file.write(text[: len(text) // 2])
            file.flush()
            file.write(text[len(text) // 2 :])

    def put(self):
        path = self.place()
        hidden = os.path.join(os.path.dirname(path), ".new")
        with open(hidden, "w", encoding="ascii") as file:
            file.write(self.text(path))
        os.rename(hidden, path)

    def delete(self):
        if path := self.there():
            os.unlink(path)

    def move(self):
        source, target = self.there(), self.place()
        if source and os.path.splitext(source)[1] == os.path.splitext(target)[1]:
            os.rename(source, target)

    def touch(self):
        if path := self.there():
            if os.path.exists(path):
                os.utime(path)

    def chmod(self):
        if path := self.there():
            if os.path.exists(path):
                os.chmod(path, self.rng.choice([0o600, 0o644, 0o755]))

    def hard_link(self):
        source, target = self.there(), self.place()
        if source and os.path.splitext(source)[1] == os.path.splitext(target)[1]:
            if os.path.realpath(source) != os.path.realpath(target) and os.path.isfile(source):
                self.clear(target)
                os.link(source, target)

    def symbolic_link(self):
        target = self.place()
        number = self.rng.randrange(4)
        outside = os.path.join(self.outside, f"{number}{os.path.splitext(target)[1]}")
        self.clear(target)
        os.symlink(outside, target)

    def write_outside(self):
        path = os.path.join(self.outside, f"{self.rng.randrange(4)}{self.rng.choice(['.yaml', '.json'])}")
        with open(path, "w", encoding="ascii") as file:
            file.write(self.text(path))

    def delete_outside(self):
        names = sorted(os.listdir(self.outside))
        if names:
            os.unlink(os.path.join(self.outside, self.rng.choice(names)))

    def remove_directory(self):
        directory = self.rng.choice(DIRECTORIES[1:])
        shutil.rmtree(os.path.join(self.root, directory), ignore_errors=True)

    def move_directory(self):
        source, target = (os.path.join(self.root, d) for d in self.rng.sample(["x", "y", "w", ".h"], 2))
        if os.path.isdir(source) and not os.path.exists(target):
            os.rename(source, target)

    def ignored(self):
        path = self.place()
        with open(path + self.rng.choice(["~", ".bak", ".swp"]), "w", encoding="ascii") as file:
            file.write("no: [manifest")

    def step(self):
        operations = [self.write] * 4 + [self.put] * 4 + [self.delete] * 3 + [self.move] * 3 + [
            self.touch, self.chmod, self.hard_link, self.symbolic_link, self.write_outside,
            self.write_outside, self.delete_outside, self.remove_directory, self.move_directory,
            self.ignored]
        operation = self.rng.choice(operations)
        self.done.append(operation.__name__)
        operation()


@limit(50 + STEPS)
def test_random_operations():
    root, outside, sentinel = (os.path.abspath(d) for d in ("root", "outside", "sentinel"))
    for directory in root, outside, sentinel:
        os.mkdir(directory)
    config = (f"manifests:\n- {{path: {root}, recursive: true}}\n- {sentinel}\n"
              "podCIDRs: [127.244.0.0/24]\nserviceCIDRs: [127.96.0.0/24]\n")
    names = [f"{name}.{ns}.svc.cluster.local" for name in NAMES for ns in NAMESPACES]
    walk = Walk(SEED, root, outside)
    with Daemon([], config=config) as daemon, Client(daemon.env) as client:
        for step in range(1, STEPS + 1):
            walk.step()
            if step % CHECK_EVERY:
                continue
            address = f"10.9.{step // 250 % 250}.{step % 250 + 1}"
            with open(f"{sentinel}/.new", "w", encoding="ascii") as file:
                file.write(service("quiet", address))
            # a link, because that is what the daemon hesitates longest to read
            if os.path.exists(f"{sentinel}/quiet.yaml"):
                os.unlink(f"{sentinel}/quiet.yaml")
            os.link(f"{sentinel}/.new", f"{sentinel}/quiet.yaml")
            os.unlink(f"{sentinel}/.new")
            client.until("inet", "quiet.default.svc.cluster.local",
                         lambda a, address=address: a.addresses == [address])
            compare(daemon, client, names,
                    f"seed {SEED}, step {step}, after {walk.done[-CHECK_EVERY:]}")
