# SPDX-License-Identifier: LGPL-2.1-or-later
"""Objects that an API server would refuse: never before one that it accepts, and else as good as they are."""

import subprocess

from harness import built, same, wait_for
from watching import World

SHOP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 1
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {clusterIP: None, selector: {app: shop}}
"""
# as an overlay has it: a part of the Deployment, and not a Deployment
PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec: {replicas: 3}
"""


def count(world, name):
    return len(world.client.ask("inet", f"{name}.default.svc").addresses)


def cli(world, *arguments):
    done = subprocess.run([built("kubesvc"), *arguments], stdout=subprocess.PIPE, check=True,
                          env={"KUBESVC_SOCKET": str(world.daemon.socket), "LC_ALL": "C"})
    return done.stdout.decode()


def test_a_patch_beside_its_target():
    with World({"base.yaml": SHOP, "patch.yaml": PATCH}) as world:
        same(count(world, "shop"), 1)
        world.daemon.wait_line("spec.selector is missing; the API server rejects it [no-selector]")
        status = cli(world, "status")
        assert "patch.yaml" in status and "[no-selector]" in status, status
        # it counts as soon as it is a Deployment, and the base is back when it no longer is
        world.put("patch.yaml", SHOP.replace("replicas: 1", "replicas: 3"))
        wait_for(lambda: count(world, "shop") == 3, "the later file to count")
        world.put("patch.yaml", PATCH)
        wait_for(lambda: count(world, "shop") == 1, "the base to be back")


def test_the_target_goes_and_comes_back():
    with World({"base.yaml": SHOP, "patch.yaml": PATCH}) as world:
        service = SHOP.partition("---\n")[2]
        world.put("base.yaml", service)
        world.lacks("shop")
        world.put("base.yaml", SHOP)
        wait_for(lambda: count(world, "shop") == 1, "the target to count again")


def faulty(name, spec):
    return f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"


def test_a_fault_in_a_part_leaves_the_name():
    parts = {
        "port": "clusterIP: None, selector: {app: shop}, ports: [{port: 0}]",
        "protocol": "clusterIP: 10.96.3.1, ports: [{port: 80, protocol: tcp}]",
        "affinity": "clusterIP: 10.96.3.2, ports: [{port: 80}], sessionAffinity: Sticky",
        "policy": "clusterIP: 10.96.3.3, ports: [{port: 80}], externalTrafficPolicy: 1",
        "families": "clusterIP: 10.96.3.4, ports: [{port: 80}], ipFamilies: [v4]",
        "node-port": "clusterIP: 10.96.3.5, ports: [{port: 80, nodePort: 99999}]",
        "portless": "clusterIP: 10.96.3.6",
    }
    text = SHOP + "".join("---\n" + faulty(name, spec) for name, spec in parts.items())
    with World({"a.yaml": text}) as world:
        for name in parts:
            same(count(world, name), 1, name)
            world.daemon.wait_line(f"error: Service default/{name}: ")
        # while a fault in what names lead to leaves the last good version
        world.put("a.yaml", text.replace("10.96.3.2", "10.96.3.256"))
        world.daemon.wait_line("default/affinity: clusterIP must be an IP address or None")
        world.still_has("affinity", "10.96.3.2")


def test_the_same_words_as_check():
    """The daemon's complaints about a file are those of `kubesvc check`, letter for letter."""
    texts = {"a.yaml": SHOP + "---\n" + faulty("web", "type: NodePort, clusterIP: None, "
                                                "ports: [{port: 80}, {port: 80, name: A}]"),
             "b.yaml": PATCH}
    with World(texts) as world:
        path = world.daemon.directories[0]
        done = subprocess.run([built("kubesvc"), "check", "--ignore", "duplicate-object", path],
                              stdout=subprocess.PIPE, check=False)
        said = done.stdout.decode().splitlines()
        assert len(said) >= 6, said
        for line in said:
            world.daemon.wait_line(line)
