# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon when the system fails it (preload_faults.c): answers stay right, and the log says what
is wrong."""

import errno
import mmap
import os
import pathlib
import struct

from comparing import compare
from harness import built, limit, same, unsanitized, wait_for
from watching import World, service

KINDS = ["instance", "watch", "map", "read", "read_size", "write", "sync"]


class Faults:
    """The system calls of a daemon that is started through `wrapper`."""

    def __init__(self, **wanted):
        unsanitized("the sanitizers' library must be loaded first")
        path = pathlib.Path("faults").resolve()
        path.write_bytes(bytes(8 * len(KINDS)))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.set(**wanted)
        self.wrapper = ["env", f"LD_PRELOAD={built('e2e/preload_faults.so')}", f"FAULTS={path}"]

    def set(self, **wanted):
        for kind, value in wanted.items():
            struct.pack_into("=i", self.map, 4 * KINDS.index(kind), value)

    def met(self, kind):
        """How often it has failed."""
        return struct.unpack_from("=i", self.map, 4 * (len(KINDS) + KINDS.index(kind)))[0]


def allocated(name, replicas=2):
    return (f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n"
            f"spec: {{selector: {{app: {name}}}}}\n---\n"
            f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\n"
            f"spec:\n  replicas: {replicas}\n  selector: {{matchLabels: {{app: {name}}}}}\n"
            f"  template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{}}}}\n")


def keeps_watching(faults, kind):
    with World({"a.yaml": service("a", "10.0.0.1")}, wrapper=faults.wrapper) as world:
        world.daemon.wait_line("cannot watch all manifests")
        assert faults.met(kind) > 0
        world.has("a", "10.0.0.1")
        world.put("a.yaml", service("a", "10.0.0.2"))
        world.has("a", "10.0.0.2")
        faults.set(**{kind: 0})
        world.daemon.wait_line("watching all manifests again")
        world.write("b.yaml", service("b", "10.0.0.3"))
        world.has("b", "10.0.0.3")


def test_no_inotify_instance():
    keeps_watching(Faults(instance=errno.EMFILE), "instance")


def test_no_inotify_watch():
    keeps_watching(Faults(watch=errno.ENOSPC), "watch")


def test_short_reads():
    """No document begins or ends where a read does."""
    faults = Faults(read_size=3)
    with World({"a.yaml": service("a", "10.0.0.1")}, wrapper=faults.wrapper) as world:
        world.has("a", "10.0.0.1")
        world.put("a.json", '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "b"}, '
                            '"spec": {"clusterIP": "10.0.0.2"}}')
        world.has("b", "10.0.0.2")
        assert faults.met("read_size") > 50


def test_read_error():
    faults = Faults()
    with World({"a.yaml": service("a", "10.0.0.1")}, wrapper=faults.wrapper) as world:
        world.has("a", "10.0.0.1")
        faults.set(read=errno.EIO)
        world.put("a.yaml", service("a", "10.0.0.2"))
        world.daemon.wait_line("a.yaml: error: cannot be read: Input/output error")
        assert faults.met("read") > 0
        world.still_has("a", "10.0.0.1")
        faults.set(read=0)
        world.put("a.yaml", service("a", "10.0.0.3"))
        world.has("a", "10.0.0.3")
        world.daemon.wait_line("fixed")


def test_disk_full_of_leases():
    """While leases cannot be written they hold all the same, and are written when they can be."""
    faults = Faults()
    names = [f"{name}.default.svc.cluster.local" for name in "abc"]
    with World({"a.yaml": allocated("a")}, wrapper=faults.wrapper) as world:
        def ask(name):
            return world.client.until("inet", f"{name}.default.svc", lambda a: a.addresses).addresses

        a = ask("a")
        for error in errno.ENOSPC, errno.EIO:
            faults.set(write=error)
            world.put(f"{error}.yaml", allocated("b", error))
            world.daemon.wait_line("cannot be written")
            b = ask("b")
            same(ask("a"), a)
            assert faults.met("write") > 0
            faults.set(write=0)
            world.put("c.yaml", allocated("c", error))
            wait_for(lambda error=error: f"Deployment/c/{error - 1} " in leases(world), "the journal")
            assert f"{b[0]} default/Service/b " in leases(world)
            same(ask("a"), a)
            compare(world.daemon, world.client, names, f"after {os.strerror(error)}")


def leases(world):
    return (world.daemon.dir / "state" / "leases").read_text()


@limit(90)
def test_no_memory_for_the_snapshot():
    """What could not be published is published when there is memory again, though nothing has
    changed since."""
    faults = Faults()
    with World({"a.yaml": service("a", "10.0.0.1")}, wrapper=faults.wrapper) as world:
        world.has("a", "10.0.0.1")
        faults.set(map=errno.ENOMEM)
        many = "---\n".join(service(f"s{i}", f"10.{i // 62500}.{i // 250 % 250}.{i % 250 + 1}")
                            for i in range(10000))
        world.put("many.yaml", many)
        world.daemon.wait_line("cannot publish: Cannot allocate memory")
        assert faults.met("map") > 0
        world.still_has("a", "10.0.0.1")
        faults.set(map=0)
        for i in 0, 4999, 9999:
            world.has(f"s{i}", f"10.{i // 62500}.{i // 250 % 250}.{i % 250 + 1}")
        world.put("a.yaml", service("a", "10.0.0.2"))
        world.has("a", "10.0.0.2")
